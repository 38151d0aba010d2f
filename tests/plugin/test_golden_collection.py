"""What pytest finds where goldens lie."""

from __future__ import annotations

import pytest

from tests.plugin.project import Project

TEST = "import numpy as np\ndef test_m(golden):\n    golden.check(np.arange(3.0))\n"
STRAY = "def test_stray():\n    pass\n"


@pytest.mark.parametrize("place", ["__golden__", "stored/goldens"])
def test_goldens_are_not_searched_for_tests(project: Project, place: str) -> None:
    project.write(TEST)
    project.record("-o", f"mlrepro_golden_dir={place}")
    project.write(STRAY, str(project.golden().with_name("test_stray.py").relative_to(project.root)))
    project.run("-o", f"mlrepro_golden_dir={place}").assert_outcomes(passed=1)


def test_tests_in_a_folder_that_has_the_name_of_golden_folders_are_found(project: Project) -> None:
    project.write(TEST, "tests/test_m.py")
    project.write(STRAY, "tests/more/test_stray.py")
    project.record("-o", "mlrepro_golden_dir=tests")
    project.run("-o", "mlrepro_golden_dir=tests").assert_outcomes(passed=2)
