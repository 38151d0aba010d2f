"""The first line of a failure: each planted change is named, and nothing else is."""

from __future__ import annotations

import json
import sys

import pytest

from tests.plugin.project import Project

TRAIN = """
from helpers import scale

RATE = 0.5

def load(path):
    with open(path, encoding="utf-8") as file:
        return [float(line) for line in file]

def fit(values, start=0.0):
    total = start
    for value in values:
        total += RATE * scale(value)
    return total
"""
HELPERS = """
FACTOR = 3.0

def inner(x):
    return x * FACTOR

def scale(x):
    return inner(x)
"""
TEST = """
import pytest
from train import fit, load

@pytest.fixture(scope="module")
def values():
    return load("data/train.txt")

@pytest.mark.repro
def test_first(golden, values):
    golden.check(fit(values), "loss")

@pytest.mark.repro
def test_second(golden, values):
    golden.check(fit(values) * 2, "loss")
"""


@pytest.fixture
def trained(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.syspath_prepend(project.root)
    project.write(TRAIN, "train.py")
    project.write(HELPERS, "helpers.py")
    project.write(TEST)
    (project.root / "data").mkdir()
    (project.root / "data" / "train.txt").write_text("1.0\n2.5\n", "utf-8")
    project.record()
    return project


def first_lines(project: Project, *args: str) -> list[str]:
    text = project.run(*args).stdout.str()
    assert "AssertionError: " in text, text
    return [
        line.split("AssertionError: ")[1]
        for line in text.splitlines()
        if line.startswith("E ") and "AssertionError: " in line
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "cause"),
    [
        ("helpers.py", "FACTOR = 3.0", "FACTOR = 3.5", "helpers.FACTOR changed"),
        ("helpers.py", "return x * FACTOR", "return x * FACTOR + 1", "helpers.inner changed"),
        ("train.py", "start=0.0", "start=1.0", "train.fit changed"),
        ("test_m.py", "fit(values)", "fit(values, 2.0)", "test_m.test_first changed"),
    ],
)
def test_a_change_of_code_is_named(trained: Project, file: str, old: str, new: str, cause: str) -> None:
    path = trained.root / file
    trained.write(path.read_text("utf-8").replace(old, new), file)
    line = first_lines(trained, "-k", "first")[0]
    assert line == f"loss changed: {cause}; data and environment are the same; no artifacts were seen"
    trained.run("-k", "first").stdout.no_fnmatch_line("*--bisect*")


@pytest.mark.parametrize("selected", ["first", "second"], ids=["test_that_set_up_the_fixture", "test_that_shared_it"])
def test_data_that_a_wider_fixture_read_is_named_in_every_test_that_uses_it(trained: Project, selected: str) -> None:
    (trained.root / "data" / "train.txt").write_text("1.0\n2.75\n", "utf-8")
    lines = first_lines(trained)
    wanted = "loss changed: data/train.txt changed; code and environment are the same; no artifacts were seen"
    assert lines == [wanted, wanted]


def test_two_changes_are_told_together(trained: Project) -> None:
    trained.write(HELPERS.replace("3.0", "4.0"), "helpers.py")
    (trained.root / "data" / "train.txt").write_text("1.0\n2.75\n", "utf-8")
    assert first_lines(trained)[0].startswith("loss changed together with helpers.FACTOR and data/train.txt; ")
    trained.run("-k", "first").stdout.fnmatch_lines(["*mlrepro explain --bisect 'test_m.py::test_first'"])


def test_nothing_but_the_result_is_not_reproducible(project: Project) -> None:
    (project.root / "out").mkdir()
    project.write("import os\ndef test_m(golden): golden.check(float(os.environ['SOME_NUMBER']), 'score')")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOME_NUMBER", "1.0")
        project.record()
        patch.setenv("SOME_NUMBER", "2.0")
        (line,) = first_lines(project)
    assert "not reproducible" in line


def test_comments_and_formatting_are_no_change(trained: Project) -> None:
    trained.write(HELPERS.replace("return x * FACTOR", "# why\n    return (x\n        * FACTOR)"), "helpers.py")
    (trained.root / "data" / "train.txt").write_text("1.0\n2.75\n", "utf-8")
    assert "data/train.txt changed; code and" in first_lines(trained)[0]


def test_what_was_read_after_the_check_is_not_called_unused(project: Project) -> None:
    for name in ("a.txt", "b.txt"):
        (project.root / name).write_text("1", "utf-8")
    project.write(
        "def test_m(golden):\n golden.check(float(open('a.txt').read()), 'a')\n golden.check(float(open('b.txt').read()), 'b')\n"
    )
    project.record("-W", "ignore")
    (project.root / "a.txt").write_text("2", "utf-8")
    (line,) = first_lines(project, "-W", "ignore")
    assert line == "a changed: a.txt changed; code and environment are the same; no artifacts were seen"


