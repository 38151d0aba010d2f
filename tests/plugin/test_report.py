"""A run is recorded line by line and shown as a page: by one process or several, passed, failed, stopped or killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import pytest_mlrepro.integration.telling
import pytest_mlrepro.report.html.page
from pytest_mlrepro.errors import UsageError
from tests.plugin.project import KEPT, Project

SCHEMA = Path(__file__).parents[2] / "docs" / "run-record.schema.json"
LOADED = (*KEPT, pytest_mlrepro.integration.telling, pytest_mlrepro.report.html.page)
"""Imported here, since pytester forgets what an inner run imports, and numpy can be imported only once."""

TESTS = """
import os
import numpy as np
import pytest
from pytest_mlrepro import Linf

FAULT = float(os.environ.get("FAULT", 0))
HOSTILE = "</script><script>alert(1)</script>"

def load(): return np.arange(20.0)
def scale(x): return x * (2 + FAULT)
def total(x): return float(x.sum())

def test_curve(golden):
    golden.check(np.sin(np.arange(300.0)) + FAULT, "curve")
    golden.check({"epochs": 3}, HOSTILE)

def test_image(golden):
    golden.check(np.eye(16) * (1 + FAULT), "image")

def test_steps(pipeline):
    x = pipeline.step("load", load)
    y = pipeline.step("scale", scale, x)
    pipeline.step("total", total, y, check=True)

def test_drift(drift):
    rows = np.random.default_rng(0).normal(size=8000)
    drift.check({HOSTILE: rows + FAULT, "city": ["a", "b"] * 4000}, "train")

def test_contract(contract):
    import pandas as pd
    contract.check(pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0 + 100 * FAULT] * 30}), "train")

def test_split(contract):
    part = {"a": list(range(40)), "b": [x * x for x in range(40)]}
    other = part if FAULT else {"a": list(range(50, 90)), "b": [x * x for x in range(50, 90)]}
    contract.check_split(train=part, test=other)

class Model:
    def predict(self, x): return (np.asarray(x)[:, 0] > 0.5).astype(int)

def test_robust(robustness):
    x = np.linspace(0, 1, 30)[:, None].repeat(2, axis=1)
    robustness.check(Model().predict, x, (x[:, 0] > 0.5).astype(int), Linf(0.01 + FAULT * 0.24), min_accuracy=0.8, attacks="fast")

COUNT = []

@pytest.mark.repro(reruns=2)
def test_repeats(repro):
    COUNT.append(1)
    repro.checkpoint("x", len(COUNT) * FAULT)

@pytest.mark.xfail
def test_known(golden):
    golden.check(1.0 + FAULT)

def test_missing(golden):
    golden.check(1.0, "there")
    if FAULT:
        golden.check(2.0, "new")

def test_other(golden):
    golden.check(1.0)
    assert not FAULT, HOSTILE

def test_not_ours():
    assert not FAULT
