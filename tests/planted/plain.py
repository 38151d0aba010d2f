"""Sources that need Python and numpy only."""

from __future__ import annotations

import os
import random
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from tests.planted import Planted

__all__ = ["SOURCES"]

WORDS = (
    *("the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"),
    *("while", "eleven", "wise", "owls", "watch", "from", "every", "tall", "elm"),
)


def unseeded_rng():
    rng = np.random.default_rng()  # parts: unseeded_rng
    weights = rng.normal(size=8)
    return weights * 2


def seeded_rng():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=8)
    return weights * 2


def unseeded_random():
    dice = random.Random()  # parts: unseeded_random
    return np.array([dice.random() for _ in range(4)])


def seeded_random():
    dice = random.Random(0)
    return np.array([dice.random() for _ in range(4)])


def uuid_feature():
    key = uuid.uuid4()  # parts: uuid_feature
    return np.array([key.int % 1_000_003])


def counted_feature():
    key = uuid.UUID(int=7)
    return np.array([key.int % 1_000_003])


def time_seed():
    started = time.time_ns()  # parts: time_seed
    rng = np.random.default_rng(started % 2**32)
    return rng.normal(size=4)


def timed_but_seeded():
    started = time.perf_counter()  # a clock that no result depends on
    rng = np.random.default_rng(3)
    drawn = rng.normal(size=4)
    elapsed = time.perf_counter() - started
    assert elapsed >= 0
    return drawn


class Row:
    def __init__(self, value):
        self.value = value


_kept: list[object] = []


def litter_objects():
    """Leave holes among the objects, so that new ones don't lie in the order in which they are made."""
    litter = [Row(number) for number in range(400)]
    dice = random.Random()
    dice.shuffle(litter)
    _kept.append(litter[:100])


def order_by_id():
    rows = [Row(value) for value in range(100)]
    ordered = sorted(rows, key=id)  # parts: order_by_id
    return np.array([row.value for row in ordered])


def order_by_value():
    rows = [Row(value) for value in range(100)]
    ordered = sorted(rows, key=lambda row: row.value)
    return np.array([row.value for row in ordered])


def set_of_strings():
    vocabulary = set(WORDS)
    columns = {word: number for number, word in enumerate(vocabulary)}  # parts: set_of_strings
    return np.array([columns[word] for word in WORDS])


def sorted_strings():
    vocabulary = set(WORDS)
    columns = {word: number for number, word in enumerate(sorted(vocabulary))}
    return np.array([columns[word] for word in WORDS])


def hashed_features():
    counts = np.zeros(64)
    for word in WORDS:
        slot = hash(word) % 64  # parts: hashed_features
        counts[slot] += 1
    return counts


def stable_features():
    counts = np.zeros(64)
    for word in WORDS:
        slot = sum(word.encode()) % 64
        counts[slot] += 1
    return counts


def draws(rng):
    drawn = np.zeros(40)
    for number in range(40):
        time.sleep(0.0002)
        drawn[number] = rng.random()  # parts: shared_generator
    return drawn


def shared_generator():
    rng = np.random.default_rng(0)
    with ThreadPoolExecutor(2) as pool:
        halves = list(pool.map(draws, [rng, rng]))
    return np.array(halves)


def generator_each():
    with ThreadPoolExecutor(2) as pool:
        halves = list(pool.map(draws, np.random.default_rng(0).spawn(2)))
    return np.array(halves)


def part(number):
    time.sleep(0.001)
    rng = np.random.default_rng(number)
    return float(rng.normal() * 10.0 ** rng.integers(17))


def as_completed_sum():
    total = 0.0
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(part, number) for number in range(200)]
        for future in as_completed(futures):  # parts: as_completed_sum
            total += future.result()
    return np.array([total])


def submitted_sum():
    total = 0.0
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(part, number) for number in range(200)]
        for future in futures:
            total += future.result()
    return np.array([total])


def imap_unordered_sum():
    total = 0.0
    with get_context("fork").Pool(2) as pool:
        for value in pool.imap_unordered(part, range(200)):  # parts: imap_unordered_sum
            total += value
    return np.array([total])


def imap_sum():
    total = 0.0
    with get_context("fork").Pool(2) as pool:
        for value in pool.imap(part, range(200)):
            total += value
    return np.array([total])


def unfilled_row():
    table = np.empty((64, 16))  # parts: unfilled_row
    for number in range(63):
        table[number] = number
    return table


def filled_rows():
    table = np.empty((64, 16))
    for number in range(64):
        table[number] = number
    return table


@lru_cache(maxsize=1)
def folder():
    """A folder of eight files that stays as long as the process."""
    kept = tempfile.TemporaryDirectory(prefix="planted")
    for number in range(8):
        (Path(kept.name) / f"shard-{number}.txt").write_text(str(number * 1.25), "utf-8")
    return kept


def listdir_order():
    home = folder().name
    names = os.listdir(home)  # parts: listdir_order
    return np.array([float((Path(home) / name).read_text("utf-8")) for name in names])


def sorted_listdir():
    home = folder().name
    names = sorted(os.listdir(home))
    return np.array([float((Path(home) / name).read_text("utf-8")) for name in names])


SOURCES = (
    Planted(unseeded_rng, seeded_rng, "numpy.random.default_rng", "was not seeded", mended="entropy"),
    Planted(unseeded_random, seeded_random, "random.Random", "was not seeded", mended="entropy"),
    Planted(uuid_feature, counted_feature, "uuid.uuid4", "entropy", mended="entropy"),
    Planted(time_seed, timed_but_seeded, "time.time_ns", "clock"),
    Planted(order_by_id, order_by_value, "order_by_id", "id()", sometimes=True, before=litter_objects),
    Planted(set_of_strings, sorted_strings, "set_of_strings", "PYTHONHASHSEED", varied="hashseed"),
    Planted(hashed_features, stable_features, "hash", "PYTHONHASHSEED", varied="hashseed"),
    Planted(
        shared_generator, generator_each, "Generator.random", "shared by threads", sometimes=True,
    ),
    Planted(
        as_completed_sum, submitted_sum, "concurrent.futures.as_completed", "order in which threads finish",
        sometimes=True,
    ),
    Planted(
        imap_unordered_sum, imap_sum, "imap_unordered", "order in which processes finish", sometimes=True,
    ),
    Planted(unfilled_row, filled_rows, "numpy.empty", "never written", varied="malloc"),
    Planted(listdir_order, sorted_listdir, "os.listdir", "order of a folder", varied="folders", before=folder),
)  # fmt: skip
