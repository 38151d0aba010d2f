"""Files and folders: bytes and names count, nothing else does, and what can't be read is named."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.files import pieces
from pytest_mlrepro.fingerprints.files.folders import MAX_DEPTH, SKIPPED
from pytest_mlrepro.fingerprints.files.pieces import CHUNK, shown
from pytest_mlrepro.fingerprints.files.spread import spread
from pytest_mlrepro.fingerprints.files.whole import fingerprint_artifact, fingerprint_path

POSIX = pytest.mark.skipif(os.name == "nt", reason="links, pipes and owners of POSIX")
NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='/\\:*?"<>|'), min_size=1, max_size=8
).filter(lambda name: name.strip(". ") == name and name not in SKIPPED)
TREES = st.recursive(st.binary(max_size=5), lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=8)


def digest(path):
    return fingerprint_path(path).digest


def grow(path, tree, *, backwards=False):
    """Make a file of bytes, or a folder of a dict; the order of making may not count."""
    if isinstance(tree, bytes):
        path.write_bytes(tree)
        return path
    path.mkdir(parents=True)
    for name, inner in sorted(tree.items(), reverse=backwards):
        grow(path / name, inner, backwards=backwards)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("trees")


counter = iter(range(10**9))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREES, TREES)
def test_digests_are_equal_exactly_if_the_trees_are(place, one, other):
    number = next(counter)
    first = grow(place / f"{number} one", one)
    again = grow(place / f"{number} again", one, backwards=True)
    second = grow(place / f"{number} other", other)
    assert digest(first) == digest(again)
    assert (digest(first) == digest(second)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": b"ab", "b": b"c"}, {"a": b"a", "b": b"bc"}),
        ({"a": b"x", "b": b""}, {"a": b"", "b": b"x"}),
        ({"a": b""}, {"a": {}}),
        ({"a": {}}, {}),
        ({"ab": b"c"}, {"a": b"bc"}),
        ({"a": {"b": b"c"}}, {"a": b"c", "b": b"c"}),
        ({"a": {"b": b""}}, {"b": {"a": b""}}),
        ({"a": b"1", "b": b"2"}, {"a": b"2", "b": b"1"}),
        ({"x": b"1"}, {"X": b"1"}),
        (b"", {}),
    ],
)
def test_moved_bytes_names_and_levels_count(tmp_path, one, other):
    assert digest(grow(tmp_path / "1", one)) != digest(grow(tmp_path / "2", other))


@pytest.mark.parametrize(
    "size", [0, 1, 2**18 - 1, 2**18, 2**18 + 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1]
)
def test_every_byte_counts_at_the_edges_of_reads_and_pieces(tmp_path, size):
    data = bytearray(os.urandom(size))
    path = tmp_path / "data"
    path.write_bytes(data)
    seen = {digest(path)}
    for at in {0, size // 2, size - 1, min(size, CHUNK) - 1, min(size, 2**18) - 1} if size else ():
        data[at] ^= 1
        path.write_bytes(data)
        seen.add(digest(path))
        data[at] ^= 1
    path.write_bytes(data + b"\0")
    seen.add(digest(path))
    path.write_bytes(data)
    assert digest(path) in seen
    assert len(seen) == (
        2 if not size else 2 + len({0, size // 2, size - 1, min(size, CHUNK) - 1, min(size, 2**18) - 1})
    )


def test_path_times_and_modes_do_not_count(tmp_path):
    first = grow(tmp_path / "a", {"f": b"x", "d": {"g": b"y"}})
    second = grow(tmp_path / "b c é", {"f": b"x", "d": {"g": b"y"}})
    os.utime(second / "f", (1, 1))
    (second / "f").chmod(0o755)
    assert digest(first) == digest(second)
    assert digest(first / "f") == digest(second / "f")


def test_relative_paths_are_the_same(tmp_path, monkeypatch):
    (tmp_path / "f").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert fingerprint_path(Path("f")) == fingerprint_path(tmp_path / "f")
    assert fingerprint_path(Path()).parts == (("f", fingerprint_path(tmp_path / "f")),)


def test_a_diff_names_the_file_and_the_byte_range(tmp_path):
    big = bytearray(2 * CHUNK + 5)
    folder = grow(tmp_path / "d", {"big": bytes(big), "deep": {"small": b"1"}, ".env": b"a", "[1].txt": b"b"})
    before = fingerprint_path(folder)
    assert before.diff(before) == ()
    big[CHUNK] = 1
    grow(folder / "big", bytes(big))
    grow(folder / "deep" / "small", b"2")
    grow(folder / ".env", b"A")
    grow(folder / "[1].txt", b"B")
    after = fingerprint_path(folder)
    assert before.diff(after) == ("'.env'", "'[1].txt'", f"big[{CHUNK}:{2 * CHUNK}]", "deep/small")
    (folder / "deep" / "new").write_bytes(b"")
    assert after.diff(fingerprint_path(folder)) == ("deep/new",)


def test_words_for_people(tmp_path):
    folder = grow(tmp_path / "d", {"a": b"x" * 17, "b": b"x" * 3200, "c": b"x" * 1_250_000, "d": b"x" * 999_960})
    found = fingerprint_path(folder)
    assert (found.kind, found.text) == ("folder", "4 entries")
    assert [part.text for _, part in found.parts] == ["17 B", "3.2 kB", "1.2 MB", "1.0 MB"]
    assert {part.kind for _, part in found.parts} == {"file"}
    assert fingerprint_path(grow(tmp_path / "e", {"a": b""})).text == "1 entry"


@pytest.mark.parametrize("name", sorted(SKIPPED))
def test_what_tools_leave_does_not_count(tmp_path, name):
    plain = digest(grow(tmp_path / "a", {"f": b"x", "d": {}}))
    assert digest(grow(tmp_path / "b", {"f": b"x", "d": {name: b"?"}, name: {"inside": b"?"}})) == plain
    assert digest(grow(tmp_path / name, {"f": b"x", "d": {}})) == plain, "one that is named counts"


# Links


@POSIX
def test_links_count_as_what_they_lead_to(tmp_path):
    plain = grow(tmp_path / "a", {"f": b"x", "d": {"g": b"y"}})
    linked = tmp_path / "b"
    linked.mkdir()
    (linked / "f").symlink_to(plain / "f")
    (linked / "d").symlink_to("../a/d")
    (tmp_path / "c").symlink_to(linked)
    assert digest(plain) == digest(linked) == digest(tmp_path / "c")
    os.link(plain / "f", linked / "h")
    assert fingerprint_path(linked).parts[-1] == ("h", fingerprint_path(plain / "f"))


@POSIX
def test_two_links_to_one_folder_are_no_cycle(tmp_path):
    level = grow(tmp_path / "0", {"f": b"x"})
    for number in range(1, 40):  # 2 ** 39 ways lead to the file
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "a").symlink_to(level)
        (folder / "b").symlink_to(level)
        level = folder
    assert digest(level)


@POSIX
@pytest.mark.parametrize("target", [".", "..", "../../top", "../sibling/back"])
def test_a_folder_that_contains_itself_is_an_error_that_names_the_link(tmp_path, target):
    top = grow(tmp_path / "top", {"f": b"x", "inner": {"g": b"y"}, "sibling": {}})
    (top / "sibling" / "back").symlink_to(top / "inner")
    (top / "inner" / "again").symlink_to(target)
    with pytest.raises(FingerprintError, match=r"again leads back|back leads back"):
        fingerprint_path(top)


@POSIX
def test_dangling_links_are_named(tmp_path):
    folder = grow(tmp_path / "d", {"deep": {}})
    (folder / "deep" / "lost").symlink_to("nowhere")
    for path in (folder, folder / "deep" / "lost"):
        with pytest.raises(FingerprintError, match=r"deep/lost is a dangling link: nowhere doesn't exist"):
            fingerprint_path(path)


@POSIX
def test_a_link_to_itself_is_named(tmp_path):
    (tmp_path / "self").symlink_to("self")
    with pytest.raises(FingerprintError, match=r"self is a link that leads to itself"):
        fingerprint_path(tmp_path)


# What can't be read


def test_missing(tmp_path):
    with pytest.raises(FingerprintError, match=r"nothing doesn't exist: create it"):
        fingerprint_path(tmp_path / "nothing")
    with pytest.raises(FingerprintError, match=r"no path"):
        fingerprint_path(Path("a\0b"))


@POSIX
@pytest.mark.parametrize("inside", [True, False])
def test_a_pipe_is_named_and_never_waited_for(tmp_path, inside):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FingerprintError, match=r"pipe is a pipe"):
        fingerprint_path(tmp_path if inside else tmp_path / "pipe")


@POSIX
def test_a_file_that_becomes_a_pipe_is_never_waited_for(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"x")

    def swap():
        path.unlink()
        os.mkfifo(path)

    with pytest.raises(FingerprintError, match="data changed while it was read"):
        fingerprint_path(path, executor=Meddler(swap))


@POSIX
def test_sockets_and_devices_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind("here")
        with pytest.raises(FingerprintError, match=r"here is a socket"):
            fingerprint_path(tmp_path)
    with pytest.raises(FingerprintError, match=r"/dev/null is a device"):
        fingerprint_path(Path("/dev/null"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="files without a size")
def test_a_file_whose_size_is_no_size_is_refused():
    with pytest.raises(FingerprintError, match="changed while it was read"):
        fingerprint_path(Path("/proc/self/status"))


CHILD = """
import os, sys
from pathlib import Path
from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.files import pieces
from pytest_mlrepro.fingerprints.files.whole import fingerprint_path
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    fingerprint_path(Path(sys.argv[1]))
except FingerprintError as error:
    print(error)
