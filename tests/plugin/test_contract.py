"""The fixture `contract` in projects of their own: learned, kept as text, edited, broken, loosened."""

from __future__ import annotations

import importlib
import json
import pkgutil
from pathlib import Path

import pytest
from _pytest.pytester import LineMatcher
from click.testing import CliRunner

from pytest_mlrepro.cli import main
from tests.plugin.project import Project

pytest.importorskip("pandas")
pytest.importorskip("narwhals")
pytest.importorskip("tomlkit")
for room in ("narwhals", "narwhals._pandas_like", "narwhals._compliant"):  # pytester forgets what an inner run imports
    for module in pkgutil.iter_modules(importlib.import_module(room).__path__, f"{room}."):
        importlib.import_module(module.name)

TEST = """
import os
import numpy as np
import pandas as pd

def table(seed, rows=400):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "id": np.arange(rows), "size": rng.random(rows), "colour": rng.choice(["red", "blue"], rows),
        "label": rng.integers(0, 2, rows),
    })

def test_data(contract):
    frame = table(0)
    frame.loc[[3, 5], "size"] += float(os.environ.get("SHIFT", "0"))
    contract.check(frame, "train", label="label")
"""


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture
def held(project: Project) -> Project:
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


def file_of(project: Project) -> Path:
    (found,) = project.root.glob("**/__golden__/**/train-*.toml")
    return found


def test_one_that_is_not_recorded_fails_and_is_proposed(project: Project) -> None:
    project.write(TEST)
    found = outcomes(project, failed=1)
    found.stdout.fnmatch_lines(["*golden 'train': no golden is recorded yet.*"])
    mlrepro(project, "accept", "test_data", "--reason", "first")
    assert 'values = ["blue", "red"]' in file_of(project).read_text("utf-8")
    outcomes(project, passed=1)


