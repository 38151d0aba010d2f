"""Ctrl-C while goldens are recorded, by a real signal at any moment: the store is whole, and the end says what was done."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_mlrepro.golden import store
from pytest_mlrepro.golden.suite import golden_folders
from tests.e2e.checkout import Checkout

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a process can't be sent a Ctrl-C of its own there")

TEST = """
import time
from pathlib import Path
import numpy as np
import pytest

@pytest.mark.parametrize("n", range(6))
def test_m(golden, n):
    (Path(__file__).parent / f"began-{n}").touch()
    time.sleep(0.15)
    golden.check(np.arange(60_000.0) + n, "big")
    golden.check(float(n), "small")
    if n == 3:
        (Path(__file__).parent / "at").touch()
        time.sleep(WAIT)
"""
INI = "[pytest]\naddopts = -p pytest_mlrepro.plugin -p no:cacheprovider\nmlrepro_store = store\nmlrepro_store_limit = 64 KiB\n"


def interrupted(checkout: Checkout, moment: Path | float, *options: str) -> tuple[int, str]:
    """Record, and send a SIGINT once a file is there, or so many seconds after the first test began."""
    child = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--golden=record", *options],
        cwd=checkout.root, env=checkout.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    first = moment if isinstance(moment, Path) else checkout.root / "began-0"
    until = time.monotonic() + 60
    while not first.exists() and time.monotonic() < until:
        time.sleep(0.01)
    if not isinstance(moment, Path):
        time.sleep(moment)
    os.killpg(child.pid, signal.SIGINT)
    said, _ = child.communicate(timeout=60)
    return child.returncode, said


def wholes(root: Path) -> int:
    """Return how many goldens there are; each must be whole, and nothing of a write that broke off may lie beside it."""
    folders = [folder for folder in golden_folders(root) if (folder / "golden.json").exists()]
    for folder in folders:
        assert not store.problems(folder)
    return len(folders)


def test_what_was_finished_stays_and_is_told(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "p", {"pytest.ini": INI, "test_m.py": TEST.replace("WAIT", "60")})
    code, said = interrupted(checkout, tmp_path / "p" / "at")
    assert code == 2, said
    assert "KeyboardInterrupt" in said
    assert "interrupted in test_m.py::test_m[3]: 3 of 6 tests were finished" in said
    assert "golden checks: 6 recorded" in said
    assert "  test_m.py::test_m[2]" in said
    assert "to go on with those that are missing:  pytest --golden=record" in said
    assert wholes(checkout.root) == 3
    checkout.write("test_m.py", TEST.replace("WAIT", "0"))
    done = checkout.run("-m", "pytest", "--golden=record")
    assert done.returncode == 0, done.stdout
    assert "6 passed, 6 recorded" in done.stdout
    assert wholes(checkout.root) == 6


def test_workers_leave_a_whole_store_too(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    checkout = Checkout(tmp_path / "p", {"pytest.ini": INI, "test_m.py": TEST.replace("WAIT", "60")})
    code, said = interrupted(checkout, tmp_path / "p" / "at", "-p", "xdist", "-n", "2")
    assert code == 2, said
    assert "interrupted: " in said
    wholes(checkout.root)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_any_moment_leaves_the_old_or_the_new(seed: int, tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "p", {"pytest.ini": INI, "test_m.py": TEST.replace("WAIT", "0")})
    code, said = interrupted(checkout, random.Random(seed).uniform(0, 2.2))
    assert code in (0, 2, -signal.SIGINT), said  # the last: after the end of the run, while Python shuts down
    found = wholes(checkout.root)
    assert said.count("  test_m.py::test_m[") >= found - 1, "at most the one that was being written is not told of"
    checkout.record()
    assert wholes(checkout.root) == 6
    assert not list((checkout.root / "store").rglob("*.tmp"))