"""


@POSIX
@pytest.mark.parametrize(("closed", "mode"), [("f", 0o000), ("d", 0o000), ("d", 0o444), ("d", 0o111)])
def test_no_permission_is_named(closed, mode):
    with tempfile.TemporaryDirectory() as place:  # pytest's own folder is closed to other users
        Path(place).chmod(0o755)
        folder = grow(Path(place) / "top", {"f": b"x", "d": {"g": b"y"}})
        (folder / closed).chmod(mode)
        try:
            ran = subprocess.run([sys.executable, "-c", CHILD, str(folder)], capture_output=True, text=True, check=True)
        finally:
            (folder / closed).chmod(0o755)
    assert f"top/{closed}" in ran.stdout
    assert "may not be read (Permission denied): give this user the permission" in ran.stdout


# What changes


class Meddler(Executor):
    """Runs each task at once; before the second one, if there is one, else before the first, it does something."""

    def __init__(self, meddle, *, before=0):
        self.meddle, self.before, self.tasks = meddle, before, 0

    def submit(self, function, /, *args, **kwargs):
        if self.tasks == self.before:
            self.meddle()
        self.tasks += 1
        future = Future()
        future.set_result(function(*args, **kwargs))
        return future


def test_each_change_between_two_pieces_is_seen(tmp_path):
    path = tmp_path / "data"
    other = tmp_path / "other"

    def replace():
        other.write_bytes(bytes(3 * CHUNK))
        os.utime(other, ns=(path.stat().st_mtime_ns,) * 2)
        other.replace(path)

    def same_size():
        with path.open("r+b") as file:
            file.write(b"!")

    def hidden():  # the mtime is put back, the ctime tells
        before = path.stat().st_mtime_ns
        same_size()
        os.utime(path, ns=(before, before))

    def longer():
        with path.open("ab") as file:
            file.write(b"!")

    for meddle in (replace, same_size, hidden, longer, lambda: os.truncate(path, CHUNK)):
        path.write_bytes(bytes(3 * CHUNK))
        time.sleep(0.02)  # coarser than the clock of file systems
        with pytest.raises(FingerprintError, match="data changed while it was read, so no fingerprint holds"):
            fingerprint_path(path, executor=Meddler(meddle, before=1))


@pytest.mark.parametrize("size", [3, 2**18 + 3])
def test_a_change_while_one_piece_is_read_is_seen(tmp_path, monkeypatch, size):
    path = tmp_path / "data"
    path.write_bytes(bytes(size))
    time.sleep(0.02)
    real = os.read

    def change():
        with path.open("r+b") as file:
            file.write(b"!")

    class Changing(pieces.FileIO):
        def readinto(self, buffer):
            try:
                return super().readinto(buffer)
            finally:
                change()

    monkeypatch.setattr(pieces, "FileIO", Changing)
    monkeypatch.setattr(pieces.os, "read", lambda *arguments: (real(*arguments), change())[0])
    with pytest.raises(FingerprintError, match="data changed while it was read"):
        fingerprint_path(path)


def test_vanishing_is_named(tmp_path):
    folder = grow(tmp_path / "d", {"a": b"x", "b": b"y"})
    with pytest.raises(FingerprintError, match="b vanished while it was read"):
        fingerprint_path(folder, executor=Meddler((folder / "b").unlink, before=1))


def test_a_folder_that_vanishes_is_named(tmp_path):
    folder = grow(tmp_path / "d", {"a": {}})
    with pytest.raises(FingerprintError, match="a vanished while its folder was read"):
        fingerprint_path(folder, executor=Meddler((folder / "a").rmdir, before=1))


def test_a_writer_beside_us_is_seen(tmp_path):
    path = tmp_path / "data"
    path.touch()
    os.truncate(path, 64 * CHUNK)
    ready, stop = threading.Event(), threading.Event()

    def write():
        with path.open("r+b") as file:
            while not stop.is_set():
                file.seek(0)
                file.write(os.urandom(100))
                file.flush()
                ready.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        ready.wait()
        with pytest.raises(FingerprintError, match="data changed while it was read"):
            fingerprint_path(path)
    finally:
        stop.set()
        writer.join()


# Where the work is done


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_any_executor_fits(tmp_path, kind):
    folder = grow(tmp_path / "d", {f"d{i}": {f"f{j}": bytes([i, j]) for j in range(50)} for i in range(5)})
    grow(folder / "big", bytes(3 * CHUNK))
    with kind(2) as executor:
        assert fingerprint_path(folder, executor=executor) == fingerprint_path(folder)
        assert fingerprint_artifact(folder, executor=executor) == fingerprint_artifact(folder)


@POSIX
def test_names_that_are_no_utf8(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9")).write_bytes(b"x")
    found = fingerprint_path(tmp_path)
    assert found.parts[0][0] == "caf\\xe9"
    assert found.digest != digest(grow(tmp_path / "other", {"café": b"x"}))
    assert shown(os.fsdecode(b"a\xff")) == "a\\xff"


def test_too_deep_is_an_error(tmp_path):
    deep = tmp_path
    for _ in range(MAX_DEPTH + 1):
        deep = deep / "d"
    deep.mkdir(parents=True)
    with pytest.raises(FingerprintError, match=f"nests more than {MAX_DEPTH} folders"):
        fingerprint_path(tmp_path)
    assert digest(tmp_path / "d")


def test_spread_keeps_order_and_raises_the_first_error():
    assert spread(lambda number: number * 2, range(1000)) == list(range(0, 2000, 2))
    assert spread(abs, []) == []

    def fail(number):
        if number >= 7:
            time.sleep(0.01 if number == 7 else 0)
            raise ValueError(number)
        return number

    for _ in range(20):
        with pytest.raises(ValueError, match=r"^7$"):
            spread(fail, range(100))


def test_reading_draws_no_seed(tmp_path, monkeypatch):
    """What a seeded test's own threads draw must not depend on whether a file was in the cache."""
    import random

    from pytest_mlrepro import seed_everything

    folder = grow(tmp_path / "d", {str(number): bytes(CHUNK) for number in range(5)})

    def draw(read):
        with seed_everything(3):
            if read:
                fingerprint_path(folder)
            drawn = []
            thread = threading.Thread(target=lambda: drawn.append(random.Random().random()))
            thread.start()
            thread.join()
            with ThreadPoolExecutor(1) as pool:
                return drawn, pool.submit(lambda: random.Random().random()).result()

    monkeypatch.setattr("pytest_mlrepro.fingerprints.files.spread.cores", lambda: 3)
    assert draw(True) == draw(False)
