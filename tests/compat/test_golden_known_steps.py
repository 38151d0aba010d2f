"""Goldens with steps have had schema 2 from the start: recorded once, kept in the repository, never written anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_mlrepro.cli import main
from pytest_mlrepro.golden import history, store
from pytest_mlrepro.pipeline.facts import Tie
from tests.plugin.project import Project

KEPT = Path(__file__).parent / "golden-2"
PROJECT = """
import numpy as np
from pytest_mlrepro import Tolerance

def load():
    return {"X": np.arange(6, dtype="<f8").reshape(3, 2), "y": np.array([0.5, 1.0, 2.0])}

def clean(X):
    return X - X.mean(axis=0)

def train(X, y):
    return {"weights": X.T @ y, "steps": 4}

def refuse(X):
    raise KeyError("b")

def test_steps(pipeline, golden):
    data = pipeline.step("load", load)
    X = pipeline.step("clean", clean, data["X"], check=True)
    model = pipeline.step("train", train, X, data["y"], check=Tolerance(rtol=1e-6, atol=0.0))
    try:
        pipeline.step("refuse", refuse, X)
    except KeyError:
        pass
    golden.check(float(model["weights"].sum()), "sum")
"""
DIGEST = "mlrepro1-blake3:"


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    project = Project(pytester)
    project.write(PROJECT, "test_steps.py")
    shutil.copytree(KEPT / "__golden__", project.root / "__golden__")
    return project


def folder(root: Path) -> Path:
    (path,) = root.rglob("golden.json")
    return path.parent


def test_a_store_of_schema_2_is_whole() -> None:
    assert json.loads((folder(KEPT) / "golden.json").read_text("utf-8"))["schema"] == 2
    assert store.problems(folder(KEPT)) == []
    assert [entry["reason"] for entry in history.read(folder(KEPT))] == ["first recording", "four steps of training"]


def test_a_store_of_schema_2_is_checked_and_nothing_is_written_anew(project: Project) -> None:
    before = project.stored()
    for mode in (("--golden=check",), ("--golden=record",), ("--golden=update", "--golden-reason=x")):
        project.run(*mode).assert_outcomes(passed=1)
        assert project.stored() == before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("0.5, 1.0", "0.5, 1.5", "first step that parts: load (*, other code, *): *test_steps.load*"),
        ("X - X.mean", "2 * X - X.mean", "first step that parts: clean (*): *test_steps.clean*"),
        ('"steps": 4', '"steps": 5', "first step that parts: train (*): *test_steps.train*"),
        ("KeyError(", "IndexError(", "first step that parts: refuse (*): *test_steps.refuse*"),
        ("rtol=1e-6", "rtol=1e-5", "step 'train' is held to a looser tolerance than recorded"),
    ],
)
def test_a_change_against_a_store_of_schema_2_is_found(project: Project, old: str, new: str, told: str) -> None:
    assert old in PROJECT
    text = PROJECT.replace(old, new).replace("except KeyError", "except LookupError")
    project.write(text, "test_steps.py")
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{told}*"])


def test_steps_of_schema_2_have_known_answers() -> None:
    golden = store.load(folder(KEPT))
    assert golden is not None
    assert golden.seal == "blake3:66cc2d9e63c679a64a86d78716627a8c3c5576e54cf0d334c0c5840abf37ede6"
    _, clean, train, refuse = golden.steps
    assert [step.name for step in golden.steps] == ["load", "clean", "train", "refuse"]
    assert clean.output == golden.checks["step clean"].digest
    assert clean.output == f"{DIGEST}3c252121beccb308c7b7f5d684973dc7c97336860f6c4e8bfd1471cc01e6fe3e"
    assert {given.name: given.ties for given in train.inputs} == {
        "X": (Tie("clean"),),
        "y": (Tie("load", place="['y']"),),
    }
    assert (refuse.raised, train.raised) == ("KeyError", "")
    assert golden.checks["step train"].tolerance == {"atol": 0.0, "rtol": 1e-6}
    details = store.details_of(golden, folder(KEPT))
    assert set(details.steps) == {"load", "clean", "train", "refuse"}
    code = details.steps["load"].made_from.code
    assert code is not None
    assert code.digest != details.steps["train"].made_from.code.digest


def test_the_graph_of_schema_2_is_drawn(project: Project) -> None:
    done = CliRunner().invoke(main, ["--root", str(project.root), "lineage", "test_steps"])
    assert done.exit_code == 0, done.output
    assert "train" in done.output
    assert "load" in done.output
