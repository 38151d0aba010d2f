"""Goldens in company: with pytest-xdist and other plugins, in any order, the verdicts are the same and no file changes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ENOUGH = pytest.mark.skipif(find_spec("xdist") is None, reason="needs pytest-xdist")

CHECKED = """
import numpy as np
import pytest

class TestModel:
    @pytest.mark.parametrize("n", range(4))
    def test_weights(self, golden, repro, n):
        golden.check({"w": np.arange(9.0) * n, "draw": repro.rng.random(), "global": np.random.rand()}, "weights")
        golden.check([0.5, 0.25, 0.1 * n], "loss")

def test_unnamed(golden):
    golden.check(3)
"""
MIXED = """
import numpy as np
import pytest
from tests_shift import SHIFT

def test_changed(golden):
    golden.check(np.arange(4.0) + SHIFT)

def test_missing(request):
    if SHIFT:
        request.getfixturevalue("golden").check(1)

@pytest.mark.parametrize("n", range(3))
def test_right(golden, n):
    golden.check(n)

def test_without_golden():
    pass
"""
SELECTED = {"weights": "weights", "right": "right"}


class Runs:
    """Runs of pytest, in processes of their own, in one project."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "pytest.ini").write_text("[pytest]\nmarkers =\n    repro\n")
        (root / "test_a.py").write_text(CHECKED)
        (root / "test_b.py").write_text(MIXED)
        self.shift(0)

    def shift(self, number: int) -> None:
        (self.root / "tests_shift.py").write_text(f"SHIFT = {number}\n")

    def run(self, *args: str) -> dict[str, str]:
        """Return the verdict of each test, by node id."""
        command = [sys.executable, "-m", "pytest", "-p", "pytest_mlrepro.plugin", "-v", "-rN", *args]
        environment = {
            **os.environ,
            "SOURCE_DATE_EPOCH": "1700000000",
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "200",
        }
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, encoding="utf-8", timeout=100, check=False
        )
        assert done.returncode in (0, 1), done.stdout + done.stderr
        assert "INTERNALERROR" not in done.stdout
        self.output = done.stdout
        flat = re.findall(
            r"^(?:\[gw\d+\].*?% *\] )?(PASSED|FAILED|ERROR)? ?(test_\w\.py::\S+)(?: (PASSED|FAILED|ERROR))?",
            done.stdout,
            re.M,
        )
        return {nodeid: before or after for before, nodeid, after in flat if before or after}

    def tree(self) -> dict[str, bytes]:
        """Return every file of the goldens."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted((self.root / "__golden__").rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


@pytest.fixture
def recorded(runs: Runs) -> Runs:
    verdicts = runs.run("--golden=record")
    assert set(verdicts.values()) == {"PASSED"}
    assert len(verdicts) == 11
    return runs


XDIST = ("-p", "xdist.plugin")
RANDOMLY = ("-p", "randomly")


@ENOUGH
@pytest.mark.parametrize("how", [("-n4",), ("-n4", "--dist=worksteal"), ("-n2", "--dist=loadfile")], ids=" ".join)
def test_recording_in_parallel_gives_the_same_bytes_as_serial_recording(
    runs: Runs, tmp_path_factory: pytest.TempPathFactory, how: tuple[str, ...]
) -> None:
    runs.run("--golden=record")
    other = Runs(tmp_path_factory.mktemp("parallel"))
    other.run("--golden=record", *XDIST, *how)
    assert len(runs.tree()) >= 2 * 9
    assert other.tree() == runs.tree()


@ENOUGH
def test_updating_in_parallel_gives_the_same_bytes_as_serial_updating(
    recorded: Runs, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Runs(tmp_path_factory.mktemp("parallel"))
    other.run("--golden=record", *XDIST, "-n4")
    for project, how in ((recorded, ()), (other, (*XDIST, "-n4"))):
        before = project.tree()
        project.shift(1)
        project.run("--golden=update", "--golden-reason", "shifted", *how)
        assert project.tree() != before
    assert other.tree() == recorded.tree()


WAYS = {
    "plain": (),
    "no cache": ("-p", "no:cacheprovider"),
    "random order": (*RANDOMLY, "-p", "randomly", "-p", "no:cacheprovider"),
    "random order, another seed": (*RANDOMLY, "-p", "no:cacheprovider", "-p", "randomly"),
    "parallel": (*XDIST, "-n4"),
    "parallel, random order": (*XDIST, *RANDOMLY, "-n4"),
    "by file": ("test_b.py", "test_a.py"),
    "repeated": ("-p", "pytest_repeat", "--count=2"),
    "rerun": ("-p", "pytest_rerunfailures", "--reruns=2"),
    "time limit": ("-p", "pytest_timeout", "--timeout=60"),
    "time limit in a thread": ("-p", "pytest_timeout", "--timeout=60", "--timeout-method=thread"),
}
PARTS = {
    "-k": ("-k", "right or unnamed"),
    "node id": ("test_a.py::TestModel::test_weights[2]",),
    "-x": ("-x",),
    "-x in parallel": (*XDIST, "-n4", "-x"),
    "--deselect": ("--deselect", "test_b.py::test_changed"),
    "--ignore": ("--ignore", "test_b.py"),
    "-m": ("-m", "not repro"),
}
