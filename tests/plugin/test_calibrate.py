"""`tolerance="calibrate"` in a project: learned when it is recorded, kept, shown, held to, and never loosened silently."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from pytest_mlrepro.cli import main
from pytest_mlrepro.golden.calibrated import FACTOR
from tests.plugin.project import Project

NOISY = """
import itertools
import numpy as np
import pytest

noise = itertools.count()
STEP = 2.0**-52

@pytest.mark.repro(reruns=3)
def test_m(golden):
    shake = 1 + STEP * next(noise)
    golden.check({"loss": 0.5 * SHIFT * shake, "steps": 3, "weights": np.array([1.0, 2.0, 0.0])}, "m", tolerance="calibrate")

SHIFT = 1.0
"""
FOLDERS = """
import os
from functools import reduce
import pytest

@pytest.mark.repro(vary=("folders",))
def test_m(golden):
    golden.check(reduce(float.__add__, map(float, os.listdir("numbers"))), "total", tolerance="calibrate")
"""


@pytest.fixture
def noisy(project: Project) -> Project:
    project.write(NOISY)
    project.record()
    return project


@pytest.fixture
def alter(noisy: Project) -> Callable[[str, str], None]:
    def replace(old: str, new: str) -> None:
        assert old in NOISY
        noisy.write(NOISY.replace(old, new))

    return replace


def tolerance(project: Project, name: str = "m") -> dict[str, Any]:
    data: dict[str, Any] = json.loads(project.golden().read_text("utf-8"))["checks"][name]["tolerance"]
    return data


def output(project: Project, *args: str) -> str:
    return project.run(*args).stdout.str()


def cli(project: Project, *args: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, ["--root", str(project.root), *args])
    assert done.exit_code == status, done.output
    return done.output


def test_what_runs_differ_is_stored_for_each_key_with_where_it_comes_from(noisy: Project) -> None:
    found = tolerance(noisy)
    # the run that counts is the third: shaken by two steps, the first by none
    assert found["globs"] == {"loss": {"rtol": pytest.approx(FACTOR * 2 * 2.0**-52), "atol": 0.0}}
    assert (found["rtol"], found["atol"]) == (0.0, 0.0)
    assert found["calibrated"] == {"factor": FACTOR, "largest": "2 ulp at loss", "runs": 2, "vary": ["plain"]}


def test_it_is_shown_and_a_later_run_is_held_to_it(noisy: Project, alter: Callable[[str, str], None]) -> None:
    shown = cli(noisy, "show", "test_m")
    assert "calibrated from 2 further runs (plain): largest 2 ulp at loss, factor 4" in shown
    assert "allowed at loss: atol 0 + rtol 1.78e-15 * |golden|" in shown
    assert "allowed elsewhere: no difference at all" in shown
    noisy.run().assert_outcomes(passed=1)
    alter("SHIFT = 1.0", "SHIFT = 1.0 + 2**-48")
    text = output(noisy)
    assert "value['loss']" in text
    assert "from 2 further runs (plain)" in text
    alter("np.array([1.0, 2.0, 0.0])", "np.array([1.0, 2.0 + 2**-51, 0.0])")
    assert "value['weights']" in output(noisy)


def test_just_inside_passes_and_just_outside_fails(noisy: Project, alter: Callable[[str, str], None]) -> None:
    alter("1 + STEP * next(noise)", f"1 + STEP * (2 + 2 * {FACTOR})")
    noisy.run().assert_outcomes(passed=1)
    alter("1 + STEP * next(noise)", f"1 + STEP * (2 + 2 * {FACTOR} + 2)")
    noisy.run().assert_outcomes(failed=1)


def test_without_further_runs_it_is_a_usage_error_that_says_how_to_ask(project: Project) -> None:
    project.write(NOISY.replace("(reruns=3)", ""))
    for arguments in ((), ("--golden=record",)):
        text = output(project, *arguments)
        assert "UsageError" in text
        assert '@pytest.mark.repro(vary=("threads", "isa"))' in text
    assert project.stored() == {}


def test_a_check_needs_no_further_runs_once_it_is_calibrated(noisy: Project, alter: Callable[[str, str], None]) -> None:
    alter("(reruns=3)", "")
    noisy.run().assert_outcomes(passed=1)
    noisy.run("--golden=record").assert_outcomes(passed=1)


def test_a_larger_envelope_is_a_change_to_be_accepted(noisy: Project, alter: Callable[[str, str], None]) -> None:
    before = tolerance(noisy)
    alter("STEP = 2.0**-52", "STEP = 2.0**-50")
    noisy.run("--golden=record")
    assert tolerance(noisy) == before
    noisy.run("--golden=update", "--golden-reason", "another BLAS").assert_outcomes(passed=1)
    assert tolerance(noisy)["globs"]["loss"]["rtol"] == pytest.approx(FACTOR * 2 * 2.0**-50)
    assert "another BLAS" in cli(noisy, "show", "test_m")


def test_an_update_never_narrows_what_is_stored_in_passing(noisy: Project, alter: Callable[[str, str], None]) -> None:
    stored = noisy.stored()
    alter("next(noise)", "0")
    noisy.run("--golden=update", "--golden-reason", "for another test").assert_outcomes(passed=1)
    assert noisy.stored() == stored


def test_a_tolerance_that_a_person_gave_becomes_a_calibrated_one_by_a_decision(project: Project) -> None:
    given = NOISY.replace('tolerance="calibrate"', "rtol=1e-6, atol=0").replace("(reruns=3)", "")
    project.write(given)
    project.record()
    project.write(NOISY)
    assert "the tolerance is calibrated from 2 further runs" in output(project)
    cli(project, "accept", "test_m", "--reason", "measured instead of guessed")
    assert tolerance(project)["calibrated"]["runs"] == 2
    project.run().assert_outcomes(passed=1)
    project.write(given)
    assert "rtol is 1e-06, was" in output(project)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"steps": 3', '"steps": next(noise)', "value['steps']"),
        ('"steps": 3', '"steps": f"{next(noise)}"', "value['steps']"),
        ('"steps": 3', '"steps": float("nan") if next(noise) % 4 == 1 else 1.0', "value['steps']"),
        ('"steps": 3', 'f"steps{next(noise)}": 3', "steps"),
    ],
)
def test_what_no_tolerance_should_allow_is_refused(project: Project, old: str, new: str, words: str) -> None:
    project.write(NOISY.replace(old, new))
    text = output(project, "--golden=record")
    assert "not reproducible" in text
    assert "No tolerance can be calibrated for that" in text
    assert words in text
    assert project.stored() == {}


def test_numbers_beside_it_are_refused(project: Project) -> None:
    project.write(NOISY.replace('tolerance="calibrate"', 'tolerance="calibrate", max_ulp=3'))
    assert "came together with rtol, atol or max_ulp" in output(project)


def test_a_missing_golden_is_proposed_with_its_tolerance(project: Project) -> None:
    project.write(NOISY)
    project.run().assert_outcomes(failed=1)
    assert "calibrated from 2 further runs" in cli(project, "show", "test_m")
    cli(project, "accept", "test_m", "--reason", "first")
    project.run().assert_outcomes(passed=1)


def test_a_variation_in_process_feeds_the_envelope_and_is_named(project: Project) -> None:
    for name in ("0.1", "0.2", "0.3", "1e16", "-1e16"):
        project.write("", f"numbers/{name}")
    project.write(FOLDERS)
    project.record()
    found = tolerance(project, "total")["calibrated"]
    assert found["vary"] == ["plain", "folders"]
    assert found["largest"]
    project.run().assert_outcomes(passed=1)
    project.write(FOLDERS.replace('tolerance="calibrate"', "max_ulp=0"))
    assert "it depends on the order in which the file" in output(project, "--golden=record")


def test_diff_tells_of_another_envelope(noisy: Project, alter: Callable[[str, str], None]) -> None:
    alter("SHIFT = 1.0", "SHIFT = 2.0")
    noisy.run().assert_outcomes(failed=1)
    assert "value['loss']" in cli(noisy, "diff", "test_m", status=1)
    assert "1 golden verified" in cli(noisy, "verify")
