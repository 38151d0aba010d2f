"""What a long check says while it runs: over one line on a terminal, in lines of its own in a log, nothing with -q."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = "import pytest_mlrepro.integration.progress as progress\nprogress.PATIENCE = progress.REDRAWN = 0\n"
TEST = """
import numpy as np
from pytest_mlrepro import Linf

def predict(x):
    return (x.sum(axis=1) > 0).astype(int)

def test_first():
    pass

def test_long(robustness):
    x = np.random.default_rng(0).normal(size=(60, 2))
    robustness.check(predict, x, predict(x), Linf(0.1), min_accuracy=0.1, complete=True)
"""
SAID = "test_long, Linf(0.1): "


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_long.py").write_text(TEST)
    return tmp_path


def run(project: Path, *options: str, terminal: bool = False) -> str:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "pytest_mlrepro.plugin",
        "-p",
        "no:cacheprovider",
        *options,
        str(project),
    ]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    if not terminal:
        return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True).stdout
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    child = subprocess.Popen(command, cwd=project, env=environment, stdout=theirs, stderr=theirs)
    os.close(theirs)
    out = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        out += part
    os.close(ours)
    assert child.wait() == 0
    return out.decode()


def test_a_log_gets_lines(project: Path) -> None:
    out = run(project)
    lines = [line for line in out.splitlines() if line.startswith(SAID)]
    assert len(lines) == 1, "the next one would come half a minute later"
    assert " of " in lines[0]
    assert "have fallen" in lines[0]
    assert "\x1b" not in out


def test_quiet_is_quiet(project: Path) -> None:
    assert SAID not in run(project, "-q")


def test_workers_say_nothing(project: Path) -> None:
    pytest.importorskip("xdist")
    out = run(project, "-p", "xdist", "-n", "1")
    assert SAID not in out
    assert "2 passed" in out


def screen_after(out: str) -> str:
    """Return what a terminal shows after such output."""
    screen: list[list[str]] = [[]]
    row = column = 0
    at = 0
    while at < len(out):  # the few things that a terminal does with this output
        if out.startswith("\x1b[A", at):
            row, at = row - 1, at + 3
        elif out.startswith("\x1b[K", at):
            screen[row], at = screen[row][:column], at + 3
        elif out.startswith("\x1b[", at):
            end = at + 2
            while out[end] in "0123456789;":
                end += 1
            column += int(out[at + 2 : end]) if out[end] == "C" else 0
            at = end + 1
        elif out[at] == "\r":
            column, at = 0, at + 1
        elif out[at] == "\n":
            row, at = row + 1, at + 1
            screen += [[]] * (row == len(screen))
            screen[row] = list(screen[row])
        else:
            line = screen[row] + [" "] * (column + 1 - len(screen[row]))
            line[column] = out[at]
            screen[row] = line
            column, at = column + 1, at + 1
    return "\n".join("".join(line).rstrip() for line in screen)


def test_a_terminal_shows_one_line_that_goes_away(project: Path) -> None:
    out = run(project, terminal=True)
    assert out.count(SAID) > 1
    shown = screen_after(out)
    assert SAID not in shown
    assert "test_long.py .." in shown


def test_a_callback_of_the_users_own_is_left_alone(project: Path) -> None:
    (project / "test_long.py").write_text(
        TEST.replace("complete=True", "complete=True, progress=TOLD.append").replace(
            "def predict", "TOLD = []\ndef predict"
        )
        + "    assert TOLD\n"
    )
    out = run(project)
    assert "2 passed" in out
    assert SAID not in out


RECORDED = """
import pytest
import numpy as np

@pytest.mark.repro(reruns=3)
def test_slow(golden, repro):
    for epoch in range(3):
        repro.checkpoint("epoch", epoch)
    golden.check(np.arange(4.0), "loss")

def test_large(golden):
    golden.check(np.arange(5_000_000.0), "big", rtol=1e-6, atol=0.0)
"""


def test_runs_of_a_test_and_long_comparisons_are_told(project: Path) -> None:
    (project / "test_long.py").write_text(RECORDED)
    (project / "conftest.py").write_text(CONFTEST + "progress.LOGGED = 0\n")
    out = run(project, "--golden=record")
    assert "2 passed" in out
    lines = [line for line in out.splitlines() if line.startswith("test_")]
    for said in (
        "test_slow: run 1 of 3, not the one that counts, 0 s",
        "test_slow: run 2 of 3, not the one that counts, at golden 'loss', 0 s",
        "test_slow: run 3 of 3, the one that counts, 0 s",
        "test_large: run 2 of 2, the one that counts, at golden 'big', 0 s",
    ):
        assert said in lines, out
    (project / "test_long.py").write_text(RECORDED.replace("5_000_000.0", "5_000_000.0) * (1 + 1e-9"))
    out = run(project)
    assert "2 passed" in out
    assert "of 5,000,000 elements with the golden, 0 s" in out
    assert "compared" not in run(project, "-q")


def test_what_is_told_of_runs_goes_away_on_a_terminal(project: Path) -> None:
    (project / "test_long.py").write_text(RECORDED)
    out = run(project, "--golden=record", terminal=True)
    assert "run 3 of 3" in out
    assert "2 passed" in screen_after(out)
    assert "run 3 of 3" not in screen_after(out)
