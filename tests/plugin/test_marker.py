"""What @pytest.mark.repro does to a test, and that nothing of it is left behind."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.plugin.project import Project

DRAWS = (
    "import os, random, secrets, uuid\nimport numpy as np\nimport pytest\n"
    "def draw():\n"
    "    return [random.random(), np.random.rand(), np.random.default_rng().random(), random.Random().random(),\n"
    "            secrets.token_hex(4), str(uuid.uuid4()), os.urandom(4).hex()]\n"
)


def drawn(project: Project, name: str = "out.txt") -> str:
    return (project.root / name).read_text("utf-8")


def test_a_marked_test_draws_the_same_in_each_run_whatever_else_runs(project: Project) -> None:
    body = "    with open('out.txt', 'w') as f:\n        f.write(repr(draw()))\n"
    project.write(DRAWS + "@pytest.mark.repro(seed=3)\ndef test_m():\n" + body)
    project.run().assert_outcomes(passed=1)
    first = drawn(project)
    project.write(DRAWS + "def test_a():\n    draw()\n@pytest.mark.repro(seed=3)\ndef test_m():\n" + body)
    project.run().assert_outcomes(passed=2)
    assert drawn(project) == first
    project.run("-p", "randomly", "-k", "not test_a").assert_outcomes(passed=1)
    assert drawn(project) == first
    project.write(DRAWS + "@pytest.mark.repro(seed=4)\ndef test_m():\n" + body)
    project.run().assert_outcomes(passed=1)
    assert drawn(project) != first


@pytest.mark.parametrize("ending", ["pass", "assert False", "raise SystemExit", "pytest.skip('x')"])
def test_every_state_is_put_back_however_the_test_ends(project: Project, ending: str) -> None:
    project.write(DRAWS + f"@pytest.mark.repro\ndef test_m():\n    draw()\n    {ending}\n")
    random.seed(5)
    np.random.seed(5)
    np.random.standard_normal()  # leaves a cached second normal, which is state too
    states = random.getstate(), np.random.get_state()
    project.run()
    assert random.getstate() == states[0]
    assert all(np.array_equal(one, other) for one, other in zip(np.random.get_state(), states[1], strict=True))


def test_set_up_call_and_tear_down_are_each_seeded(project: Project) -> None:
    project.write(
        "import random\nimport pytest\nSEEN = []\n"
        "@pytest.fixture\ndef noted():\n    SEEN.append(random.random())\n    yield\n    SEEN.append(random.random())\n"
        "@pytest.mark.repro(seed=1)\ndef test_m(noted):\n    SEEN.append(random.random())\n"
        "def test_n():\n    random.seed(1)\n    assert SEEN == [random.random()] * 3\n"
    )
    project.run().assert_outcomes(passed=2)


def test_the_fixture_alone_seeds_and_gives_seed_and_generator(project: Project) -> None:
    project.write(
        "import numpy as np\ndef test_m(repro):\n    assert repro.seed == 9\n"
        "    assert repro.rng is repro.rng\n    assert repro.rng.random() == np.random.default_rng(9).random()\n"
    )
    project.run("--mlrepro-seed", "9").assert_outcomes(passed=1)


def test_the_scope_all_seeds_tests_without_a_marker(project: Project) -> None:
    project.write("import random\ndef test_m():\n    assert random.random() == random.Random(0).random()\n")
    project.run().assert_outcomes(failed=1)
    project.run("-o", "mlrepro_scope=all").assert_outcomes(passed=1)
    assert project.run("-o", "mlrepro_scope=some").ret == pytest.ExitCode.USAGE_ERROR


def test_a_seed_of_the_marker_counts_more_than_that_of_the_command_line(project: Project) -> None:
    project.write(
        "import pytest\n@pytest.mark.repro(seed=2)\ndef test_m(repro):\n    assert repro.seed == 2\n"
        "@pytest.mark.repro\ndef test_n(repro):\n    assert repro.seed == 7\n"
    )
    project.run("--mlrepro-seed=7").assert_outcomes(passed=2)
    project.run("-o", "mlrepro_seed=7").assert_outcomes(passed=2)


def test_forbidden_entropy_fails_with_file_and_line(project: Project) -> None:
    project.write(DRAWS + "@pytest.mark.repro(entropy='forbid')\ndef test_m():\n    np.random.default_rng()\n")
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*is forbidden in this test and was drawn at *test_m.py:9*"])


def test_forbidden_entropy_that_the_test_swallows_fails_all_the_same(project: Project) -> None:
    project.write(
        DRAWS + "@pytest.mark.repro(entropy='forbid')\ndef test_m():\n"
        "    try:\n        uuid.uuid4()\n    except Exception:\n        pass\n    except BaseException:\n        pass\n"
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*unseeded entropy is forbidden in this test: uuid was drawn at *test_m.py:10*"])


def test_the_summary_lists_where_a_seeded_test_drew_without_a_seed(project: Project) -> None:
    project.write(DRAWS + "@pytest.mark.repro\ndef test_m():\n    np.random.default_rng()\n")
    project.run().stdout.fnmatch_lines(["*drawn without a seed*", "*test_m.py:9 *numpy*"])


def test_marked_tests_draw_alike_under_xdist(project: Project, tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    project.write(
        DRAWS + "@pytest.mark.parametrize('n', range(4))\n@pytest.mark.repro(seed=3)\ndef test_m(n):\n"
        "    with open(f'out{n}.txt', 'w') as f:\n        f.write(repr(draw()))\n"
    )
    project.run().assert_outcomes(passed=4)
    serial = [drawn(project, f"out{n}.txt") for n in range(4)]
    project.pytester.runpytest_subprocess("-p", "xdist", "-n", "2").assert_outcomes(passed=4)
    assert [drawn(project, f"out{n}.txt") for n in range(4)] == serial
