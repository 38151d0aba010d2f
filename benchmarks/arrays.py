"""One large float64 array with its golden on disk: time and memory, against np.load and np.testing.

As a script it measures memory in a fresh process: `python arrays.py FOLDER ours|peer KIND SIZE resident|traced` prints bytes.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from measuring import Sample, interleaved, timed
from showing import Row, Target, show
from stores import Stored, memory, regression, tolerant

KINDS = ("equal", "within", "different")
PEER = "np.load + assert_allclose"
PEAK = 16


def array(kind: str, size: int) -> npt.NDArray[np.float64]:
    """Return random numbers: the recorded ones, all of them within the tolerance of those, or all beyond it."""
    values = np.random.default_rng(7).random(size)
    if kind == "within":
        values *= 1 + 1e-9
    if kind == "different":
        values += 1.0
    return values


def measure(*, quick: bool) -> list[Row]:
    """Print and return the cost of one large check."""
    size, rounds = (100_000, 1) if quick else (12_500_000, 7)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        recorded = array("equal", size)
        stored = Stored(root / "ours").record(recorded)
        np.save(root / "peer.npy", recorded)
        cost = _times(root, stored, size, rounds)
        extra = _memory(root, size)
    note = f"{size:,} elements, {size * 8 / 1e6:.0f} MB; medians of {rounds} interleaved rounds; files are in the page cache."
    return show("A large array", [*_time_rows(cost), *_memory_rows(extra)], note)


def by_hand(path: Path, value: npt.NDArray[np.float64]) -> None:
    """Check as people do without a plugin."""
    tolerant(lambda: np.testing.assert_allclose(value, np.load(path)))


def _times(root: Path, stored: Stored, size: int, rounds: int) -> dict[str, Sample]:
    works: dict[str, Callable[[], Sample]] = {}
    for kind in KINDS:
        value = array(kind, size)
        works[f"check {kind}"] = partial(timed, partial(stored.check, value))
        works[f"compare {kind}"] = partial(timed, partial(stored.compare, value))
        works[f"hand {kind}"] = partial(timed, partial(by_hand, root / "peer.npy", value))
    cost = interleaved(works, rounds)
    given = f"dict(value=arrays.array('equal', {size}))"
    run = regression(root / "regressions", fixture="ndarrays_regression", given=given)
    return cost | interleaved({"ndarrays_regression": run}, min(rounds, 3))


def _time_rows(cost: dict[str, Sample]) -> Iterable[Row]:
    limits = {"check equal": 0.1, "check within": 0.3, "compare within": 0.3, "compare different": 0.3}
    for work in ("check equal", "check within", "compare within", "compare different", "check different"):
        doing, _, kind = work.partition(" ")
        name = f"golden.check, {kind}" if doing == "check" else f"comparison alone, {kind}"
        if work == "check different":
            name += ", proposal written"
        target = Target(limits[work], of="ratio") if work in limits else None
        yield Row(name, cost[work], PEER, cost[f"hand {kind}"], unit="ms", target=target)
    yield Row("golden.check, equal", cost["check equal"], "ndarrays_regression", cost["ndarrays_regression"], unit="ms")


def _memory(root: Path, size: int) -> dict[str, Sample]:
    runs = {
        f"{check} {kind} {meter}": memory("arrays.py", str(root), check, kind, str(size), meter)
        for kind in KINDS
        for check in ("ours", "peer")
        for meter in ("resident", "traced")
    }
    return {name: run() for name, run in runs.items()}


def _memory_rows(extra: dict[str, Sample]) -> Iterable[Row]:
    for meter in ("resident", "traced"):
        for kind in KINDS:
            ours, peer = extra[f"ours {kind} {meter}"], extra[f"peer {kind} {meter}"]
            yield Row(f"golden.check, {kind}: {meter} memory", ours, PEER, peer, unit="MiB", target=Target(PEAK))


def extra_memory(root: Path, check: str, kind: str, size: int, meter: str) -> int:
    """Return the bytes that a check takes above its input, by the process's peak or by what Python allocates."""
    small = array(kind, 100_000)
    work = Stored(root / "ours").check if check == "ours" else partial(by_hand, root / "peer.npy")
    warm = Stored(Path(tempfile.mkdtemp())).record(array("equal", 100_000)).check if check == "ours" else None
    if warm is not None:
        warm(small)  # what is imported and cached once is no cost of the array
    value = array(kind, size)
    if meter == "traced":
        tracemalloc.start()
        work(value)
        return tracemalloc.get_traced_memory()[1]
    before = _peak(reset=True)
    work(value)
    return _peak() - before


def _peak(*, reset: bool = False) -> int:
    """Return the greatest resident memory of this process so far, in bytes; after a reset, what is resident now.

    Linux counts the parent's memory in a child's `ru_maxrss`, so /proc is asked there.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    folder, check, kind, size, meter = sys.argv[1:]
    print(extra_memory(Path(folder), check, kind, int(size), meter))
