"""Ways to get another result from the same code, each beside the same work done so that it repeats: Python and numpy."""

import os
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import lru_cache
from pathlib import Path

import numpy as np

WORDS = ("age", "income", "city", "zip", "phone", "income")


def noisy_weights():
    rng = np.random.default_rng()  # no seed
    return rng.normal(size=4)


def seeded_weights():
    rng = np.random.default_rng(0)
    return rng.normal(size=4)


def run_name():
    key = uuid.uuid4()
    return np.array([key.int % 1_000_003])


def fixed_run_name():
    key = uuid.UUID(int=7)
    return np.array([key.int % 1_000_003])


def clock_seed():
    seed = time.time_ns() % 2**32
    return np.random.default_rng(seed).normal(size=4)


def clock_only_logged():
    started = time.perf_counter()
    drawn = np.random.default_rng(3).normal(size=4)
    print(f"{time.perf_counter() - started:.3f} s")
    return drawn


def vocabulary():
    columns = {word: number for number, word in enumerate(set(WORDS))}
    return np.array([columns[word] for word in WORDS])


def sorted_vocabulary():
    columns = {word: number for number, word in enumerate(sorted(set(WORDS)))}
    return np.array([columns[word] for word in WORDS])


def hashing_trick():
    counts = np.zeros(16)
    for word in WORDS:
        counts[hash(word) % 16] += 1
    return counts


def stable_hashing_trick():
    counts = np.zeros(16)
    for word in WORDS:
        counts[sum(word.encode()) % 16] += 1
    return counts


@lru_cache(maxsize=1)
def shards():
    folder = tempfile.TemporaryDirectory()
    for number in range(6):
        (Path(folder.name) / f"shard-{number}.txt").write_text(str(number * 1.25), "utf-8")
    return folder


def read_shards():
    names = os.listdir(shards().name)  # noqa: PTH208  # as most people write it
    return np.array([float((Path(shards().name) / name).read_text("utf-8")) for name in names])


def read_sorted_shards():
    names = sorted(os.listdir(shards().name))  # noqa: PTH208
    return np.array([float((Path(shards().name) / name).read_text("utf-8")) for name in names])


def padded():
    table = np.empty((64, 16))
    table[:63] = 1.0  # the last row is left as it was
    return table


def padded_whole():
    table = np.empty((64, 16))
    table[:63], table[63] = 1.0, 0.0
    return table


def share(number):
    time.sleep(0.001)
    rng = np.random.default_rng(number)
    return float(rng.normal() * 10.0 ** rng.integers(17))


def sum_as_completed():
    total = 0.0
    with ThreadPoolExecutor(8) as pool:
        for future in as_completed([pool.submit(share, number) for number in range(200)]):
            total += future.result()
    return np.array([total])


def sum_as_submitted():
    total = 0.0
    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(share, number) for number in range(200)]:
            total += future.result()
    return np.array([total])