def test_it_is_kept_as_text_and_a_table_that_breaks_it_is_told(held: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "[columns.size]" in file_of(held).read_text("utf-8")
    outcomes(held, passed=1)
    monkeypatch.setenv("SHIFT", "9")
    found = outcomes(held, failed=1)
    found.stdout.fnmatch_lines(
        [
            "*train breaks its contract in one way:*",
            "*size: 2 of 400 rows are out of range (9.* in row 3, 9.* in row 5)*",
        ]
    )
    found.stdout.fnmatch_lines(["*mlrepro accept*"])


def test_accepting_loosens_it_as_far_as_the_table_needs_and_no_farther(
    held: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = file_of(held).read_text("utf-8")
    file_of(held).write_text(text.replace("[columns.size]", "# in metres\n[columns.size]"), "utf-8")
    monkeypatch.setenv("SHIFT", "9")
    outcomes(held, failed=1)
    mlrepro(held, "accept", "test_data", "--reason", "two giants")
    now = file_of(held).read_text("utf-8")
    assert "# in metres" in now
    assert now.count("values = [") == 1
    outcomes(held, passed=1)
    monkeypatch.setenv("SHIFT", "100")
    outcomes(held, failed=1)
    outcomes(held, "--golden=update", "--golden-reason", "giants grow", passed=1)
    outcomes(held, passed=1)
    mlrepro(held, "verify")


def test_an_edit_is_a_change_to_be_accepted(held: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = file_of(held).read_text("utf-8").splitlines()
    start = lines.index("[columns.size]")
    at = next(at for at in range(start, len(lines)) if lines[at].startswith("max"))
    file_of(held).write_text("\n".join([*lines[:at], "max = 50.0", *lines[at + 1 :]]) + "\n", "utf-8")
    found = outcomes(held, failed=1)
    found.stdout.fnmatch_lines(
        ["*the contract 'train' was edited since it was accepted: columns.size.max: 1.* → 50.0*"]
    )
    mlrepro(held, "accept", "test_data", "--reason", "there are giants")
    assert "max = 50.0" in file_of(held).read_text("utf-8")
    outcomes(held, passed=1)
    monkeypatch.setenv("SHIFT", "9")
    outcomes(held, passed=1)


def test_comments_are_no_change_and_mistakes_are_named(held: Project) -> None:
    text = file_of(held).read_text("utf-8")
    file_of(held).write_text(f"# agreed\n{text}", "utf-8")
    outcomes(held, passed=1)
    file_of(held).write_text(text.replace("max", "maximum", 1), "utf-8")
    found = outcomes(held, failed=1)
    found.stdout.fnmatch_lines(["*no field 'maximum': did you mean max?*"])
    file_of(held).unlink()
    outcomes(held, passed=1)


def test_a_struck_field_stays_struck_when_it_is_loosened(held: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    text = file_of(held).read_text("utf-8")
    file_of(held).write_text(text.replace("contradictions = 0.0\n", ""), "utf-8")
    found = outcomes(held, failed=1)
    found.stdout.fnmatch_lines(["*contradictions: 0.0 → not checked*"])
    mlrepro(held, "accept", "test_data", "--reason", "they are fine")
    monkeypatch.setenv("SHIFT", "9")
    outcomes(held, "--golden=update", "--golden-reason", "giants", passed=1)
    assert "contradictions" not in file_of(held).read_text("utf-8")


def test_the_verdict_is_on_record(held: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIFT", "9")
    held.run("--mlrepro-json", "out.jsonl")
    records = [json.loads(line) for line in (held.root / "out.jsonl").read_text("utf-8").splitlines()]
    (told,) = [record for record in records if record.get("kind") == "contract"]
    assert told["verdict"] == "broken"
    assert told["findings"] == [{"kind": "range", "columns": ["size"], "count": 2}]


def test_a_production_frame_is_held_to_what_training_data_taught(project: Project) -> None:
    few = 'contract.check(frame[:50], "train", of=lambda: frame, label="label")'
    project.write(TEST.replace('contract.check(frame, "train", label="label")', few))
    project.record()
    outcomes(project, passed=1)


def test_a_split_is_checked_too(project: Project) -> None:
    project.write(
        TEST.replace(
            '    contract.check(frame, "train", label="label")',
            '    test = table(1).assign(id=lambda data: data["id"] + 10_000)\n'
            '    contract.check_split(train=frame, test=test, key="id", label="label")\n'
            "    test.loc[:4] = frame.loc[10:14].to_numpy()\n"
            '    contract.check_split(train=frame, test=test, key="id", label="label")',
        )
    )
    found = outcomes(project, failed=1)
    found.stdout.fnmatch_lines(["*the split into train, test has*"])


def test_record_in_ci_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write(TEST)
    monkeypatch.setenv("CI", "true")
    outcomes(project, failed=1)
    assert not list(project.root.glob("**/*.toml"))


def test_diff_and_show_tell_the_fields(held: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIFT", "9")
    outcomes(held, failed=1)
    found = mlrepro(held, "diff", "test_data", status=1)
    found.fnmatch_lines(["the contract train is another one", "*columns.size.max: 1.* → 9.*"])
    assert sum("columns." in line for line in found.lines) == 1  # nothing else was loosened
    mlrepro(held, "show", "test_data").fnmatch_lines(["*train  contract of a table *", "*[[]columns.size[]]*"])


def test_nothing_can_be_accepted_for_what_no_contract_allows(project: Project) -> None:
    spoilt = "frame.loc[7, 'size'] *= float(os.environ.get('BY', '1'))"
    project.write(TEST.replace("contract.check(", f"{spoilt}; contract.check("))
    project.record()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BY", "inf")
        found = outcomes(project, failed=1)
    found.stdout.fnmatch_lines(["*size: 1 of 400 rows are infinite*"])
    assert "mlrepro accept" not in found.stdout.str()
    assert not list(project.root.glob(".mlrepro/pending/*/golden.json"))
