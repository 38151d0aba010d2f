"""SIGKILL at any moment of a recording leaves the old golden or the new one, whole."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pytest_mlrepro.compare.tolerance import tolerances
from pytest_mlrepro.golden import files, history, pending, store
from pytest_mlrepro.golden.record import Golden
from pytest_mlrepro.provenance.record import Provenance
from pytest_mlrepro.records import TestId
from pytest_mlrepro.values.describe import describe

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL"),
]

TESTS = """
import os
import numpy as np
import pytest

@pytest.mark.parametrize("n", range(3))
def test_m(golden, n):
    first = np.arange(400_000.0) + n + VERSION
    golden.check({"a": first, "b": first[::2] * 3, "version": VERSION}, "big")
    golden.check(n, "small")
"""
OPTIONS = ("-q", "-p", "pytest_mlrepro.plugin", "-p", "no:cacheprovider")
UPDATE = ("--golden=update", "--golden-reason", "another version")
NOT_CARRIED_OUT = ("was not carried out", "a recording was interrupted")
KILLS = 25


def start(root: Path, *args: str) -> subprocess.Popen[bytes]:
    (root / "tmp").mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *OPTIONS, *args],
        cwd=root,
        env={**os.environ, "TMPDIR": str(root / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def folders(root: Path) -> list[Path]:
    return sorted((root / "__golden__").glob("*/*"))


def version(folder: Path) -> int | None:
    """Return which version's golden lies in a folder, read without the package."""
    try:
        value = json.loads((folder / "golden.json").read_text("utf-8"))["checks"]["big"]["value"]
    except FileNotFoundError:
        return None
    return dict(value["group"]["parts"])["version"]["int"]


def killed(root: Path, args: tuple[str, ...], *, delay: float, writing: bool) -> bool:
    """Kill a run `delay` seconds after its start, or after it began to write; tell whether it was still at work."""
    before = {path: path.stat().st_mtime_ns for path in root.glob("__golden__/*/*/*")}
    process = start(root, *args)
    deadline = time.monotonic() + 60
    while writing and process.poll() is None and time.monotonic() < deadline:
        if {path: _mtime(path) for path in root.glob("__golden__/*/*/*")} != before:
            break
        time.sleep(0.0005)
    time.sleep(delay)
    at_work = process.poll() is None
    process.kill()
    process.wait(30)
    shutil.rmtree(root / "tmp")
    return at_work


