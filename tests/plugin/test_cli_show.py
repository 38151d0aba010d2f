"""`mlrepro show` beside a proposal that keeps a part of its golden."""

from __future__ import annotations

from collections.abc import Callable

from click.testing import CliRunner

from pytest_mlrepro.cli import main
from tests.plugin.project import Project


def test_a_proposal_that_keeps_an_array_shows_what_it_changes(
    model: Project, change: Callable[[str, str], None]
) -> None:
    change('"loss": 0.25', '"loss": 0.5')
    model.run().assert_outcomes(failed=1)
    shown = CliRunner().invoke(main, ["--root", str(model.root), "show", "test_model"])
    assert shown.exit_code == 0, shown.output
    assert "value['loss'] = 0.25 (float)" in shown.output
    assert "value['loss'] = 0.5 (float)" in shown.output
    assert shown.output.count("numpy.ndarray float64 2x3") == 1


def test_nulls_and_small_floats_are_shown_as_what_they_are(project: Project) -> None:
    project.write(
        "import numpy as np\ndef test_m(golden):\n"
        "    golden.check(np.ma.masked_array([1.5, 2.5], [False, True]), 'masked')\n"
    )
    project.record()
    shown = CliRunner().invoke(main, ["--root", str(project.root), "show", "test_m"])
    assert "[1.5, null]" in shown.output
