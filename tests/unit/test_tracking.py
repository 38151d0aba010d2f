"""Which files a stretch of a program opens, and which of them count."""

import asyncio
import io
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pytest_mlrepro.tracking import FileTracker, events

POSIX = pytest.mark.skipif(os.name == "nt", reason="forks and descriptors of POSIX")


@pytest.fixture
def root(tmp_path, monkeypatch):
    root = tmp_path / "project"
    for name in ("a.csv", "b.bin", "data/c.csv"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def tracker(root):
    with FileTracker([root]) as tracker:
        yield tracker


def opened(tracker, work):
    with tracker.tracking() as seen:
        work()
    return names(tracker, seen)


def names(tracker, seen):
    root = Path.cwd()
    return tuple([path.relative_to(root).as_posix() for path in paths] for paths in (seen.read, seen.written))


@pytest.mark.parametrize(
    "work",
    [
        lambda root: open("a.csv").close(),
        lambda root: open(b"a.csv", "rb").close(),
        lambda root: open(root / "a.csv").close(),
        lambda root: open(str(root / "a.csv"), buffering=0, mode="rb").close(),
        lambda root: io.FileIO("a.csv").close(),
        lambda root: io.open_code(str(root / "a.csv")).close(),
        lambda root: pathlib.Path("./data/../a.csv").read_bytes(),
        lambda root: os.close(os.open("a.csv", os.O_RDONLY)),
        lambda root: os.close(os.open(b"a.csv", os.O_RDONLY)),
        lambda root: open(os.open("a.csv", os.O_RDONLY)).close(),
        lambda root: open("a.csv", opener=os.open).close(),
        lambda root: shutil.copyfile("a.csv", os.devnull),
        lambda root: asyncio.run(asyncio.to_thread(Path("a.csv").read_text)),
        lambda root: threaded(Path("a.csv").read_text),
        lambda root: [open("a.csv").close() for _ in range(3)] + [open(root / "a.csv").close()],
    ],
)
def test_reading_is_noticed(tracker, root, work):
    assert opened(tracker, lambda: work(root)) == (["a.csv"], [])


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="a descriptor's path is asked of /proc")
def test_a_descriptor_that_was_opened_before(tracker):
    descriptor = os.open("a.csv", os.O_RDONLY)
    assert opened(tracker, lambda: open(descriptor).close()) == (["a.csv"], [])
    read, write = os.pipe()
    os.close(write)
    assert opened(tracker, lambda: open(read).close()) == ([], [])