"""


def lines(project: Project, name: str = "r.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (project.root / name).read_text("utf-8").splitlines()]


def by_name(records: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    return {(one["test"].partition("::")[2], f"{one['kind']} {one['check']}"): one["outcome"] for one in records}


@pytest.fixture
def recorded(project: Project) -> Project:
    for library in ("pandas", "narwhals", "tomlkit", "xdist"):
        pytest.importorskip(library)
    project.write(TESTS)
    project.run("--golden=record").assert_outcomes(passed=11, xpassed=1)
    return project


@pytest.fixture
def failing(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("FAULT", "1")
    return recorded


def test_every_verdict_is_a_line_that_keeps_the_schema(failing: Project) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failing.run("--mlrepro-json=r.jsonl").assert_outcomes(failed=11, xfailed=1)
    failing.run("--golden=update", "--golden-reason=why", "--mlrepro-json=r.jsonl")
    failing.run("--mlrepro-json=r.jsonl")
    records = lines(failing)
    assert not [(one["check"], found.message) for one in records for found in validator.iter_errors(one)]
    assert {one["kind"] for one in records} == {
        "golden", "pipeline", "determinism", "robustness", "contract", "drift", "test",
    }  # fmt: skip
    assert {one["outcome"] for one in records} == {"passed", "failed", "missing", "updated", "recorded"}
    assert len({one["run"] for one in records}) == 3
    broken = {**records[0], "outcome": "fine"}
    assert list(validator.iter_errors(broken))
    assert list(validator.iter_errors({**records[0], "surprise": 1}))
    assert max(len(json.dumps(one)) for one in records) < 16_000


def test_verdicts_and_their_outcomes(failing: Project) -> None:
    failing.run("--mlrepro-json=r.jsonl")
    hostile = "</script><script>alert(1)</script>"
    assert by_name(lines(failing)) == {
        ("test_curve", "golden curve"): "failed",
        ("test_image", "golden image"): "failed",
        ("test_steps", "golden step total"): "failed",
        ("test_steps", "pipeline pipeline"): "failed",
        ("test_drift", "drift train"): "failed",
        ("test_contract", "contract train"): "failed",
        ("test_split", "contract split into train, test"): "failed",
        ("test_robust", "robustness Linf(0.25)"): "failed",
        ("test_repeats", "determinism "): "failed",
        ("test_known", "golden "): "failed",
        ("test_missing", "golden there"): "passed",
        ("test_missing", "golden new"): "missing",
        ("test_other", "golden "): "passed",
        ("test_other", "test "): "failed",
    }
    found = {(one["test"].partition("::")[2], one["kind"]): one for one in lines(failing)}
    assert found["test_known", "golden"]["test_outcome"] == "xfailed"
    assert hostile in found["test_other", "test"]["message"]
    assert "no golden is recorded yet" in found["test_missing", "golden"]["message"]
    curve = found["test_curve", "golden"]["detail"]
    assert (
        curve["headline"] == "curve changed: environment is the same; no data and no artifacts were seen"
        or curve["headline"]
    )
    assert [picture["type"] for picture in curve["pictures"]] == ["curve"]
    states = {step["name"]: step["state"] for step in found["test_steps", "pipeline"]["detail"]["steps"]}
    assert states == {"load": "same", "scale": "parts", "total": "follows"}
    assert [one["column"] for one in found["test_drift", "drift"]["detail"]["columns"]] == [hostile]
    assert found["test_repeats", "determinism"]["runs"] == ["plain"]
    assert "not reproducible" in found["test_repeats", "determinism"]["message"]


def test_what_passes_is_recorded_too(recorded: Project) -> None:
    recorded.run("--mlrepro-json=r.jsonl").assert_outcomes(passed=11, xpassed=1)
    found = by_name(lines(recorded))
    assert set(found.values()) == {"passed"}
    assert len(found) == 13


def test_what_passes_within_its_tolerance_tells_how_much_of_it_is_used(project: Project) -> None:
    project.write("import numpy as np\ndef test_it(golden): golden.check(np.ones(9), 'x', rtol=0, atol=0.5)")
    project.record()
    project.write("import numpy as np\ndef test_it(golden): golden.check(np.ones(9) + 0.25, 'x', rtol=0, atol=0.5)")
    project.run("--mlrepro-json=r.jsonl", "--mlrepro-report=r.html").assert_outcomes(passed=1)
    (line,) = lines(project)
    assert line["detail"] == {"used": 0.5, "tolerated": 0}
    assert "0.5 of the tolerance is used" in (project.root / "r.html").read_text("utf-8")


def test_several_processes_write_what_one_writes(failing: Project) -> None:
    args = ("-p", "xdist", "-n", "2", "--mlrepro-json=many.jsonl", "--mlrepro-report=many.html")
    failing.run("--mlrepro-json=one.jsonl", "--mlrepro-report=one.html")
    shutil.rmtree(failing.root / ".mlrepro")  # counterexamples are replayed in the next run
    failing.pytester.runpytest_subprocess(*args).assert_outcomes(failed=11, xfailed=1)

    def told(name: str) -> list[dict[str, Any]]:
        left_out = ("run", "time", "seconds", "message")
        found = [{key: value for key, value in one.items() if key not in left_out} for one in lines(failing, name)]
        for one in found:
            if one["kind"] == "robustness":
                del one["detail"]["lines"]  # they tell seconds
        return sorted(found, key=lambda one: (one["test"], one["kind"], one["check"]))

    assert told("many.jsonl") == told("one.jsonl")
    one, many = ((failing.root / name).read_text("utf-8") for name in ("one.html", "many.html"))
    for text in (one, many):
        assert text.count("<details>") == 13
        assert text.count("<script") == 1
    assert many.count("<svg") == one.count("<svg")
    assert "numpy" in many.partition('id="environment"')[2]  # of the processes that ran the tests


def test_no_report_leaves_no_trace_and_loads_nothing(recorded: Project) -> None:
    before = set(recorded.root.iterdir())
    ours = ("integration.telling", "report.html", "report.detail")
    code = f"import pytest, sys; pytest.main(['-q', '-k', 'image']); ours = {ours}; "
    code += "print([name for name in sys.modules if any(part in name for part in ours)])"
    done = subprocess.run([sys.executable, "-c", code], cwd=recorded.root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert {path.name for path in set(recorded.root.iterdir()) - before} <= {"__pycache__"}


KILLED = """
import os, signal, time
import pytest

