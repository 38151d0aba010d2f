"""Functions that repeat and such that don't, importable by the processes that `assert_reproducible` starts."""

import os
import random

import numpy as np

COUNT = [0]


def steady(n=3):
    return np.arange(n, dtype=np.float64)


def unseeded():
    return np.random.default_rng().random(3)


def global_draw():
    return random.random(), np.random.random()


def words(n):
    return list({f"w{i}" for i in range(n)})


def sorted_words(n):
    return sorted({f"w{i}" for i in range(n)})


def unfilled():
    rows = np.empty((500, 500))
    rows[:-1] = 0
    return np.sort(rows[-1])[-3:]


def listed(folder):
    return os.listdir(folder)


def sorted_listing(folder):
    return sorted(os.listdir(folder))


def counting():
    COUNT[0] += 1
    return COUNT[0]


def counts_from_import():
    """Repeats in each process but not across them, once COUNT was touched here."""
    return COUNT[0]


def add_one_in_place(array):
    before = array.copy()
    array += 1
    return before


def crash_when_perturbed():
    if "MALLOC_PERTURB_" in os.environ:
        os._exit(3)
    return 1.0


def raise_in_child(pid):
    if os.getpid() != pid:
        raise ValueError("not here")
    return 1.0


def raises_second_time():
    COUNT[0] += 1
    if COUNT[0] % 2 == 0:
        raise ValueError("every second time")
    return 1.0


def objects():
    return np.array([{"a": 1}, None, "x"], dtype=object)


async def later():
    return 3.0


def nothing():
    return None


def empty():
    return {"a": np.zeros(0), "b": []}


class Model:
    """A callable with state, sent to other processes as it is."""

    def __init__(self, scale):
        self.scale = scale

    def __call__(self, x):
        return x * self.scale

    def predict(self, x):
        return [hash(str(one)) % 1000 * self.scale for one in x]
