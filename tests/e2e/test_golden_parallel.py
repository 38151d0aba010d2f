"""Goldens in company: with pytest-xdist and other plugins, in any order, the verdicts are the same and no file changes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
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

if SHIFT:
    def test_missing(golden):
        golden.check(1)
else:
    def test_missing():
        pass

@pytest.mark.parametrize("n", range(3))
def test_right(golden, n):
    golden.check(n)

def test_without_golden():
    pass
"""


ENVIRONMENT = {
    "COLUMNS": "200",
    "NO_COLOR": "1",
    "PYTEST_ADDOPTS": "",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # each run names its plugins
    "PYTHONDONTWRITEBYTECODE": "1",
    "SOURCE_DATE_EPOCH": "1700000000",
}


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
        environment = {**os.environ, **ENVIRONMENT}
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, encoding="utf-8", timeout=100, check=False
        )
        assert done.returncode in (0, 1, 2), done.stdout + done.stderr
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


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Record once for all tests; return where, and the verdicts of a plain run after the shift."""
    root = tmp_path_factory.mktemp("template")
    runs = Runs(root)
    verdicts = runs.run("--golden=record", "-p", "no:cacheprovider")
    assert set(verdicts.values()) == {"PASSED"}
    assert len(verdicts) == 11
    goldens = shutil.copytree(root / "__golden__", root / "kept")
    runs.shift(1)
    expected = runs.run("-p", "no:cacheprovider")
    assert sorted(expected.values()).count("FAILED") == 2
    return goldens, expected


@pytest.fixture
def recorded(runs: Runs, template: tuple[Path, dict[str, str]]) -> Runs:
    shutil.copytree(template[0], runs.root / "__golden__")
    return runs


@pytest.fixture
def expected(template: tuple[Path, dict[str, str]]) -> dict[str, str]:
    return template[1]


XDIST = ("-p", "xdist")
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
    "random order": (*RANDOMLY, "-p", "no:cacheprovider"),
    "random order, another seed": (*RANDOMLY, "--randomly-seed=7"),
    "parallel": (*XDIST, "-n4"),
    "parallel, random order": (*XDIST, *RANDOMLY, "-n4"),
    "by file": ("test_b.py", "test_a.py"),
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


def needed(args: tuple[str, ...]) -> None:
    """Skip where a plugin that a way names is not installed."""
    names = {"xdist": "xdist", "randomly": "pytest_randomly"}
    for name in args:
        if name in names or name.startswith("pytest_"):
            pytest.importorskip(names.get(name, name))


@pytest.mark.parametrize("way", WAYS)
def test_verdicts_are_the_same_in_every_way_and_no_golden_is_touched(
    recorded: Runs, expected: dict[str, str], way: str
) -> None:
    needed(WAYS[way])
    before = recorded.tree()
    passing = recorded.run(*WAYS[way], "-p", "no:cacheprovider")
    assert set(passing.values()) == {"PASSED"}
    recorded.shift(1)
    assert recorded.run(*WAYS[way]) == expected
    assert recorded.tree() == before


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_tests_has_the_verdicts_that_it_has_in_the_whole_and_no_golden_is_touched(
    recorded: Runs, expected: dict[str, str], part: str
) -> None:
    needed(PARTS[part])
    before = recorded.tree()
    recorded.shift(1)
    found = recorded.run(*PARTS[part])
    assert found
    assert found.items() <= expected.items()
    assert "obsolete" not in recorded.output
    assert recorded.tree() == before


def test_failed_ones_first_or_alone_have_the_same_verdicts_and_no_golden_is_touched(
    recorded: Runs, expected: dict[str, str]
) -> None:
    before = recorded.tree()
    recorded.shift(1)
    recorded.run()
    failed = {nodeid: verdict for nodeid, verdict in expected.items() if verdict == "FAILED"}
    assert recorded.run("--lf") == failed
    assert recorded.run("--ff") == expected
    recorded.shift(0)
    assert set(recorded.run("--lf").values()) == {"PASSED"}
    assert "obsolete" not in recorded.output
    assert recorded.tree() == before


@pytest.mark.parametrize(
    "args", [("--golden=record", "-k", "right"), ("--golden=record", "-x", "test_a.py")], ids=" ".join
)
def test_recording_a_part_adds_what_is_missing_and_leaves_the_rest_as_it_was(
    recorded: Runs, args: tuple[str, ...]
) -> None:
    before = recorded.tree()
    recorded.run(*args)
    assert recorded.tree() == before


def test_reruns_of_a_failed_test_begin_with_a_case_of_their_own(runs: Runs) -> None:
    pytest.importorskip("pytest_rerunfailures")
    for name in ("test_a.py", "test_b.py"):
        (runs.root / name).unlink()
    (runs.root / "test_c.py").write_text(
        "import itertools\nCOUNT = itertools.count()\n"
        "def test_m(golden):\n    golden.check(1, 'a')\n    assert next(COUNT) >= AFTER\n".replace("AFTER", "0")
    )
    runs.run("--golden=record")
    before = runs.tree()
    (runs.root / "test_c.py").write_text((runs.root / "test_c.py").read_text().replace(">= 0", ">= 2"))
    assert runs.run("-p", "pytest_rerunfailures", "--reruns=3") == {"test_c.py::test_m": "PASSED"}
    assert runs.tree() == before


@pytest.mark.parametrize("mode", [("--golden=record",), ("--golden=update", "--golden-reason=x")], ids=" ".join)
@pytest.mark.parametrize(
    "plugin", ["pytest_rerunfailures --reruns=2", "pytest_repeat --count=2", "pytest_timeout --timeout=60"]
)
def test_recording_beside_another_plugin_gives_the_same_goldens(runs: Runs, plugin: str, mode: tuple[str, ...]) -> None:
    name, option = plugin.split()
    pytest.importorskip(name)
    runs.run("--golden=record")
    before = {Path(path).name: data for path, data in runs.tree().items() if not path.endswith("history.jsonl")}
    for path in sorted((runs.root / "__golden__").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    verdicts = runs.run("-p", name, option, *mode)
    assert set(verdicts.values()) == {"PASSED"}, runs.output
    if name != "pytest_repeat":  # which gives each repetition a name of its own, and so a golden
        after = {Path(path).name: data for path, data in runs.tree().items() if not path.endswith("history.jsonl")}
        assert after == before
    runs.run("-p", name, option)
    assert " failed" not in runs.output
