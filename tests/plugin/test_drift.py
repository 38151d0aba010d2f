"""The fixture `drift` in projects of their own: recorded, checked, failed, accepted, and its course over time."""

from __future__ import annotations

import json

import pytest
from _pytest.pytester import LineMatcher
from click.testing import CliRunner

from pytest_mlrepro.cli import main
from tests.plugin.project import Project

TEST = """
import os
import numpy as np

def frame(seed, shift=0.0, rows=8000):
    rng = np.random.default_rng(seed)
    return {"price": rng.lognormal(1, 0.4, rows) + shift, "city": rng.choice(["a", "b", "c"], rows)}

def test_data(drift):
    now = frame(int(os.environ.get("SEED", "1")), float(os.environ.get("SHIFT", "0")), int(os.environ.get("ROWS", "8000")))
    drift.check(now, "train", of=lambda: frame(0), units={"price": "EUR"})
"""


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture
def drifting(project: Project) -> Project:
    """A project whose one drift check is recorded."""
    project.write(TEST)
    project.record()
    return project


def outcomes(project: Project, *args: str, **expected: int) -> pytest.RunResult:
    found = project.run(*args)
    found.assert_outcomes(**expected)
    return found


def mlrepro(project: Project, *words: str, status: int = 0) -> LineMatcher:
    found = CliRunner().invoke(main, ["--root", str(project.root), *words])
    assert found.exit_code == status, found.output
    return LineMatcher(found.output.splitlines())


def test_a_reference_that_is_not_recorded_fails_and_is_proposed(project: Project) -> None:
    project.write(TEST)
    found = outcomes(project, failed=1)
    found.stdout.fnmatch_lines(["*golden 'train': no golden is recorded yet.*", "*to record what is missing:*"])
    mlrepro(project, "accept", "test_data", "--reason", "first")
    outcomes(project, passed=1)