def threaded(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def rewrite(path, text):
    Path(path).write_text(text)


@pytest.mark.parametrize(
    ("work", "read", "written"),
    [
        (lambda: rewrite("new", ""), [], ["new"]),
        (lambda: rewrite("a.csv", ""), [], ["a.csv"]),
        (lambda: open("a.csv", "a").close(), [], ["a.csv"]),
        (lambda: open("new", "x").close(), [], ["new"]),
        (lambda: open("a.csv", "r+").close(), ["a.csv"], ["a.csv"]),
        (lambda: open("a.csv", "a+").close(), ["a.csv"], ["a.csv"]),
        (lambda: open("a.csv", "w+").close(), [], ["a.csv"]),
        (lambda: open("new", "a+").close(), [], ["new"]),
        (lambda: os.close(os.open("new", os.O_WRONLY | os.O_CREAT)), [], ["new"]),
        (lambda: os.close(os.open("new", os.O_RDWR | os.O_CREAT | os.O_EXCL)), [], ["new"]),
        (lambda: (rewrite("new", "x"), Path("new").read_text()), [], ["new"]),
        (lambda: (rewrite("new", "x"), Path("data/../new").read_text()), [], ["new"]),
        (lambda: (rewrite(Path("new").absolute(), "x"), Path("new").read_text()), [], ["new"]),
        (lambda: (Path("a.csv").read_text(), rewrite("a.csv", "x")), ["a.csv"], ["a.csv"]),
        (lambda: (rewrite("tmp", "x"), os.replace("tmp", "b.bin"), Path("b.bin").read_text()), [], ["b.bin"]),
        (lambda: (os.symlink("a.csv", "l"), Path("l").read_text()), [], ["l"]),
        (lambda: shutil.copy("a.csv", "new"), ["a.csv"], ["new"]),
        (lambda: (rewrite("new", "x"), os.remove("new")), [], []),
        (lambda: missing("nothing"), [], []),
        (lambda: os.listdir("data"), [], []),
        (
            lambda: os.close(os.open("a.csv", getattr(os, "O_PATH", os.O_WRONLY))),
            [],
            [] if hasattr(os, "O_PATH") else ["a.csv"],
        ),
        (lambda: os.close(os.open("data", os.O_RDONLY)), [], []),
        (lambda: sqlite3.connect(":memory:").close(), [], []),
        (lambda: sqlite3.connect("b.bin").close(), ["b.bin"], []),
        (lambda: sqlite3.connect("file:b.bin?mode=ro", uri=True).close(), ["b.bin"], []),
        (lambda: database("new.db"), [], ["new.db"]),
    ],
)
def test_what_is_input_and_what_is_output(tracker, work, read, written):
    assert opened(tracker, work) == (read, written)


def missing(path):
    with pytest.raises(FileNotFoundError), open(path):
        pass


def database(path):
    connection = sqlite3.connect(path)
    connection.execute("create table t (x)")
    connection.close()


def test_a_link_keeps_the_name_that_it_was_opened_by(tracker, root, tmp_path):
    (tmp_path / "store").write_text("x")
    (root / "data" / "linked.csv").symlink_to(tmp_path / "store")
    (tmp_path / "way in").symlink_to(root)
    assert opened(tracker, lambda: Path("data/linked.csv").read_text()) == (["data/linked.csv"], [])
    assert opened(tracker, lambda: (tmp_path / "way in" / "a.csv").read_text()) == (["a.csv"], [])


def test_relative_paths_hold_for_the_folder_of_their_moment(tracker, root):
    def work():
        os.chdir("data")
        Path("c.csv").read_text()
        os.chdir(root)
        Path("a.csv").read_text()

    assert opened(tracker, work) == (["a.csv", "data/c.csv"], [])


@pytest.mark.parametrize(
    "name",
    [
        *("m.py", "__pycache__/m.pyc", "x/.pytest_cache/v", ".git/HEAD", ".mlrepro/pending/x/golden.json", "native.so"),
        *("x/__golden__/m/golden.json", ".venv/a", "lib/site-packages/p/data.csv", ".hypothesis/x", ".coverage"),
        *("golden/kept.json", "golden/deep/kept.json"),
    ],
)
def test_what_is_left_out(root, name):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    with FileTracker([root], excluded=[root / "golden"]) as tracker:
        assert opened(tracker, lambda: (path.read_text(), path.write_text(""))) == ([], [])
        assert opened(tracker, lambda: Path("a.csv").read_text()) == (["a.csv"], [])


def test_files_elsewhere_do_not_count(tracker, tmp_path):
    (tmp_path / "project 2").mkdir()
    (tmp_path / "project 2" / "a.csv").write_text("x")
    assert opened(tracker, lambda: (tmp_path / "project 2" / "a.csv").read_text()) == ([], [])
    assert opened(tracker, lambda: Path("../project 2/a.csv").read_text()) == ([], [])
    assert opened(tracker, lambda: Path(os.devnull).read_text()) == ([], [])


def test_the_innermost_folder_decides(root):
    for name in ("tmp/x", "tmp/data/y", "tmp/data/tmp/z"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    with FileTracker([root, root / "tmp" / "data"], excluded=[root / "tmp", root / "tmp" / "data" / "tmp"]) as tracker:
        assert opened(tracker, lambda: [Path(n).read_text() for n in ("tmp/x", "tmp/data/y", "tmp/data/tmp/z")]) == (
            ["tmp/data/y"],
            [],
        )


def test_a_folder_for_temporary_files_inside_the_project_is_left_out(root, monkeypatch):
    import tempfile

    (root / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(root / "tmp"))
    with FileTracker([root]) as tracker:

        def work():
            with tempfile.NamedTemporaryFile() as file:
                Path(file.name).read_bytes()

        assert opened(tracker, work) == ([], [])


def test_nothing_is_noted_outside(tracker):
    Path("a.csv").read_text()
    with tracker.tracking() as seen:
        Path("b.bin").read_text()
        assert names(tracker, seen) == (["b.bin"], [])
    Path("data/c.csv").read_text()
    assert names(tracker, seen) == (["b.bin"], [])
    assert not events.is_on()


def test_stretches_nest(tracker):
    with tracker.tracking() as outer:
        Path("a.csv").read_text()
        with tracker.tracking() as inner:
            Path("b.bin").read_text()
        Path("data/c.csv").read_text()
    assert names(tracker, outer) == (["a.csv", "b.bin", "data/c.csv"], [])
    assert names(tracker, inner) == (["b.bin"], [])


def test_an_error_ends_the_stretch(tracker):
    def work():
        with seen:
            Path("a.csv").read_text()
            raise ZeroDivisionError

    seen = tracker.tracking()
    with pytest.raises(ZeroDivisionError):
        work()
    assert names(tracker, seen) == (["a.csv"], [])
    assert not events.is_on()


def test_a_stretch_that_was_never_left_ends_with_the_one_around_it(tracker):
    with tracker.tracking():
        tracker.tracking().__enter__()
    assert not events.is_on()


@pytest.mark.parametrize("fault", ["cwd", "type", "log"])
def test_a_fault_here_never_keeps_the_program_from_its_file(tracker, monkeypatch, fault):
    def fail(*arguments, **more):
        raise RuntimeError("planted")

    with tracker.tracking():
        if fault == "cwd":
            monkeypatch.setattr(events.os, "getcwd", fail)
        elif fault == "log":
            monkeypatch.setattr(events.Log, "add", fail)
        else:
            sys.audit("open", object(), None, "no flags")
            sys.audit("open")
            sys.audit("sqlite3.connect", object())
        with open("a.csv") as file:
            assert file.read() == "a.csv"
        monkeypatch.undo()


@POSIX
def test_a_vanished_working_folder_is_no_error(tracker, root, monkeypatch):
    gone = root / "gone"
    gone.mkdir()
    with tracker.tracking() as seen:
        monkeypatch.chdir(gone)
        gone.rmdir()
        missing("a.csv")
        (root / "a.csv").read_text()
    os.chdir(root)
    assert names(tracker, seen) == (["a.csv"], [])


def test_many_threads(tracker, root):
    for number in range(200):
        (root / f"f{number:03}").write_text("")
    with tracker.tracking() as seen:
        threads = [
            threading.Thread(target=lambda at=at: [(root / f"f{n:03}").read_text() for n in range(at, 200, 8)] * 20)
            for at in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert names(tracker, seen) == ([f"f{number:03}" for number in range(200)], [])


@POSIX
@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="children report through Linux's anonymous files")
def test_forked_children_report(tracker, root):
    def child(*paths):
        pid = os.fork()
        if not pid:
            try:
                for path in paths:
                    Path(path).read_text()
                rewrite("made", "x")
                if len(paths) > 1:
                    child("b.bin")
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    def work():
        child("a.csv", "data/c.csv")
        Path("made").read_text()

    before = len(os.listdir("/proc/self/fd"))
    assert opened(tracker, work) == (["a.csv", "b.bin", "data/c.csv"], ["made"])
    assert len(os.listdir("/proc/self/fd")) == before
    rewrite("made", "y")

    def write_first():
        rewrite("made", "z")
        child("made")

    assert opened(tracker, write_first) == ([], ["made"])


@POSIX
def test_a_child_without_a_stretch_reports_nothing(tracker):
    pid = os.fork()
    if not pid:
        Path("a.csv").read_text()
        os._exit(0)
    os.waitpid(pid, 0)
    assert opened(tracker, lambda: None) == ([], [])


def test_programs_are_not_seen(tracker):
    """Documented: what a program reads must be declared."""
    assert opened(tracker, lambda: subprocess.run([sys.executable, "-c", "open('a.csv')"], check=True)) == ([], [])


def test_the_hook_is_installed_once_and_only_when_needed():
    code = (
        "import sys\nhooks = []\nsys.addaudithook, add = hooks.append, sys.addaudithook\n"
        "from pytest_mlrepro.tracking import FileTracker\nfrom pathlib import Path\n"
        "tracker = FileTracker([Path('.')])\nassert not hooks\n"
        "for _ in range(3):\n    with tracker.tracking(): pass\n"
        "assert len(hooks) == 1, hooks\n"
        "tracker.close(); tracker.close()\n"
        "assert not [finder for finder in sys.meta_path if 'mlrepro' in type(finder).__module__]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
