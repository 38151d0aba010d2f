"""The stat cache saves reading, never changes a digest, and survives whatever happens to its file."""

import os
import subprocess
import sys
import time
from concurrent.futures import Executor
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.files import stat_cache
from pytest_mlrepro.fingerprints.files.pieces import CHUNK, Stamp
from pytest_mlrepro.fingerprints.files.stat_cache import StatCache, size_text
from pytest_mlrepro.fingerprints.files.whole import fingerprint_artifact, fingerprint_path

OLD = time.time_ns() - 3600 * 10**9


class NoReading(Executor):
    def submit(self, function, /, *args, **kwargs):
        if "list" in function.__name__:
            from concurrent.futures import Future

            future = Future()
            future.set_result(function(*args, **kwargs))
            return future
        raise AssertionError("a file was read")


@pytest.fixture
def settled(monkeypatch):
    """Files made in this test count as left alone for long enough: ctime can't be set back."""
    monkeypatch.setattr(stat_cache, "SETTLED", -(10**18))


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(5):
        (folder / f"f{number}").write_bytes(bytes([number]))
    (folder / "big").write_bytes(bytes(CHUNK + 1))
    return folder


def read_nothing(path, folder):
    return fingerprint_path(path, cache=StatCache(folder), executor=NoReading())


@pytest.mark.usefixtures("settled")
def test_unchanged_files_are_not_read_again_in_this_process_or_another(data, tmp_path):
    cache = StatCache(tmp_path / "cache")
    plain = fingerprint_path(data)
    assert fingerprint_path(data, cache=cache) == plain
    assert fingerprint_path(data, cache=cache, executor=NoReading()) == plain
    cache.save()
    again = read_nothing(data, tmp_path / "cache")
    assert again == plain
    assert [part.text for _, part in again.parts] == [part.text for _, part in plain.parts]
    assert again.parts[0][1].parts == plain.parts[0][1].parts != ()
    other = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path\n"
            "from pytest_mlrepro.fingerprints.files.whole import fingerprint_path\n"
            "from pytest_mlrepro.fingerprints.files.stat_cache import StatCache\n"
            "print(fingerprint_path(Path(sys.argv[1]), cache=StatCache(Path(sys.argv[2]))).digest)",
            data,
            tmp_path / "cache",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == plain.digest


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("change", ["content", "content and mtime", "replaced", "longer", "touched"])
def test_a_change_is_noticed(data, tmp_path, change):
    cache = StatCache(tmp_path / "cache")
    before = fingerprint_path(data, cache=cache)
    cache.save()
    path = data / "f3"
    was = path.stat()
    time.sleep(0.02)
    if change == "replaced":
        (tmp_path / "new").write_bytes(b"!")
        os.utime(tmp_path / "new", ns=(was.st_mtime_ns,) * 2)
        (tmp_path / "new").replace(path)
    elif change == "touched":
        path.touch()
    else:
        path.write_bytes(b"!!" if change == "longer" else b"!")
    if change == "content and mtime":
        os.utime(path, ns=(was.st_mtime_ns,) * 2)
    with pytest.raises(AssertionError, match="a file was read"):
        read_nothing(data, tmp_path / "cache")
    after = fingerprint_path(data, cache=StatCache(tmp_path / "cache"))
    assert after == fingerprint_path(data)
    assert before.diff(after) == (() if change == "touched" else ("f3",))


def test_a_young_file_is_not_trusted(data, tmp_path):
    cache = StatCache(tmp_path / "cache")
    fingerprint_path(data, cache=cache)
    cache.save()
    with pytest.raises(AssertionError, match="a file was read"):
        read_nothing(data, tmp_path / "cache")


def test_an_old_mtime_does_not_make_a_young_file_old(data, tmp_path):
    """`tar` and `cp -p` set the mtime back; the ctime is when the content came."""
    for path in data.iterdir():
        os.utime(path, ns=(OLD, OLD))
    test_a_young_file_is_not_trusted(data, tmp_path)


def test_a_file_left_alone_for_two_seconds_is_trusted(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"x")
    stamp = Stamp(
        *(getattr(path.stat(), name) for name in ("st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns"))
    )
    found = fingerprint_path(path)
    newest = max(stamp.mtime_ns, stamp.ctime_ns)
    for began, kept in ((newest, False), (newest + 2 * 10**9, False), (newest + 2 * 10**9 + 1, True), (0, False)):
        cache = StatCache(tmp_path / "cache")
        cache.keep(stamp, found, as_artifact=False, began=began)
        assert (cache.find(stamp, as_artifact=False) == found) is kept


def test_the_clock_is_the_file_system_s(tmp_path, monkeypatch):
    """Tests freeze Python's clocks in the past and in the future."""
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    (tmp_path / "f").touch()
    assert abs(StatCache(tmp_path / "cache").clock() - (tmp_path / "f").stat().st_mtime_ns) < 60 * 10**9


@pytest.mark.usefixtures("settled")
def test_artifacts_and_plain_files_are_kept_apart(tmp_path):
    import numpy as np

    np.savez(tmp_path / "a.npz", x=np.ones(3))
    cache = StatCache(tmp_path / "cache")
    plain, named = (function(tmp_path / "a.npz") for function in (fingerprint_path, fingerprint_artifact))
    for _ in range(2):
        assert fingerprint_path(tmp_path / "a.npz", cache=cache) == plain
        assert fingerprint_artifact(tmp_path / "a.npz", cache=cache) == named
        cache.save()
        cache = StatCache(tmp_path / "cache")
    assert plain.kind != named.kind
    assert named.parts


