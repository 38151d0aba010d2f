"""Goldens of every released schema stay readable: recorded once, kept in the repository, never written anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.golden import history, store
from pytest_mlrepro.values.node import Array
from tests.plugin.project import Project

KEPT = Path(__file__).parent / "golden-1"
PROJECT = """
import math
import numpy as np
from pytest_mlrepro import Tolerance

def test_values(golden):
    golden.check({"loss": [0.5, 0.1, -0.0, math.nan, -math.inf], "epochs": 3, "note": "é\\u2028", 1: None})
    golden.check(np.arange(6, dtype="<f4").reshape(2, 3) / 7, "weights", max_ulp=4)
    golden.check(np.array(["a", "", "ß"]), "labels")
    golden.check({"t": np.array(["2020-01-01", "NaT"], dtype="M8[ns]"), "z": (1 + 2j, b"\\0\\xff")}, "odd")
    golden.check({"head.w": 0.25, "head.b": 1e-3}, "layers", tolerance={"*.w": Tolerance(rtol=1e-3, atol=0.0)})
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    project = Project(pytester)
    project.write(PROJECT, "test_values.py")
    shutil.copytree(KEPT / "__golden__", project.root / "__golden__")
    return project


def folder(root: Path) -> Path:
    (path,) = root.rglob("golden.json")
    return path.parent


def test_a_store_of_schema_1_is_whole() -> None:
    assert json.loads((folder(KEPT) / "golden.json").read_text("utf-8"))["schema"] == 1
    assert store.problems(folder(KEPT)) == []
    assert [entry["reason"] for entry in history.read(folder(KEPT))] == [
        "first recording",
        "weights are thirds no more",
    ]


def test_a_store_of_schema_1_is_checked_and_nothing_is_written_anew(project: Project) -> None:
    before = project.stored()
    for mode in (("--golden=check",), ("--golden=record",), ("--golden=update", "--golden-reason=x")):
        project.run(*mode).assert_outcomes(passed=1)
        assert project.stored() == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("math.nan", "0.0"),
        ("/ 7", "/ 7.00001"),
        ("ß", "ss"),
        ("NaT", "2020-01-02"),
        ("0.25", "0.2508"),
        ("1e-3}", "1.001e-3}"),
        ("1: None", "2: None"),
        ('epochs": 3', 'epochs": 3.0'),
    ],
)
def test_a_change_against_a_store_of_schema_1_is_found(project: Project, old: str, new: str) -> None:
    assert old in PROJECT
    project.write(PROJECT.replace(old, new), "test_values.py")
    project.run().assert_outcomes(failed=1)


def test_values_of_schema_1_have_known_answers() -> None:
    golden = store.load(folder(KEPT))
    assert golden is not None
    assert golden.nodeid(folder(KEPT), KEPT) == "test_values.py::test_values"
    assert golden.seal == "blake3:c488931066b6775e65372f82a886d5ecde2e375e157d5188b9b61837120cb79f"
    weights = np.arange(6, dtype="<f4").reshape(2, 3) / np.float32(7)
    read = golden.checks["weights"].node(folder(KEPT))
    assert isinstance(read, Array)
    assert read.data.read(0, 6).tobytes() == weights.tobytes()
    assert golden.checks["weights"].digest == fingerprint(weights).digest
    assert golden.checks["weights"].tolerance == {"max_ulp": 4}
    assert {name: check.tolerance for name, check in golden.checks.items()}["layers"] == {
        "globs": {"*.w": {"atol": 0.0, "rtol": 0.001}}
    }
    first, second = history.read(folder(KEPT))
    assert (first["old"], first["new"], second["old"], second["new"]) == (
        None,
        second["old"],
        first["new"],
        golden.seal,
    )
    assert first["author"] == "A. Person <a@example.org>"
    assert second["time"] == "2023-11-14T23:13:20+00:00"
