"""Large arrays in stores of all kinds: put, fetched, checked on arrival, kept here; and what may be seen of addresses."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_mlrepro.errors import GoldenError, UsageError
from pytest_mlrepro.golden import objects as module
from pytest_mlrepro.golden.addresses import is_address, scrubbed, shown
from pytest_mlrepro.golden.configured import configured, read_size
from pytest_mlrepro.golden.garbage import Uses, garbage
from pytest_mlrepro.golden.objects import Objects, is_object
from pytest_mlrepro.golden.stores import object_name
from tests.unit.stores import KEY, SECRET, Server, array_in, s3_server

KINDS = ("folder", "file", "memory", "s3")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with s3_server() as running:
        yield running


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "folder":
        return str(tmp_path / "store")
    pytest.importorskip("fsspec")
    if request.param == "file":
        return f"file://{tmp_path.as_posix()}/store"
    if request.param == "memory":
        return f"memory://{tmp_path.name}"
    for name, value in request.getfixturevalue("server").environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://goldens/{tmp_path.name}"


def write(objects: Objects, name: str, data: bytes, tmp_path: Path) -> None:
    """Write other bytes under the name of an object, as a broken program would."""
    assert objects.store is not None
    (tmp_path / "other").write_bytes(data)
    objects.store.write(name, tmp_path / "other", lambda _: None)


def test_what_was_put_is_fetched_elsewhere_byte_for_byte(address: str, tmp_path: Path) -> None:
    raw, entry = array_in(tmp_path / "a")
    assert is_object(entry)
    Objects(tmp_path / "one", address).put(raw, entry)
    there = Objects(tmp_path / "two", address)
    path = there.path(tmp_path / "golden", entry)
    assert path.read_bytes() == raw.read_bytes()
    assert there.here(tmp_path / "golden", entry) == path
    assert there.checked(tmp_path / "golden", entry) == path


@pytest.mark.parametrize("size", [1, 4 << 20, (8 << 20) + 1])
def test_digests_agree_for_each_number_of_pieces(size: int, tmp_path: Path) -> None:
    raw, entry = array_in(tmp_path, size)
    store = Objects(tmp_path / "one", f"file://{(tmp_path / 'store').as_posix()}")
    pytest.importorskip("fsspec")
    store.put(raw, entry)
    assert Objects(tmp_path / "two", f"file://{(tmp_path / 'store').as_posix()}").fetch(entry).stat().st_size == size


@pytest.mark.parametrize("change", ["flipped", "cut", "longer", "empty"])
def test_wrong_bytes_are_never_used(address: str, change: str, tmp_path: Path) -> None:
    raw, entry = array_in(tmp_path / "a", 70_000)
    one = Objects(tmp_path / "one", address)
    one.put(raw, entry)
    data = raw.read_bytes()
    flipped = data[:500] + bytes([data[500] ^ 1]) + data[501:]
    wrong = {"flipped": flipped, "cut": data[:-1], "longer": data + b"x", "empty": b""}[change]
    write(one, object_name(entry["blake3"]), wrong, tmp_path)
    two = Objects(tmp_path / "two", address)
    with pytest.raises(GoldenError, match="does not hold what was recorded") as caught:
        two.checked(tmp_path / "golden", entry)
    assert entry["blake3"] in str(caught.value)
    assert "mlrepro push" in str(caught.value)
    assert "no copy" not in str(caught.value)
    assert not [path for path in (tmp_path / "two").rglob("*") if path.suffix in (".npy", ".tmp")]
    one.put(raw, entry)  # what lies there is read before it is relied on, and put right
    assert two.checked(tmp_path / "golden", entry).read_bytes() == data


def test_what_is_missing_is_named_with_its_place_and_the_next_command(address: str, tmp_path: Path) -> None:
    _, entry = array_in(tmp_path / "a", 70_000)
    objects = Objects(tmp_path / "one", address)
    with pytest.raises(GoldenError) as caught:
        objects.path(tmp_path / "golden", entry)
    said = str(caught.value)
    assert entry["blake3"] in said
    assert objects.store is not None
    assert objects.store.shown in said
    assert "68.4 KiB" in said
    assert "mlrepro push" in said


def test_a_damaged_copy_here_is_fetched_again(address: str, tmp_path: Path) -> None:
    raw, entry = array_in(tmp_path / "a", 70_000)
    objects = Objects(tmp_path / "one", address)
    objects.put(raw, entry)
    kept = objects.path(tmp_path / "golden", entry)
    kept.write_bytes(b"damaged".ljust(70_000))
    assert objects.store is not None
    if objects.store.is_remote:
        assert objects.checked(tmp_path / "golden", entry).read_bytes() == raw.read_bytes()
    else:  # the folder is the store itself: nothing else has it
        with pytest.raises(GoldenError, match="does not hold what was recorded"):
            objects.checked(tmp_path / "golden", entry)


def test_many_put_the_same_at_once(address: str, tmp_path: Path) -> None:
    raw, entry = array_in(tmp_path / "a", 9 << 20)
    errors: list[BaseException] = []

    def push(number: int) -> None:
        try:
            Objects(tmp_path / f"job{number}", address).put(raw, entry)
        except BaseException as error:  # noqa: BLE001  # told by the assertion below
            errors.append(error)

    jobs = [threading.Thread(target=push, args=(number,)) for number in range(6)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert not errors
    objects = Objects(tmp_path / "last", address)
    assert objects.path(tmp_path, entry).read_bytes() == raw.read_bytes()
    assert objects.store is not None
    assert [found.name for found in objects.store.found()] == [object_name(entry["blake3"])]


def test_a_write_that_breaks_off_leaves_nothing_under_the_name(address: str, tmp_path: Path) -> None:
    raw, entry = array_in(tmp_path / "a", 20 << 20)
    objects = Objects(tmp_path / "one", address)
    store = objects.store
    assert store is not None

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    if not store.is_remote:
        pytest.skip("a folder is written by `copy_whole`, which has tests of its own")
    with pytest.raises(KeyboardInterrupt):
        store.write(object_name(entry["blake3"]), raw, interrupted)
    assert store.size(object_name(entry["blake3"])) is None
    objects.put(raw, entry)
    assert store.size(object_name(entry["blake3"])) == 20 << 20


def test_what_was_put_long_ago_is_written_again_so_that_gc_elsewhere_sees_it_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, entry = array_in(tmp_path / "a", 70_000)
    objects = Objects(tmp_path, str(tmp_path / "store"))
    objects.put(raw, entry)
    path = tmp_path / "store" / object_name(entry["blake3"])
    inode = path.stat().st_ino
    objects.put(raw, entry)
    assert path.stat().st_ino == inode, "what is there and young is left alone"
    os.utime(path, (0, time.time() - 2 * module.RENEWED))
    objects.put(raw, entry)
    assert time.time() - path.stat().st_mtime < module.RENEWED


def test_garbage_is_what_nothing_names_and_what_is_older_than_the_grace(address: str, tmp_path: Path) -> None:
    objects = Objects(tmp_path / "one", address)
    used, unused = array_in(tmp_path / "a", 1000, seed=1), array_in(tmp_path / "a", 1000, seed=2)
    for raw, entry in (used, unused):
        objects.put(raw, entry)
    store = objects.store
    assert store is not None
    refers = Uses(frozenset({used[1]["blake3"]}), frozenset(), 0, in_git=False)
    assert garbage(store, refers, grace=3600).unused == ()
    assert garbage(store, refers, grace=3600).young == 1
    found = garbage(store, refers, grace=-1)
    assert [one.digest for one in found.unused] == [unused[1]["blake3"]]
    store.remove(found.unused[0].name)
    store.remove(found.unused[0].name)  # another may have been first
    assert [one.digest for one in store.found()] == [used[1]["blake3"]]


def test_other_files_in_a_store_are_nobodys_business(address: str, tmp_path: Path) -> None:
    objects = Objects(tmp_path / "one", address)
    write(objects, "README.md", b"x", tmp_path)
    write(objects, f"ab/{'cd' * 32}.npy", b"x", tmp_path)  # not in the folder of its digest
    assert objects.store is not None
    assert not list(objects.store.found())


MEASURED = """
import sys, tracemalloc
from pathlib import Path
from pytest_mlrepro.golden.objects import Objects
address, raw, size, digest, small, other = sys.argv[1:]
entry = {"file": digest + ".npy", "size": int(size), "blake3": digest}
tmp_path = Path(raw).parent
Objects(tmp_path / "zero", address).put(Path(small), {"file": other + ".npy", "size": 10, "blake3": other})
one, two = Objects(tmp_path / "one", address), Objects(tmp_path / "two", address)
for act in (lambda: one.put(Path(raw), entry), lambda: two.fetch(entry)):
    tracemalloc.start()
    act()
    print(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
"""


@pytest.mark.slow
def test_memory_is_bounded_on_the_way_there_and_back(tmp_path: Path, server: Server) -> None:
    raw, entry = array_in(tmp_path, 96 << 20)
    small, other = array_in(tmp_path, 10, seed=1)
    facts = [f"s3://goldens/{tmp_path.name}", raw, entry["size"], entry["blake3"], small, other["blake3"]]
    out = run_python(MEASURED, *facts, **server.environment)
    assert max(map(int, out.split())) < 64 << 20


def run_python(code: str, *arguments: object, **environment: str) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


SECRETS = [
    ("ftp://anna:hunter22@host/goldens", "ftp://…@host/goldens"),
    ("https://host/x?token=abcdef&y=1", "https://host/x?…"),
    ("simplecache::s3://bucket/x", "simplecache::s3://bucket/x"),
    ("s3://bucket/x", "s3://bucket/x"),
]


@pytest.mark.parametrize(("address", "seen"), SECRETS)
def test_addresses_are_shown_without_what_lets_somebody_in(address: str, seen: str) -> None:
    assert shown(address) == seen


def test_what_libraries_say_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("MY_API_KEY", "")
    said = scrubbed(f"denied to {KEY} with {SECRET}\nat https://u:p4ss@host/x?X-Amz-Signature=abc")
    assert said == "denied to … with … at https://…@host/x?…"


def test_a_server_that_refuses_is_told_without_secrets(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    raw, entry = array_in(tmp_path / "a", 1000)
    with pytest.raises(GoldenError) as caught:
        Objects(tmp_path, "s3://no-such-bucket/x").put(raw, entry)
    assert "s3://no-such-bucket/x" in str(caught.value)
    assert "no-such-bucket" not in [bucket["Name"] for bucket in server.bucket().list_buckets()["Buckets"]]
    for secret in (KEY, SECRET):
        assert secret not in str(caught.value)
    assert caught.value.__suppress_context__


def test_addresses_that_nothing_can_open(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    raw, entry = array_in(tmp_path / "a", 1000)
    with pytest.raises(UsageError, match="mlrepro_store is nosuch://"):
        Objects(tmp_path, "nosuch://x").put(raw, entry)
    absent = "import sys; sys.modules[sys.argv[1]] = None"
    asked = "from pytest_mlrepro.golden.objects import Objects; Objects(Path(), 's3://x/y').store.size('x')"
    code = f"from pathlib import Path\n{absent}\ntry:\n    {asked}\nexcept Exception as error:\n    print(repr(error))"
    for library in ("s3fs", "fsspec"):
        said = run_python(code, library)
        assert said.startswith("MissingDependencyError")
        assert "pip install 'pytest-mlrepro[remote]'" in said
    assert "fsspec is needed here" in said


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    raw, entry = array_in(tmp_path / "a", 1000)
    with pytest.raises(GoldenError, match=r"can't reach ftp://…@127\.0\.0\.1:9/x: ConnectionRefusedError"):
        Objects(tmp_path, "ftp://anna:hunter22@127.0.0.1:9/x").put(raw, entry)


def test_a_hostile_entry_leads_nowhere_else(tmp_path: Path) -> None:
    for file in ("../../etc/passwd", f"{'a' * 63}.npy", f"{'A' * 64}.npy"):
        assert not is_object({"file": file, "size": 1, "blake3": file.removesuffix(".npy")})
    assert not is_object({"file": f"{'a' * 64}.npy", "size": 1, "blake3": "b" * 64})


@pytest.mark.parametrize(
    ("store", "expected"),
    [("s3://b", True), ("simplecache::s3://b", True), ("objects", False), (r"C:\objects", False), ("/srv/x", False)],
)
def test_folders_and_addresses_are_told_apart(store: str, expected: bool) -> None:
    assert is_address(store) is expected


CONFIGURATIONS: list[tuple[str, str]] = [
    ("pytest.ini", "[pytest]\nmlrepro_store = here\nmlrepro_store_limit = 2 KiB\n"),
    ("tox.ini", "[pytest]\nmlrepro_store = here\nmlrepro_store_limit = 2 KiB\n"),
    ("setup.cfg", "[tool:pytest]\nmlrepro_store = here\nmlrepro_store_limit = 2 KiB\n"),
    ("pyproject.toml", '[tool.pytest.ini_options]\nmlrepro_store = "here"\nmlrepro_store_limit = "2 KiB"\n'),
    ("pyproject.toml", '[tool.pytest]\nmlrepro_store = "here"\nmlrepro_store_limit = "2048"\n'),
    ("pytest.toml", '[pytest]\nmlrepro_store = "here"\nmlrepro_store_limit = "2 KiB"\n'),
]


@pytest.mark.parametrize(("name", "text"), CONFIGURATIONS)
def test_commands_read_the_configuration_that_pytest_reads(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'inner'\n")
    assert configured(tmp_path / "a" / "b") == (tmp_path, "here", 2048)


def test_without_a_store_nothing_goes_there(tmp_path: Path) -> None:
    assert not Objects.near(tmp_path).takes(1 << 40)
    assert Objects(tmp_path, "x", 10).takes(11)
    assert not Objects(tmp_path, "x", 10).takes(10)
    with pytest.raises(UsageError, match="mlrepro_store_limit must be a size"):
        read_size("-3 kB")


DRAWN = """
import random, sys, threading, uuid
from pathlib import Path
import numpy as np
from pytest_mlrepro import seed_everything
from pytest_mlrepro.golden.objects import Objects

address, folder, size, digest, fetches = sys.argv[1:]
found = []
with seed_everything(3):
    found += [random.random(), uuid.uuid4(), np.random.default_rng().random()]
    if fetches == "yes":
        Objects(Path(folder), address).fetch({"file": digest + ".npy", "size": int(size), "blake3": digest})
    thread = threading.Thread(target=lambda: found.append(np.random.default_rng().random()))
    thread.start()
    thread.join()
    found += [random.random(), uuid.uuid4(), np.random.default_rng().random(), np.random.random()]
print(found)
"""


def test_a_seeded_test_draws_the_same_whether_or_not_something_was_fetched(tmp_path: Path, server: Server) -> None:
    """What talks to a store starts threads and draws numbers, most of all the first time; a seeded test sees neither."""
    raw, entry = array_in(tmp_path / "a", 70_000)
    facts = [f"s3://goldens/{tmp_path.name}", tmp_path / "two", entry["size"], entry["blake3"]]
    put = "import sys; from pathlib import Path; from pytest_mlrepro.golden.objects import Objects; a, f, s, d, r = sys.argv[1:]; "
    put += "Objects(Path(f + '-'), a).put(Path(r), {'file': d + '.npy', 'size': int(s), 'blake3': d})"
    run_python(put, *facts, raw, **server.environment)
    plain = run_python(DRAWN, *facts, "no", **server.environment)
    assert run_python(DRAWN, *facts, "yes", **server.environment) == plain
    assert list((tmp_path / "two").rglob("*.npy"))