def test_files_are_not_noted_if_that_is_switched_off(trained: Project) -> None:
    (trained.root / "data" / "train.txt").write_text("1.0\n2.75\n", "utf-8")
    line = first_lines(trained, "-o", "mlrepro_track_files=false")[0]
    assert "data/train.txt" not in line
    assert "data and artifacts were not recorded in this run" in line


def test_declared_data_counts_and_must_be_there(project: Project) -> None:
    (project.root / "big.bin").write_bytes(b"1")
    project.write(
        "import pytest, os\n@pytest.mark.repro(data=['*.bin'])\n"
        "def test_m(golden): golden.check(os.stat('big.bin').st_size, 'size')"
    )
    project.record()
    (project.root / "big.bin").write_bytes(b"12")
    assert "size changed: big.bin changed;" in first_lines(project)[0]
    (project.root / "big.bin").unlink()
    project.write("import pytest\n@pytest.mark.repro(data='*.bin')\ndef test_m(golden): golden.check(1, 'size')")
    project.run().stdout.fnmatch_lines(["*UsageError: declared path '[*].bin' matches nothing*"])


def test_a_written_file_is_no_reason(project: Project) -> None:
    project.write(
        "import os\ndef test_m(golden):\n value = os.environ['SOME_NUMBER']\n"
        " open('out.txt', 'w').write(value)\n golden.check(value, 'text')"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOME_NUMBER", "1.0")
        project.record("-W", "ignore")
        patch.setenv("SOME_NUMBER", "2.0")
        (line,) = first_lines(project, "-W", "ignore")
    assert "out.txt" not in line
    assert "not reproducible" in line


def test_a_broken_repository_leaves_the_commit_unknown(trained: Project) -> None:
    (trained.root / ".git").mkdir()
    (trained.root / ".git" / "HEAD").write_text("nonsense", "utf-8")
    trained.write(HELPERS.replace("3.0", "4.0"), "helpers.py")
    assert "helpers.FACTOR changed" in first_lines(trained)[0]


def test_a_provenance_that_was_edited_does_not_hide_the_failure(trained: Project) -> None:
    for path in trained.root.glob("__golden__/*/*/provenance-*.json"):
        path.write_text(path.read_text("utf-8").replace("helpers.inner", "helpers.other"), "utf-8")
    trained.write(HELPERS.replace("3.0", "4.0"), "helpers.py")
    result = trained.run("-k", "first")
    result.stdout.fnmatch_lines(
        ["*loss changed: the reason is unknown*", "*provenance-*.json is not the file that was recorded*"]
    )


def test_the_fixture_records_what_it_is_asked(project: Project) -> None:
    (project.root / "model.bin").write_bytes(b"weights")
    project.write(
        """
import os
def helper(): return 1

def test_m(golden, fingerprint):
    assert fingerprint({"a": 1}).digest == fingerprint({"a": 1}).digest
    fingerprint.data([1.0, float(os.environ["SOME_NUMBER"])], name="table")
    fingerprint.artifact("model.bin")
    fingerprint.code(helper)
    assert fingerprint.environment().kind == "environment"
    golden.check(float(os.environ["SOME_NUMBER"]), "score")
"""
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOME_NUMBER", "1.0")
        project.record()
        (path,) = project.root.glob("__golden__/*/*/provenance-*.json")
        areas = json.loads(path.read_text("utf-8"))
        assert [part["name"] for part in areas["data"]["parts"]] == ["fingerprint", "fingerprint [2]", "table"]
        assert [part["name"] for part in areas["artifacts"]["parts"]] == ["model.bin"]
        assert "test_m.helper" in [part["name"] for part in areas["code"]["parts"]]
        patch.setenv("SOME_NUMBER", "2.0")
        (line,) = first_lines(project)
    assert line.startswith("score changed: table")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is needed to record what runs")
def test_a_function_that_only_ran_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(project.root)
    project.write("def hidden(x):\n    return x + 1\n", "steps.py")
    project.write(
        "import importlib\n"
        "def test_m(golden): golden.check(getattr(importlib.import_module('st' + 'eps'), 'hid' + 'den')(1), 'score')"
    )
    project.record()
    project.write("def hidden(x):\n    return x + 2\n", "steps.py")
    (line,) = first_lines(project)
    assert line.startswith("score changed: steps.hidden changed; ")
