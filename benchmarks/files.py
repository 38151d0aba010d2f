"""Files on disk: one large one, and a folder of many small ones the first and the second time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from blake3 import blake3
from measuring import Sample, interleaved, timed
from showing import Row, Target, show

from pytest_mlrepro.fingerprints.files import fingerprint_artifact, fingerprint_path
from pytest_mlrepro.fingerprints.files.stat_cache import StatCache
from pytest_mlrepro.tracking import FileTracker

CHUNK = 4 << 20
HAND = "blake3 over 4 MiB chunks, all cores"
SECOND = """
import sys, time
from pathlib import Path
from pytest_mlrepro.fingerprints.files import fingerprint_path
from pytest_mlrepro.fingerprints.files.stat_cache import StatCache
start, cpu = time.perf_counter(), time.process_time()
fingerprint_path(Path(sys.argv[1]), cache=StatCache(Path(sys.argv[2])))
print(time.perf_counter() - start, time.process_time() - cpu)
"""


def measure(*, quick: bool) -> list[Row]:
    """Print and return the cost of fingerprints of files, and of noticing which are opened."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        return [*_large(root, quick), *_many(root, quick), *_opens(root, quick)]


def by_hand(path: Path) -> str:
    """Hash a file as well as one can without this package, on as many threads as there are cores."""

    def piece(start: int) -> bytes:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            file.seek(start)
            return blake3(file.read(CHUNK)).digest()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return blake3(b"".join(pool.map(piece, range(0, path.stat().st_size, CHUNK)))).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _large(root: Path, quick: bool) -> list[Row]:
    size, rounds = (16 << 20, 1) if quick else (1 << 30, 7)
    path, model = root / "large.bin", root / "model.safetensors"
    with path.open("wb") as file:
        for _ in range(0, size, CHUNK):
            file.write(os.urandom(CHUNK))
    _write_model(model, path, size)
    works: dict[str, Callable[[], Sample]] = {
        "ours": partial(timed, lambda: fingerprint_path(path)),
        "model": partial(timed, lambda: fingerprint_artifact(model)),
        HAND: partial(timed, lambda: by_hand(path)),
        "hashlib.file_digest, sha256": partial(timed, lambda: _sha256(path)),
    }
    try:
        import joblib
    except ImportError:
        pass
    else:
        works["joblib.hash of the bytes"] = partial(timed, lambda: joblib.hash(path.read_bytes()))
    cost = interleaved(works, rounds)
    rows = [
        Row(
            "a file",
            cost["ours"],
            name,
            cost[name],
            unit="ms",
            target=Target(1.25, of="ratio") if name == HAND else None,
        )
        for name in list(works)[2:]
    ]
    rows.append(Row("a safetensors file, tensors named", cost["model"], HAND, cost[HAND], unit="ms"))
    note = f"{size / 2**20:.0f} MiB in the page cache; medians of {rounds} interleaved rounds."
    return show("A large file", rows, note)


def _write_model(target: Path, source: Path, size: int) -> None:
    """Write the same bytes as a model of eight tensors."""
    share = size // 8
    tensors = ",".join(
        f'"w{at}":{{"dtype":"U8","shape":[{share}],"data_offsets":[{at * share},{(at + 1) * share}]}}'
        for at in range(8)
    )
    header = f"{{{tensors}}}".encode()
    with source.open("rb") as origin, target.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        while data := origin.read(CHUNK):
            file.write(data)


def _many(root: Path, quick: bool) -> list[Row]:
    count, rounds = (200, 1) if quick else (10_000, 5)
    folder, kept = root / "many", root / "cache"
    for number in range(count):
        path = folder / str(number // 100) / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(2000))
    time.sleep(2.5)  # younger files are not trusted
    cache = StatCache(kept)
    fingerprint_path(folder, cache=cache)
    cache.save()
    hand = "read and blake3 each, all cores"
    works: dict[str, Callable[[], Sample]] = {
        "first": partial(timed, lambda: fingerprint_path(folder)),
        "second": partial(timed, lambda: fingerprint_path(folder, cache=cache)),
        "later": partial(_second, folder, kept),
        hand: partial(timed, lambda: _each(folder)),
    }
    cost = interleaved(works, rounds)
    second = Target(300 * count / 10_000 if not quick else 300)
    rows = [
        Row("the first time", cost["first"], hand, cost[hand], unit="ms"),
        Row("unchanged, in the same process", cost["second"], hand, cost[hand], unit="ms", target=second),
        Row("unchanged, in a new process", cost["later"], hand, cost[hand], unit="ms", target=second),
    ]
    note = f"{count:,} files of 2 kB in {max(1, count // 100)} folders; medians of {rounds} interleaved rounds."
    return show("A folder of many files", rows, note)


def _each(folder: Path) -> str:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return blake3(b"".join(pool.map(lambda path: blake3(path.read_bytes()).digest(), paths))).hexdigest()


def _second(folder: Path, cache: Path) -> Sample:
    ran = subprocess.run([sys.executable, "-c", SECOND, folder, cache], capture_output=True, text=True, check=True)
    wall, cpu = map(float, ran.stdout.split())
    return Sample(wall, cpu)


def _opens(root: Path, quick: bool) -> list[Row]:
    path = root / "small.txt"
    path.write_bytes(b"x")
    number = 200 if quick else 20_000

    def each(work: Callable[[], object]) -> Sample:
        best = min(timeit.repeat(work, number=number, repeat=5)) / number
        return Sample(best, best)

    def read() -> None:
        with open(path, "rb", buffering=0):  # noqa: PTH123
            pass

    audit = partial(sys.audit, "mlrepro.benchmark", 1)
    silent, bare = each(audit), each(read)
    with FileTracker([root]) as tracker:

        def stretch() -> None:
            with tracker.tracking():
                pass

        empty = each(stretch)
        off = each(audit)
        with tracker.tracking():
            on = each(read)
    rows = [
        Row("an audit event, off", off - silent, target=Target(0.2)),
        Row("a stretch in which nothing is opened", empty, target=Target(5)),
        Row("an open that is noted", on, "not tracked", bare),
    ]
    return show("Noticing what is opened", rows, f"The least of 5 times {number:,}.")
