"""A run in a CI service: what its log, its files and JUnit have, with names that try to be commands or markup."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.plugin.project import Project

FAILING = """
import numpy as np
import pytest
from pytest_mlrepro import Linf

SHIFT = 0.0

@pytest.mark.parametrize("name", ["plain", "a%b::set-output name=x::y, <b>"])
def test_m(golden, name):
    golden.check(np.arange(3.0) + SHIFT, "loss\\x1b[31m<&\\"")

def test_not_ours():
    assert True

def test_line(golden):
    golden.check(1.0 + SHIFT)
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    made = Project(pytester)
    made.write(FAILING)
    assert made.run("--golden=record").ret == 0
    made.write(FAILING.replace("SHIFT = 0.0", "SHIFT = 1.0").replace("assert True", "assert 1 == 2"))
    return made


def test_github_gets_annotations_and_a_summary(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.root.parent))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.root / "summary.md"))
    result = project.run()
    commands = [line for line in result.outlines if line.lstrip().startswith("::")]
    assert len(commands) == 3, commands
    assert all(line.startswith("::error file=") for line in commands)
    assert f"file={project.root.name}/test_m.py,line=" in commands[0]
    assert "%0A" in commands[0]
    assert "a%25b%3A%3Aset-output name=x%3A%3Ay%2C <b>" in commands[1]
    assert "line=10," in commands[0], "the line of the check"
    page = (project.root / "summary.md").read_text("utf-8")
    assert "**3 failed**" in page
    assert "<b>" not in page
    assert "not&#95;ours" not in page


def test_gitlab_gets_a_code_quality_report(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_PROJECT_DIR", str(project.root))
    result = project.run()
    result.stdout.fnmatch_lines(["code-quality report for GitLab: *"])
    entries = json.loads((project.root / "gl-code-quality-report.json").read_text("utf-8"))
    assert len(entries) == 3
    assert {entry["location"]["path"] for entry in entries} == {"test_m.py"}
    assert len({entry["fingerprint"] for entry in entries}) == 3
    project.run("--golden=update", "--golden-reason=x")
    project.run("--mlrepro-code-quality", "out/q.json", "-k", "test_m")
    assert json.loads((project.root / "out" / "q.json").read_text("utf-8")) == []


def test_elsewhere_nothing_is_told_unless_asked(project: Project) -> None:
    result = project.run()
    assert not [line for line in result.outlines if line.startswith("::")]
    assert not (project.root / "gl-code-quality-report.json").exists()
    result = project.run("--mlrepro-ci=github")
    assert [line for line in result.outlines if line.startswith("::error ")]


def test_a_service_whose_files_can_not_be_written_fails_no_run(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.root))
    result = project.run()
    result.stdout.fnmatch_lines(["can't write the summary of this job*"])
    result.assert_outcomes(failed=4)


@pytest.mark.parametrize("workers", [[], ["-p", "xdist", "-n", "2"]], ids=["serial", "xdist"])
def test_junit_has_verdicts_as_properties(project: Project, workers: list[str]) -> None:
    if workers:
        pytest.importorskip("xdist")
    project.pytester.runpytest_subprocess("--junitxml=out.xml", *workers)
    suite = ElementTree.parse(project.root / "out.xml").getroot()[0]
    facts = {p.get("name"): p.get("value") for p in suite.findall("properties/property")}
    assert facts["mlrepro.golden.failed"] == "3"
    assert facts["mlrepro.mode"] == "check"
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    told = {p.get("name"): p.get("value") for p in cases["test_m[plain]"].findall("properties/property")}
    assert told == {'mlrepro.golden:loss\\u001b[31m<&"': "failed"}


def test_junit_has_the_facts_of_a_verdict(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("narwhals")
    project = Project(pytester)
    project.write(
        "import pandas as pd\n\ndef test_d(drift):\n"
        "    drift.check(pd.DataFrame({'x': [float(i % 97) for i in range(9000)]}), reference='train')\n"
    )
    project.pytester.runpytest_subprocess("--golden=record")
    project.pytester.runpytest_subprocess("--junitxml=out.xml")
    suite = ElementTree.parse(project.root / "out.xml").getroot()[0]
    told = {p.get("name"): p.get("value") for p in suite.findall("testcase/properties/property")}
    assert told["mlrepro.drift:train.outcome"] == "passed"
    assert told["mlrepro.drift:train.rows"] == "9000"
    assert json.loads(str(told["mlrepro.verdict:train"]))["kind"] == "drift"


def test_the_files_in_the_repository_are_what_they_say() -> None:
    yaml = pytest.importorskip("yaml")
    root = Path(__file__).parent.parent.parent
    (hook,) = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert hook["entry"] == "mlrepro verify"
    assert hook["pass_filenames"] is False
    page = (root / "docs" / "ci.md").read_text("utf-8")
    blocks = [text.partition("```")[0] for text in page.split("```yaml\n")[1:]]
    assert len(blocks) == 3
    workflow, gitlab, hooks = (yaml.safe_load(text) for text in blocks)
    (job,) = workflow["jobs"].values()
    assert any("pytest" in step.get("run", "") for step in job["steps"])
    assert gitlab["test"]["artifacts"]["reports"]["codequality"] == "gl-code-quality-report.json"
    assert hooks["repos"][0]["hooks"] == [{"id": hook["id"]}]


INJECTING = """
import numpy as np
import pytest

EVIL = "x\\n::error::pwned\\r::add-mask::y"
SHIFT = 0.0

def test_check(golden):
    golden.check(1.0 + SHIFT, EVIL)

def test_text(golden):
    golden.check({EVIL: "a"} if SHIFT else {"b": "c"}, "text")

def test_step(pipeline):
    pipeline.step("s " + EVIL.replace("\\r", "\\n"), lambda x: x + SHIFT, np.arange(3.0))

@pytest.mark.repro(reruns=2)
def test_checkpoint(repro, golden):
    repro.checkpoint(EVIL, object if False else len(DRAWN) * SHIFT)
    DRAWN.append(1)
    golden.check(1.0, "second")
    golden.check(2.0, EVIL + "2") if not SHIFT else None

DRAWN = []
"""


@pytest.mark.parametrize("shift", ["0.0", "1.0"])
def test_names_that_tests_choose_start_no_command_in_the_log(
    shift: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(pytester)
    project.write(INJECTING)
    lines = project.run("--golden=record", "-rA").outlines
    project.write(INJECTING.replace("SHIFT = 0.0", f"SHIFT = {shift}"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines += project.run("-rA").outlines
    found = [line.lstrip() for line in "\n".join(lines).splitlines()]
    assert not [line for line in found if line.startswith("::") and not line.startswith("::error file=")]


def test_names_of_verdicts_start_no_command_in_the_log(pytester: pytest.Pytester) -> None:
    project = Project(pytester)
    project.write(
        "import numpy as np\nfrom pytest_mlrepro import Linf\n\ndef test_r(robustness):\n"
        "    x = np.array([[1.0], [-1.0]])\n"
        "    robustness.check(lambda x: (x[:, 0] > 0).astype(int), x, [1, 0], Linf(0.1), min_accuracy=0.5, name='x\\n::error::y')\n"
    )
    lines = project.run().outlines
    assert any("::error::y: " in line for line in lines), "it is shown, on a line that it did not begin"
    assert not [line for line in lines if line.lstrip().startswith("::")]