@pytest.mark.parametrize("at", range(6))
def test_one(golden, at):
    if at == 4:
        KILL
    golden.check(1.0 * at)
"""


def test_a_killed_run_leaves_a_line_for_each_test_that_was_over(project: Project) -> None:
    project.write(KILLED.replace("KILL", "pass"))
    project.record()
    project.write(KILLED.replace("KILL", "os.kill(os.getpid(), signal.SIGKILL)"))
    done = project.pytester.runpytest_subprocess("--mlrepro-json=r.jsonl", "--mlrepro-report=r.html")
    assert done.ret == -signal.SIGKILL
    assert [one["test"] for one in lines(project)] == [f"test_m.py::test_one[{at}]" for at in range(4)]
    assert (project.root / "r.jsonl").read_bytes().endswith(b"\n")
    assert not (project.root / "r.html").exists()


def test_lines_are_there_while_the_run_goes_on(project: Project) -> None:
    project.write(KILLED.replace("KILL", "pass"))
    project.record()
    project.write(KILLED.replace("KILL", "time.sleep(60)"))
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--mlrepro-json=r.jsonl"], cwd=project.root, stdout=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 50
        path = project.root / "r.jsonl"
        while time.monotonic() < end and (not path.exists() or len(path.read_bytes().splitlines()) < 4):
            time.sleep(0.05)
        assert len(lines(project)) == 4
    finally:
        run.kill()
        run.wait()


def test_ctrl_c_leaves_a_page_that_says_so(project: Project) -> None:
    project.write(KILLED.replace("KILL", "pass"))
    project.record()
    project.write(KILLED.replace("KILL", "raise KeyboardInterrupt"))
    done = project.pytester.runpytest_subprocess("--mlrepro-report=r.html")
    assert done.ret == pytest.ExitCode.INTERRUPTED
    text = (project.root / "r.html").read_text("utf-8")
    assert "4 verdicts, none failed, and the run was stopped" in text
    done.stdout.fnmatch_lines(["mlrepro report: *r.html"])


def test_a_picture_that_fails_neither_fails_nor_hides_the_verdict(
    failing: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no picture today")

    monkeypatch.setattr("pytest_mlrepro.report.detail.collector.pictures", broken)
    done = failing.run("--mlrepro-json=r.jsonl", "--mlrepro-report=r.html", "-k", "curve")
    done.stdout.fnmatch_lines(["*curve changed: test_m.FAULT changed*"])
    found = next(one for one in lines(failing) if one["check"] == "curve")
    assert found["detail"]["trouble"] == "not all of this verdict could be recorded: RuntimeError: no picture today"
    assert "no picture today" in (failing.root / "r.html").read_text("utf-8")


def test_a_process_that_dies_and_a_file_that_can_t_be_collected_are_verdicts(project: Project) -> None:
    project.write(KILLED.replace("KILL", "os._exit(1)"))
    project.write("import nothing_of_this_name", "test_broken.py")
    args = ("-p", "xdist", "-n", "1", "--golden=check", "--mlrepro-json=r.jsonl", "--continue-on-collection-errors")
    project.pytester.runpytest_subprocess(*args)
    found = by_name(lines(project))
    assert found["", "collection "] == "failed"
    project.pytester.runpytest_subprocess(*args, "test_m.py")
    found = by_name(lines(project))
    assert found["test_one[4]", "test "] == "failed"
    message = next(one["message"] for one in lines(project) if one["kind"] == "test")
    assert "crashed" in message


def test_a_place_that_can_t_be_written_is_told_before_anything_runs(project: Project) -> None:
    project.write("def test_it(golden): golden.check(1.0)")
    (project.root / "folder").mkdir()
    (project.root / "text").write_text("mine", "utf-8")
    for option, words in (
        ("--mlrepro-report=folder", "--mlrepro-report: a file is expected, and *folder is a folder"),
        ("--mlrepro-report=text/r.html", "--mlrepro-report: can't write *"),
        ("--mlrepro-json=folder", "--mlrepro-json: can't write *"),
        ("--mlrepro-json=text", "--mlrepro-json: *text is no run record, and nothing is appended to it"),
    ):
        done = project.pytester.runpytest_subprocess(option)
        assert done.ret == pytest.ExitCode.USAGE_ERROR
        done.stderr.fnmatch_lines([f"*{words}"])
    assert (project.root / "text").read_text("utf-8") == "mine"
    assert os.listdir(project.root / "folder") == []


def test_a_full_disk_stops_no_test_and_is_told_at_the_end(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("def test_one(golden): golden.check(1.0)\ndef test_two(golden): golden.check(1.0)")
    project.record()

    def full(*_: object) -> None:
        raise UsageError("--mlrepro-json: can't write r.jsonl: No space left on device")

    monkeypatch.setattr("pytest_mlrepro.report.lines.Lines.write", full)
    done = project.run("--mlrepro-json=r.jsonl", "--mlrepro-report=r.html")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stdout.fnmatch_lines(["test_m.py ..*"])
    assert "2 verdicts, none failed" in (project.root / "r.html").read_text("utf-8")
    assert "No space left on device" in done.stderr.str() + done.stdout.str()


def test_a_page_is_kept_when_tests_are_only_listed(project: Project) -> None:
    project.write("def test_one(golden): golden.check(1.0)")
    (project.root / "r.html").write_text("kept", "utf-8")
    project.run("--collect-only", "--mlrepro-report=r.html")
    assert (project.root / "r.html").read_text("utf-8") == "kept"


def test_of_a_test_that_is_tried_again_the_last_try_counts(project: Project) -> None:
    project.write(
        "COUNT = []\ndef test_it(golden):\n    COUNT.append(1)\n    golden.check(1.0 if len(COUNT) == 2 else 2.0)"
    )
    project.write("def test_it(golden): golden.check(1.0)", "test_m.py")
    project.record()
    project.write(
        "COUNT = []\ndef test_it(golden):\n    COUNT.append(1)\n    golden.check(1.0 if len(COUNT) == 2 else 2.0)"
    )
    args = ("-p", "pytest_rerunfailures", "--reruns", "2", "--mlrepro-json=r.jsonl")
    project.pytester.runpytest_subprocess(*args).assert_outcomes(passed=1)
    assert by_name(lines(project)) == {("test_it", "golden "): "passed"}