# Damage


@pytest.mark.usefixtures("settled")
@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_damaged_cache_is_an_empty_one_and_is_rewritten(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "f").write_bytes(b"x")
    (folder / "g").write_bytes(bytes(CHUNK + 1))
    cache = StatCache(folder / "cache")
    fingerprint_path(folder / "f", cache=cache)
    fingerprint_path(folder / "g", cache=cache)
    cache.save()
    file = folder / "cache" / "files.bin"
    whole = file.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = data.draw(
        st.sampled_from(
            [
                whole[:at],
                whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
                whole + b"\0",
                whole[at:],
                whole[at:] + whole,
            ]
        )
    )
    file.write_bytes(broken)
    if broken == whole:
        return
    with pytest.raises(AssertionError, match="a file was read"):
        read_nothing(folder / "f", folder / "cache")
    cache = StatCache(folder / "cache")
    assert fingerprint_path(folder / "f", cache=cache) == fingerprint_path(folder / "f")
    cache.save()
    assert read_nothing(folder / "f", folder / "cache") == fingerprint_path(folder / "f")


@pytest.mark.usefixtures("settled")
def test_a_cache_of_another_version_is_an_empty_one(data, tmp_path):
    cache = StatCache(tmp_path / "cache")
    fingerprint_path(data, cache=cache)
    cache.save()
    file = tmp_path / "cache" / "files.bin"
    body = file.read_bytes()[len(stat_cache._MAGIC) + 32 :]
    file.write_bytes(b"mlrepro1 stat cache 0\n" + blake3(body).digest() + body)
    with pytest.raises(AssertionError, match="a file was read"):
        read_nothing(data, tmp_path / "cache")


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("obstacle", ["folder is a file", "cache is a folder", "no such parent"])
def test_a_cache_that_cannot_be_written_is_no_error(data, tmp_path, obstacle):
    folder = tmp_path / "cache"
    if obstacle == "folder is a file":
        folder.write_bytes(b"")
    elif obstacle == "cache is a folder":
        (folder / "files.bin" / "full").mkdir(parents=True)
    else:
        folder = Path("/proc/nowhere/cache")
    cache = StatCache(folder)
    assert fingerprint_path(data, cache=cache) == fingerprint_path(data)
    cache.save()
    if obstacle == "cache is a folder":
        assert sorted(path.name for path in folder.iterdir()) == ["clock", "files.bin", "lock"]


@pytest.mark.usefixtures("settled")
def test_an_error_keeps_nothing(data, tmp_path):
    (data / "lost").symlink_to("nowhere")
    cache = StatCache(tmp_path / "cache")
    with pytest.raises(FingerprintError, match="dangling"):
        fingerprint_path(data, cache=cache)
    cache.save()
    assert not (tmp_path / "cache" / "files.bin").exists()


# Sharing


@pytest.mark.usefixtures("settled")
def test_a_reader_sees_the_old_file_or_the_new_one(data, tmp_path):
    """Whoever has the file open goes on with the old one, whole."""
    for name in ("f0", "f1"):
        cache = StatCache(tmp_path / "cache")
        fingerprint_path(data / name, cache=cache)
        if name == "f1":
            before = (tmp_path / "cache" / "files.bin").read_bytes()
            with (tmp_path / "cache" / "files.bin").open("rb") as file:
                cache.save()
                assert file.read() == before
        cache.save()


WORKER = """
import sys
from pathlib import Path
from pytest_mlrepro.fingerprints.files import stat_cache
from pytest_mlrepro.fingerprints.files.whole import fingerprint_path
stat_cache.SETTLED = -10**18
data, folder, mine = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
for number in range(mine, 80, 4):
    cache = stat_cache.StatCache(folder)
    fingerprint_path(data / f"f{number}", cache=cache)
    cache.save()
"""


def test_four_processes_lose_nothing(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for number in range(80):
        (data / f"f{number}").write_bytes(str(number).encode())
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, data, tmp_path / "cache", str(number)]) for number in range(4)
    ]
    assert [worker.wait() for worker in workers] == [0] * 4
    assert read_nothing(data, tmp_path / "cache") == fingerprint_path(data)
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [".gitignore", "clock", "files.bin", "lock"]


@pytest.mark.usefixtures("settled")
def test_the_oldest_entries_go_first(data, tmp_path, monkeypatch):
    monkeypatch.setattr(stat_cache, "_KEPT", 3)
    for number in range(5):
        cache = StatCache(tmp_path / "cache")
        fingerprint_path(data / f"f{number}", cache=cache)
        cache.save()
    for number in range(5):
        if number >= 2:
            assert read_nothing(data / f"f{number}", tmp_path / "cache")
        else:
            with pytest.raises(AssertionError, match="a file was read"):
                read_nothing(data / f"f{number}", tmp_path / "cache")


def test_nothing_new_writes_nothing(tmp_path):
    StatCache(tmp_path / "cache").save()
    assert not (tmp_path / "cache").exists()


def test_sizes_are_read_by_people():
    sizes = (0, 999, 1000, 999_949, 999_950, 10**9, 10**12, 10**15)
    assert [size_text(size) for size in sizes] == [
        "0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "1.0 GB", "1.0 TB", "1000.0 TB",
    ]  # fmt: skip


def test_version_control_leaves_the_cache_alone(tmp_path):
    cache = StatCache(tmp_path / ".mlrepro" / "cache")
    assert cache.clock()
    assert (tmp_path / ".mlrepro" / "cache" / ".gitignore").read_text("utf-8").endswith("\n*\n")
