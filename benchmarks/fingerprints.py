"""Fingerprints of live values, large and small, beside the hashes that people use today, all in one run."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import joblib
import numpy as np
import pandas as pd
import torch
from blake3 import blake3
from dask.base import tokenize
from datasets.fingerprint import Hasher
from measuring import Sample, interleaved, timed
from showing import Row, Target, show
from sklearn.ensemble import RandomForestRegressor

from pytest_mlrepro import fingerprint

CHUNK = 4 << 20
HAND = "blake3 over 4 MiB chunks, all cores"
SINGLE = "blake3 over the buffers, one thread"
PEERS: Mapping[str, Callable[[Any], object]] = {
    "joblib.hash": joblib.hash,
    "dask tokenize": tokenize,
    "datasets Hasher": Hasher.hash,
}
WORDS = np.array([f"word{number}" for number in range(1000)])
NESTED = {
    "model": {"layers": [64, 32, 10], "act": "relu", "p": 0.5, "opt": {"lr": 1e-3, "betas": (0.9, 0.99), "wd": None}},
    "data": {"name": "digits", "split": [0.8, 0.2], "shuffle": True},
    "seed": 7,
}


def measure(*, quick: bool) -> list[Row]:
    """Print and return the cost of fingerprints of live values."""
    return [*_large(quick), *_tables(quick), *_small(quick)]


def by_hand(buffers: Sequence[memoryview]) -> list[bytes]:
    """Hash bytes as they lie, as well as one can without this package."""
    pieces = [buffer[at : at + CHUNK] for buffer in buffers for at in range(0, len(buffer), CHUNK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda piece: blake3(piece).digest(), pieces))


def in_one_thread(buffers: Sequence[memoryview]) -> list[bytes]:
    """Hash each buffer with one call."""
    return [blake3(buffer).digest() for buffer in buffers]


def by_sha256(buffers: Sequence[memoryview]) -> list[str]:
    """Hash each buffer as people do with the standard library."""
    return [hashlib.file_digest(_Held(buffer), "sha256").hexdigest() for buffer in buffers]  # type: ignore[type-var]


class _Held(io.RawIOBase):
    """A buffer as the file that `hashlib.file_digest` wants, without a copy."""

    def __init__(self, buffer: memoryview) -> None:
        self._left = buffer

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        size = min(len(target), len(self._left))
        target[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def _large(quick: bool) -> list[Row]:
    size, rounds = (1 << 23, 1) if quick else (1 << 30, 5)
    array = np.random.default_rng(7).random(size // 4, dtype=np.float32)
    state = {f"layer{number}.weight": torch.rand(size // 64) for number in range(16)}
    forest = _forest(10 if quick else 100)
    saved = io.BytesIO()
    joblib.dump(forest, saved)
    rows = [
        *_bytes(f"array of float32, {size >> 20} MiB", array, [array.view(np.uint8).data], rounds),
        *_bytes(
            f"16 tensors, {size >> 20} MiB", state, [t.numpy().view(np.uint8).data for t in state.values()], rounds
        ),
        *_rows(
            f"random forest, {saved.tell() / 1e6:.0f} MB",
            {"ours": partial(fingerprint, forest), **_peers(forest)},
            rounds,
        ),
    ]
    return show("Fingerprints of large values", rows, f"Medians of {rounds} interleaved rounds.")


def _bytes(what: str, value: object, buffers: Sequence[memoryview], rounds: int) -> Iterator[Row]:
    works = {"ours": partial(fingerprint, value), HAND: partial(by_hand, buffers), **_peers(value)}
    works["hashlib sha256"] = partial(by_sha256, buffers)
    return _rows(what, works, rounds, {HAND: Target(1 / 0.8, of="ratio")})


def _forest(trees: int) -> RandomForestRegressor:
    rng = np.random.default_rng(7)
    return RandomForestRegressor(trees, random_state=0).fit(rng.random((2500, 10)), rng.random(2500))


def _tables(quick: bool) -> list[Row]:
    """A frame of five numeric and two string columns, its strings as Arrow keeps them and as Python's objects."""
    length, rounds = (10_000, 1) if quick else (10_000_000, 5)
    frame = _frame(length, "str")
    works = {"ours": partial(fingerprint, frame), SINGLE: partial(in_one_thread, _buffers(frame)), **_peers(frame)}
    works |= {HAND: partial(by_hand, _buffers(frame)), "hash_pandas_object": partial(pd.util.hash_pandas_object, frame)}
    rows = list(_rows(f"frame of {length:,} rows, str", works, rounds, {SINGLE: Target(150)}))
    objects = _frame(length // 10, "object")
    works = {"ours": partial(fingerprint, objects), **_peers(objects)}
    works["hash_pandas_object"] = partial(pd.util.hash_pandas_object, objects)
    rows += _rows(f"frame of {length // 10:,} rows, object", works, min(rounds, 2))
    note = (
        f"Medians of {rounds} interleaved rounds. The target in ms is what hashing the buffers took where it was set."
    )
    return show("Fingerprints of tables", rows, note)


def _frame(length: int, text: str) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    numbers = {f"x{number}": rng.random(length) for number in range(4)}
    words = {name: pd.Series(WORDS[rng.integers(0, 1000, length)], dtype=text) for name in ("s", "t")}
    return pd.DataFrame({**numbers, "i": rng.integers(0, 1000, length), **words})


def _buffers(frame: pd.DataFrame) -> list[memoryview]:
    """Return the memory of all columns, without a copy: of strings the offsets and the text."""
    found: list[memoryview] = []
    for _, column in frame.items():
        if isinstance(column.dtype, np.dtype):
            found.append(memoryview(column.to_numpy()).cast("B"))
            continue
        array = column.array.__arrow_array__()
        for chunk in getattr(array, "chunks", [array]):
            found += [memoryview(buffer) for buffer in chunk.buffers()[1:]]
    return found


def _small(quick: bool) -> list[Row]:
    """What is hashed again and again: metrics, configurations, records."""
    rounds = 1 if quick else 15
    values = {
        "dict of 20 floats": ({f"k{number}": number * 0.5 for number in range(20)}, 500),
        "nested configuration": (NESTED, 500),
        "list of 1,000 dicts": ([{"id": n, "x": n * 0.5, "name": f"n{n}"} for n in range(1000)], 5),
        "list of 100 small arrays": (list(np.random.default_rng(7).random((100, 10))), 50),
        "float": (0.5, 500),
        "array of 10 floats": (np.arange(10.0), 500),
    }
    rows: list[Row] = []
    for what, (value, turns) in values.items():
        turns = 2 if quick else turns
        works = {"ours": partial(_often, fingerprint, value, turns)}
        works |= {name: partial(_often, peer, value, turns) for name, peer in PEERS.items()}
        target = None if what == "float" else Target(0.25, of="ratio", by="cpu")
        rows += _compared(what, interleaved(works, rounds), {"joblib.hash": target}, unit="µs")
    note = f"Medians of {rounds} interleaved rounds of many calls each."
    return show("Fingerprints of small values", rows, note)


def _often(work: Callable[[Any], object], value: object, turns: int) -> Sample:
    def repeat() -> None:
        for _ in range(turns):
            work(value)

    return timed(repeat) / turns


def _peers(value: object) -> dict[str, Callable[[], object]]:
    return {name: partial(peer, value) for name, peer in PEERS.items()}


def _rows(
    what: str, works: Mapping[str, Callable[[], object]], rounds: int, targets: Mapping[str, Target] | None = None
) -> Iterator[Row]:
    cost = interleaved({name: partial(timed, work) for name, work in works.items()}, rounds)
    return _compared(what, cost, targets or {}, unit="ms")


def _compared(what: str, cost: dict[str, Sample], targets: Mapping[str, Target | None], *, unit: Any) -> Iterator[Row]:
    for name, sample in cost.items():
        if name != "ours":
            yield Row(what, cost["ours"], name, sample, unit=unit, target=targets.get(name))