def _mtime(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return -1


def assert_whole(root: Path, versions: tuple[int | None, ...]) -> None:
    for folder in folders(root):
        assert version(folder) in versions
        left = [text for text in store.problems(folder) if not any(words in text for words in NOT_CARRIED_OUT)]
        assert left == []


def assert_swept(root: Path) -> None:
    for folder in folders(root):
        assert store.problems(folder) == []
        checks = store.load(folder).checks  # type: ignore[union-attr]  # asserted whole above
        files = {entry["file"] for check in checks.values() for entry in check.files()}
        assert {path.name for path in folder.iterdir()} == {"golden.json", "history.jsonl"} | files


def moments(seed: int) -> list[tuple[float, bool]]:
    """Return when to kill, as shares: a quarter over the whole life of the process, the rest over its writing."""
    draw = random.Random(seed)
    return [(draw.random(), number >= KILLS // 4) for number in range(KILLS)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    write(tmp_path, 1)
    return tmp_path


def write(root: Path, number: int) -> None:
    (root / "test_m.py").write_text(TESTS.replace("VERSION", str(number)))


def finished(root: Path, *args: str) -> float:
    began = time.monotonic()
    assert start(root, *args).wait(60) == 0
    return time.monotonic() - began


@pytest.mark.parametrize("mode", ["record", "update"])
def test_a_kill_at_any_moment_leaves_the_old_golden_or_the_new_one(project: Path, mode: str) -> None:
    duration = finished(project, "--golden=record")
    old = shutil.copytree(project / "__golden__", project / "old")
    args: tuple[str, ...] = ("--golden=record",)
    versions: tuple[int | None, ...] = (None, 1)
    if mode == "update":
        write(project, 2)
        args, versions = UPDATE, (1, 2)
    at_work, spans = 0, {False: duration * 1.05, True: duration * 0.45}
    for share, writing in moments(50):
        shutil.rmtree(project / "__golden__", ignore_errors=True)
        if mode == "update":
            shutil.copytree(old, project / "__golden__")
        in_time = killed(project, args, delay=share * spans[writing], writing=writing)
        at_work += in_time
        spans[writing] *= 1 if in_time else 0.8  # the first run was a cold one, or the machine is less busy by now
        assert_whole(project, versions)
    assert at_work > KILLS // 3, "the kills came too late to prove anything"
    finished(project, *args)
    assert len(folders(project)) == 3
    assert {version(folder) for folder in folders(project)} == {versions[1]}
    assert_swept(project)


def test_kills_that_follow_each_other_are_mended_by_one_run(project: Path) -> None:
    duration = finished(project, "--golden=record")
    for number in range(2, 6):
        write(project, number)
        killed(project, UPDATE, delay=duration * 0.1 * number, writing=True)
        assert_whole(project, tuple(range(1, number + 1)))
    finished(project, *UPDATE)
    assert_swept(project)


@pytest.mark.parametrize("step", [2, 7, 8, 10, 12, 13])
def test_a_kill_at_each_step_of_a_write_is_mended_by_the_next_run(project: Path, step: int) -> None:
    """Each step is a rename, a removal or a forcing to disk in the golden's folder, and the process dies just before."""
    finished(project, "--golden=record", "-k", "m[0]")
    write(project, 2)
    (project / "conftest.py").write_text(KILLER.replace("STEP", str(step)))
    assert start(project, *UPDATE, "-k", "m[0]").wait(60) == (-signal.SIGKILL if step < STEPS else 0)
    assert_whole(project, (1, 2))
    (project / "conftest.py").unlink()
    finished(project, *UPDATE, "-k", "m[0]")
    assert_swept(project)


def save(root: Path, number: int) -> Path:
    folder = root / "__golden__" / "test_m" / "test_m-01234567"
    staging = store.Staging()
    node = describe({"a": np.arange(50.0) + number, "version": number})
    staging.add("big", node, tolerances())
    staging.made_from(Provenance(commit=f"{number:040}"))
    golden = Golden.of(TestId(root / "test_m.py", "test_m"), folder, staging.checks)
    store.save(folder, golden, staging.folder, action="update", reason="x", change=None, root=root)
    staging.discard()
    return folder


WRITERS = {module.__file__ for module in (files, history, pending, store, shutil)}


def dies_at(line: int, write: Callable[[], object]) -> bool:
    """Write in a child that dies before the given line of the writing code; tell whether it died, and so was not through."""
    child = os.fork()
    if child == 0:
        left = [line]

        def trace(frame, event, argument):
            if frame.f_code.co_filename not in WRITERS:
                return None
            if event == "line":
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        write()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
@pytest.mark.parametrize("old", [None, 1])
def test_a_kill_before_each_line_of_the_writing_code_leaves_the_old_golden_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: int | None
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(history, "ask_git", lambda *arguments: "somebody")
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # slow, and a killed process loses nothing written
    seen: set[int | None] = set()
    for line in range(10_000):
        root = tmp_path / str(line)
        (root / "__golden__" / "test_m").mkdir(parents=True)
        if old is not None:
            save(root, old)
        if not dies_at(line, lambda root=root: save(root, 2)):
            break
        assert_whole(root, (old, 2))
        seen |= {version(folder) for folder in folders(root)}
        save(root, 2)
        store.tidy(folders(root)[0])
        assert_swept(root)
    assert line > 100
    assert seen == {old, 2}


def proposed(root: Path) -> pending.Proposal:
    """Record the first version, and propose the second."""
    folder = save(root, 1)
    staging = store.Staging()
    node = describe({"a": np.arange(50.0) + 2, "version": 2})
    staging.add("big", node, tolerances())
    staging.made_from(Provenance(commit=f"{2:040}"))
    old, test = store.load(folder), TestId(root / "test_m.py", "test_m")
    golden = Golden.of(test, folder, staging.checks)
    words = {"test": "test_m.py::test_m", "change": "other", "why": "", "code": {}, "told": {}}
    pending.propose(root, folder, old, golden, arrays=staging.files(), **words)
    staging.discard()
    (proposal,) = pending.read_all(root)
    return proposal


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_kill_before_each_line_of_an_acceptance_leaves_the_proposal_or_the_new_golden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(history, "ask_git", lambda *arguments: "somebody")
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # slow, and a killed process loses nothing written
    monkeypatch.setattr(
        pending, "leaf", lambda *arguments: "test_m-01234567"
    )  # `save` gives its golden a name of its own
    kept = 0
    for line in range(10_000):
        root = tmp_path / str(line)
        (root / "__golden__" / "test_m").mkdir(parents=True)
        proposal = proposed(root)
        if not dies_at(line, lambda proposal=proposal, root=root: pending.accept(proposal, root=root, reason="x")):
            break
        assert_whole(root, (1, 2))
        (folder,) = folders(root)
        waiting = (proposal.folder / "proposal.json").exists()
        assert waiting == bool(pending.read_all(root))
        kept += waiting
        if not waiting:  # it goes last: the golden is the new one, and its history says so
            assert version(folder) == 2
            assert store.problems(folder) == []
        else:
            pending.accept(proposal, root=root, reason="x")
        assert version(folder) == 2
        assert store.problems(folder) == []
        shutil.rmtree(root)
    assert line > 100
    assert kept > 50
    assert not proposal.folder.exists()


STEPS = 13
KILLER = """
import os, signal, sys
left = [STEP]
def hook(event, args):
    if event in ("os.rename", "os.remove") and any("__golden__" in os.fsdecode(a) for a in args[:2] if isinstance(a, (str, bytes))):
        step()
def step():
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
def fsync(descriptor, real=os.fsync):
    if "__golden__" in os.readlink(f"/proc/self/fd/{descriptor}"):
        step()
    real(descriptor)
os.fsync = fsync
sys.addaudithook(hook)
"""