def test_a_fresh_sample_passes_and_a_moved_one_fails_with_its_move(
    drifting: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes(drifting, passed=1)
    monkeypatch.setenv("SHIFT", "0.5")
    found = outcomes(drifting, failed=1)
    found.stdout.fnmatch_lines(
        [
            "E *AssertionError: drift since train of 20*-*-* (8,000 rows): 1 of its columns moved, in 8,000 rows and 2 tests",
            "E *price: its distribution moved: median * EUR (+0.* EUR, +0.* standard deviations)",
            "E *D = 0.*, allowed 0.05; p *corrected for 2 tests",
            "E *mlrepro accept 'test_m.py::test_data' --reason*",
        ]
    )


def test_an_accepted_drift_makes_the_frame_the_reference(drifting: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIFT", "0.5")
    outcomes(drifting, failed=1)
    mlrepro(drifting, "accept", "test_data", "--reason", "new prices")
    outcomes(drifting, passed=1)
    monkeypatch.delenv("SHIFT")
    outcomes(drifting, failed=1)
    shown = mlrepro(drifting, "show", "test_data")
    shown.fnmatch_lines(
        ["*train  profile for drift checks, *effect=0.05*", "*price: numeric, median *", "*new prices*"]
    )
    mlrepro(drifting, "verify").fnmatch_lines(["1 golden verified*"])


def test_update_replaces_a_reference_that_drifted(drifting: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIFT", "0.5")
    outcomes(drifting, "--golden=update", "--golden-reason=new prices", passed=1)
    outcomes(drifting, passed=1)


def test_a_sample_that_is_too_small_fails_and_is_no_proposal(
    drifting: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROWS", "200")
    found = outcomes(drifting, failed=1)
    found.stdout.fnmatch_lines(["E *undecided whether anything moved since train*", "E *to rule out a *takes *rows*"])
    assert not list(drifting.root.glob(".mlrepro/pending/*"))


def test_a_larger_effect_than_recorded_is_a_change_to_be_accepted(drifting: Project) -> None:
    drifting.write(TEST.replace('units={"price": "EUR"}', "effect=0.3"))
    found = outcomes(drifting, failed=1)
    found.stdout.fnmatch_lines(["E *effect is 0.3, was 0.05: smaller drifts go unseen"])


def test_a_check_that_became_the_other_kind_fails(project: Project) -> None:
    project.write("def test_data(golden): golden.check(1.5, 'train')")
    project.record()
    project.write("def test_data(drift): drift.check({'a': list(range(9))}, 'train')")
    found = outcomes(project, failed=1)
    found.stdout.fnmatch_lines(["E *the recorded value is no profile."])
    project.write("def test_data(golden): golden.check(1.5, 'train')\ndef test_more(drift): pass")
    found = outcomes(project, passed=1, failed=1)


def test_names_and_arguments_that_can_t_be_right(project: Project) -> None:
    project.write(
        """
import pytest
from pytest_mlrepro import Profile, UsageError

def test_data(drift):
    frame = {"a": list(range(5000))}
    with pytest.raises(UsageError, match="efect is no argument"):
        drift.check(frame, "train", efect=0.1)
    with pytest.raises(UsageError, match="not empty"):
        drift.check(frame, "")
    assert drift.check(frame, Profile.of(frame)).verdict == "passed"
    drift.check(frame, "train")
    with pytest.raises(UsageError, match="named 'train' too"):
        drift.check(frame, "train")
"""
    )
    project.record()


def test_each_verdict_is_a_line_and_log_shows_the_course_and_a_slow_trend(
    drifting: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run in range(7):
        monkeypatch.setenv("SHIFT", f"{0.015 * run}")
        outcomes(drifting, "--mlrepro-json=mlrepro.jsonl", passed=1)
    lines = [json.loads(line) for line in (drifting.root / "mlrepro.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) == 7
    assert lines[0]["test"] == "test_m.py::test_data"
    assert (lines[0]["check"], lines[0]["kind"], lines[0]["outcome"], lines[0]["verdict"]) == (
        "train",
        "drift",
        "passed",
        "passed",
    )
    assert set(lines[0]["statistics"]) == {"price: distribution", "city: distribution"}
    shown = mlrepro(drifting, "log", "--drift")
    shown.fnmatch_lines(
        [
            "test_m.py::test_data  drift since train",
            "*0.0* of 0.05  price: distribution  (7 runs)",
            "slow trends, each below its alarm in the last run:",
            "  price: distribution: 0.0* in 7 runs (* to *); at this pace the alarm at 0.05 comes in about * runs",
        ]
    )
    monkeypatch.setenv("SHIFT", "0.5")
    outcomes(drifting, "--mlrepro-json=mlrepro.jsonl", failed=1)
    mlrepro(drifting, "log", "--drift").fnmatch_lines(["*price: distribution  (8 runs, 1 alarm)"])
    mlrepro(drifting, "log", "mlrepro.jsonl").fnmatch_lines(["*failed *test_m.py::test_data  train  drift: drift"])


def test_a_record_is_written_once_by_several_processes(project: Project) -> None:
    project.write(TEST + TEST.replace("test_data", "test_other"))
    outcomes(project, "--golden=record", passed=2)
    found = project.pytester.runpytest_subprocess("-p", "xdist", "-n", "2", "--mlrepro-json=lines.jsonl")
    found.assert_outcomes(passed=2)
    lines = [json.loads(line) for line in (project.root / "lines.jsonl").read_text("utf-8").splitlines()]
    assert sorted(line["test"] for line in lines) == ["test_m.py::test_data", "test_m.py::test_other"]


def test_a_check_against_a_profile_that_is_given_needs_no_golden_and_has_its_line(project: Project) -> None:
    project.write(
        """
from pytest_mlrepro import Profile

def test_same(drift): drift.check({"a": list(range(5000))}, Profile.of({"a": list(range(5000))}))
def test_moved(drift): drift.check({"a": list(range(5000))}, Profile.of({"a": list(range(9000))}))
def test_few(drift): drift.check({"a": [1, 2, 3]}, Profile.of({"a": [1, 2, 3]}))
def test_idle(drift): pass
"""
    )
    found = outcomes(project, "--mlrepro-json=lines.jsonl", passed=1, failed=3)
    found.stdout.fnmatch_lines(["*the test asks for `drift` and never came to drift.check(...): nothing was checked*"])
    lines = [json.loads(line) for line in (project.root / "lines.jsonl").read_text("utf-8").splitlines()]
    assert [(line["kind"], line.get("verdict"), line["outcome"]) for line in lines] == [
        ("drift", "passed", "passed"),
        ("drift", "drift", "failed"),
        ("drift", "undecided", "failed"),
        ("test", None, "failed"),
    ]
    assert not project.goldens()


def test_reruns_hold_the_profile_of_each_run_against_the_first(project: Project) -> None:
    project.write(
        TEST.replace("import os", "import itertools\nimport os\nimport pytest\nRUNS = itertools.count()").replace(
            "def test_data(drift):", "@pytest.mark.repro(reruns=2)\ndef test_data(drift):"
        )
    )
    project.record()
    outcomes(project, passed=1)
    text = (project.root / "test_m.py").read_text("utf-8")
    project.write(text.replace('"SEED", "1"', '"SEED", next(RUNS)'))
    outcomes(project, failed=1)


def test_golden_checks_have_their_lines_too(project: Project) -> None:
    project.write("def test_data(golden): golden.check(1.5)")
    outcomes(project, "--golden=record", "--mlrepro-json=deep/lines.jsonl", passed=1)
    (line,) = map(json.loads, (project.root / "deep" / "lines.jsonl").read_text("utf-8").splitlines())
    assert (line["kind"], line["outcome"], line["check"]) == ("golden", "recorded", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no mlrepro.jsonl"),
        ("{]", "mlrepro.jsonl:1 is no line of a run record"),
        ("", "no verdict of a drift check"),
    ],
)
def test_a_log_that_can_t_be_shown_says_why(project: Project, text: str | None, words: str) -> None:
    if text is not None:
        (project.root / "mlrepro.jsonl").write_text(text, "utf-8")
    mlrepro(project, "log", "--drift", status=2).fnmatch_lines([f"*{words}*"])
