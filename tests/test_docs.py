"""Every block of the README is run: the tests in it, the commands in it, and the failure that it quotes."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_mlrepro

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
SET_UP = ("tox run", "pip install pytest-mlrepro")


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


def run(folder: Path, command: str, *, expect: int = 0, given: str = "") -> str:
    """Run a command line of the README in `folder` with this Python's own scripts."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    env["PYTEST_ADDOPTS"] = "-p pytest_mlrepro.plugin -p no:cacheprovider"
    done = subprocess.run(
        shlex.split(command),
        cwd=folder,
        env=env,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def written(folder: Path, page: str) -> str:
    """Write the files that a page of the docs names in its blocks, with a configuration; return its text."""
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    for block in re.findall(r"^```python\n(# \w+\.py\n.*?)^```$", text, re.MULTILINE | re.DOTALL):
        (folder / block.splitlines()[0].removeprefix("# ")).write_text(block, "utf-8")
    return text


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    for text in blocks("python"):
        name = text.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_the_readme_s_tests_record_and_pass(project: Path) -> None:
    commands = [line for text in blocks("console") for line in text.splitlines() if not line_of_set_up(line)]
    assert commands[0] == "pytest --golden=record"
    run(project, commands[0])
    run(project, "pytest")


def line_of_set_up(line: str) -> bool:
    return any(words in line for words in SET_UP)


def test_the_tests_of_the_page_on_determinism_pass(tmp_path: Path) -> None:
    written(tmp_path, "determinism")
    assert "3 passed" in run(tmp_path, "pytest")


def test_the_tests_of_the_page_on_tolerances_record_pass_and_are_shown(tmp_path: Path) -> None:
    written(tmp_path, "tolerances")
    assert "2 passed" in run(tmp_path, "pytest --golden=record")
    assert "distributions that passed" in run(tmp_path, "pytest")
    shown = run(tmp_path, "mlrepro show test_")
    assert "calibrated from 3 further runs (plain, threads, isa)" in shown
    assert "sees a shift of" in shown


def test_the_test_of_the_page_on_robustness_passes(tmp_path: Path) -> None:
    written(tmp_path, "robustness")
    assert "6 passed" in run(tmp_path, "pytest")


def test_the_tests_of_the_page_on_splits_pass(tmp_path: Path) -> None:
    written(tmp_path, "splits")
    assert "3 passed" in run(tmp_path, "pytest")


def test_the_tests_of_the_page_on_contracts_pass(tmp_path: Path) -> None:
    written(tmp_path, "contracts")
    assert "3 passed" in run(tmp_path, "pytest --golden=record")
    assert "3 passed" in run(tmp_path, "pytest")


def test_the_page_on_relations_holds_and_its_test_passes(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    page = (ROOT / "docs" / "relations.md").read_text("utf-8")
    texts = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "test_page.py").write_text("\n".join(texts), "utf-8")
    assert "1 passed" in run(tmp_path, "pytest")


def test_the_tests_of_the_page_on_drift_record_and_pass(tmp_path: Path) -> None:
    written(tmp_path, "drift")
    assert "2 passed" in run(tmp_path, "pytest --golden=record")
    assert "2 passed" in run(tmp_path, "pytest --mlrepro-json mlrepro.jsonl")
    assert "of 0.05  price: distribution  (1 run)" in run(tmp_path, "mlrepro log --drift")


def test_the_page_on_reports_records_and_shows_a_run(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    page = (ROOT / "docs" / "report.md").read_text("utf-8")
    (text,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text, "utf-8")
    (commands,) = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for command in commands.splitlines():
        assert "1 passed" in run(tmp_path, command)
    (line,) = map(json.loads, (tmp_path / "record.jsonl").read_text("utf-8").splitlines())
    (quoted,) = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    measured = ("run", "seconds", "time")
    shown = json.loads(quoted)
    assert {**line, **{name: shown[name] for name in measured}} == shown
    assert "1 verdict, none failed" in (tmp_path / "report.html").read_text("utf-8")


def machine_free(line: str) -> str:
    """Round numbers, and narrow the gaps between them: another BLAS gives other last digits, and so wider columns."""
    rounded = re.sub(r"-?\d+\.\d{6,}", lambda match: str(float(f"{float(match[0]):.6g}")), line)
    return re.sub(r"(?<=\S) {2,}", "  ", rounded).rstrip()


def test_the_readme_s_failure_is_what_is_printed_and_its_commands_mend_it(project: Path) -> None:
    record, *commands = [line for text in blocks("console") for line in text.splitlines() if not line_of_set_up(line)]
    run(project, record)
    text = (project / "test_model.py").read_text("utf-8")
    (project / "test_model.py").write_text(text.replace("-2.0", "-2.1"), "utf-8")
    printed = run(project, "pytest test_model.py", expect=1)
    (quoted,) = blocks("text")
    strip, wanted = ([machine_free(line) for line in text.splitlines()] for text in (printed, quoted))
    start = strip.index(wanted[0])
    assert strip[start : start + len(wanted)] == wanted
    assert len(commands) == 3
    for command in commands:
        run(project, command)
    run(project, "pytest")


def test_the_readme_names_every_option_and_marker_argument() -> None:
    help_text = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_mlrepro.plugin", "--help"],
        capture_output=True, text=True, check=True, encoding="utf-8", cwd=ROOT,
    ).stdout  # fmt: skip
    for option in (
        "--golden",
        "--golden-reason",
        "--mlrepro-seed",
        "--mlrepro-json",
        "--mlrepro-report",
        "mlrepro_scope",
        "mlrepro_seed",
        "mlrepro_golden_dir",
        "mlrepro_variants",
        "--golden-variant",
        "mlrepro_track_files",
        "mlrepro_data_dirs",
    ):
        assert option in help_text
        assert option in README


def test_public_names_stand_in_the_docs() -> None:
    import pytest_mlrepro

    docs = README + "".join(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md"))
    assert [name for name in pytest_mlrepro.__all__ if not re.search(rf"\b{name}\b", docs)] == []


def test_the_page_on_pipelines_is_true(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
    found = re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (python,) = [text for kind, text in found if kind == "python"]
    (tree,) = [text for kind, text in found if kind == "text"]
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (tmp_path / "test_wine.py").write_text(python, "utf-8")
    run(tmp_path, "pytest --golden=record")
    run(tmp_path, "pytest")
    printed = run(tmp_path, "mlrepro lineage test_wine")
    assert re.sub(r"; [^)]*\)", ")", printed) == tree  # without what this machine took


@pytest.mark.parametrize(("page", "tests"), [("tutorial", 4), ("howto", 4)])
def test_the_tests_of_a_page_record_and_pass(tmp_path: Path, page: str, tests: int) -> None:
    written(tmp_path, page)
    assert f"{tests} passed" in run(tmp_path, "pytest --golden=record")
    assert f"{tests} passed" in run(tmp_path, "pytest")


def test_what_the_tutorial_changes_fails_as_it_says_and_is_accepted(tmp_path: Path) -> None:
    text = written(tmp_path, "tutorial")
    run(tmp_path, "pytest --golden=record")
    model = tmp_path / "wine.py"
    model.write_text(
        model.read_text("utf-8").replace("LogisticRegression(max", "LogisticRegression(C=10, max"), "utf-8"
    )
    (quoted,) = re.findall(r"^```text\n(.*?)…\n```$", text, re.MULTILINE | re.DOTALL)
    assert quoted.strip().removesuffix(";") in run(tmp_path, "pytest", expect=1)
    second = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]
    for command in second.splitlines():
        run(tmp_path, command)
    run(tmp_path, "pytest")


def test_every_public_name_stands_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference.md").read_text("utf-8")
    errors = {"FingerprintError", "GoldenError", "MissingDependencyError", "MlreproError", "UsageError"}
    missing = {name for name in pytest_mlrepro.__all__ if f"pytest_mlrepro.{name}\n" not in text}
    assert missing == {*errors, "strategies"}  # each in its module


def test_every_page_stands_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"}
    assert {page for page in pages if f"\n{page}\n" not in index} == set()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_the_commands_of_the_page_on_audits_work(tmp_path: Path) -> None:
    for library in ("securesystemslib", "cryptography", "rocrate"):
        pytest.importorskip(library)
    page = written(tmp_path, "audit")
    (commands,) = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    printed = {command: run(tmp_path, command) for command in commands.splitlines()}
    assert "unanchored" in printed["mlrepro verify"]
    assert "anchored: " in printed["mlrepro verify --checkpoint checkpoint.json"]
    assert "every file is the one that was signed" in printed["mlrepro verify --key KEY.pub"]
    assert "verified: " in printed["python -I -S archive/verify.py"]
    assert "Signature Verified Successfully" in printed[commands.splitlines()[-1]]


def test_the_page_on_audits_names_every_export() -> None:
    from pytest_mlrepro.audit.export import FORMATS

    page = (ROOT / "docs" / "audit.md").read_text("utf-8")
    assert [form for form in FORMATS if f"| `{form}` |" not in page] == []


def test_the_page_on_review_is_true(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    page = (ROOT / "docs" / "review.md").read_text("utf-8")
    (test,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (commands,) = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    shown = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "test_curve.py").write_text(test, "utf-8")
    run(tmp_path, "pytest --golden=record")
    (tmp_path / "test_curve.py").write_text(test.replace("RATE = 0.1", "RATE = 0.12"), "utf-8")
    run(tmp_path, "pytest", expect=1)
    printed = run(tmp_path, "mlrepro review -k losses", given="s\n")
    missing = [line for line in shown.splitlines() if line.strip() != "…" and line.rstrip() not in printed]
    assert missing == []
    for command in commands.splitlines():
        run(tmp_path, command)
    assert '"pending": []' in run(tmp_path, "mlrepro pending --json")
    assert run(tmp_path, "mlrepro log test_losses").count("a faster rate") == 1


def test_every_variant_key_of_the_page_on_review_is_known() -> None:
    from pytest_mlrepro.golden.variants import declared_keys

    page = (ROOT / "docs" / "review.md").read_text("utf-8")
    keys = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert declared_keys(",".join(keys)) == ("device", "gpu", "machine", "system", "blas", "python")
