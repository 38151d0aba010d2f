"""The global generators of random and numpy: saved, seeded and put back in microseconds, to the last bit."""

from __future__ import annotations

import ctypes
import random
import sys
from collections.abc import Callable
from functools import lru_cache, partial
from types import ModuleType
from typing import Any

from ..errors import UsageError
from .twister import TWISTER_BYTES, State, read_random, write_random

__all__ = [
    "Restore",
    "loaded_polars",
    "numpy_random",
    "refresh_numpy",
    "save_numpy",
    "save_polars",
    "save_random",
    "seed_numpy",
    "seed_polars",
    "seed_random",
    "seeders",
]

Restore = Callable[[], object]


def save_random() -> Restore:
    """Return what puts `random`'s global generator back, its cached Gaussian included."""
    generator = random._inst  # random.getstate itself may have been replaced by a test
    return partial(write_random, generator, read_random(generator))


def seed_random(seed: int) -> None:
    """Seed `random` as `random.seed(seed)` does."""
    write_random(random._inst, _seeded(seed))


@lru_cache(maxsize=4)
def _seeded(seed: int) -> State:
    # Each test seeds four times, mostly with the same number.
    generator = random.Random(seed)  # noqa: S311  # reproducible is what it is to be
    return read_random(generator)


def save_numpy(mtrand: Any) -> Restore:
    """Return what puts numpy's global `RandomState` back: bit generator, its state, the cached Gaussian.

    The legacy `get_state` costs 35 µs and `set_state` 40. The state of a Mersenne Twister is copied as memory
    instead, at the address that numpy publishes. The cached Gaussian is not in it, so one normal is drawn: if that
    left the twister alone it *was* the cached one. Other bit generators take the slow way.
    """
    rand = mtrand._rand
    bits = rand._bit_generator
    memory = _twister(bits)
    if memory is None:
        state = rand.get_state(legacy=False)
        return partial(_restore_other, mtrand, rand, bits, state)
    with bits.lock:
        raw = memory.raw
    gauss = rand.standard_normal()
    with bits.lock:
        cached = memory.raw == raw
    return partial(_restore_twister, mtrand, rand, bits, raw, gauss if cached else None)


@lru_cache(maxsize=2)
def _twister(bits: Any) -> ctypes.Array[ctypes.c_char] | None:
    """Return the memory of a Mersenne Twister of numpy, or None for any other bit generator."""
    if type(bits).__name__ != "MT19937":
        return None
    return (ctypes.c_char * TWISTER_BYTES).from_address(bits.ctypes.state_address)


def _restore_other(mtrand: Any, rand: Any, bits: Any, state: dict[str, Any]) -> None:
    _use(mtrand, rand, bits)
    rand.set_state(state)


def _restore_twister(mtrand: Any, rand: Any, bits: Any, raw: bytes, gauss: float | None) -> None:
    _use(mtrand, rand, bits)
    rand.seed(0)  # the only cheap way to clear a cached Gaussian
    memory = _twister(bits)
    assert memory is not None  # else its state would not have been read as memory
    with bits.lock:
        memory.raw = raw
    if gauss is not None:
        rand.set_state({**rand.get_state(legacy=False), "has_gauss": 1, "gauss": gauss})


def _use(mtrand: Any, rand: Any, bits: Any) -> None:
    mtrand._rand = rand
    if rand._bit_generator is not bits:
        mtrand.set_bit_generator(bits)


def seed_numpy(mtrand: Any, seed: int) -> None:
    """Seed as `np.random.seed(seed)` does; seeds of 2**32 and more, which numpy refuses, as its list of words."""
    rand = mtrand._rand
    bits = rand._bit_generator
    if _twister(bits) is not None:
        rand.seed(seed if seed < 2**32 else [seed % 2**32, seed >> 32])
    else:  # installed by np.random.set_bit_generator: numpy itself can't re-seed it
        rand.set_state(type(rand)(type(bits)(seed)).get_state(legacy=False))


def refresh_numpy(mtrand: Any, words: list[int]) -> None:
    """Seed from real entropy what was imported inside a scope and so seeded itself from the scope's stream."""
    mtrand._rand.seed(words)


def save_polars(polars: Any, fresh: int) -> Restore:
    """Return what gives polars new entropy afterwards: its state can't be read, so it can't be put back."""
    return lambda: polars.set_random_seed(fresh)


def seed_polars(polars: Any, seed: int) -> None:
    """Seed polars' global generator (`DataFrame.sample`, `Series.shuffle` without a seed)."""
    polars.set_random_seed(seed)


@lru_cache(maxsize=1)
def seeders() -> tuple[Callable[[int], object], ...]:
    """Return the seeders registered as `pytest_randomly.random_seeder`; each names itself when it fails.

    Their state can't be put back: the protocol has no way to ask for it.
    """
    from importlib.metadata import entry_points

    return tuple(
        _named(point.name, point.value, point.load) for point in entry_points(group="pytest_randomly.random_seeder")
    )


def _named(name: str, value: str, load: Callable[[], Callable[[int], object]]) -> Callable[[int], object]:
    try:
        seeder = load()
    except Exception as error:
        raise UsageError(f"the random seeder {name!r} ({value}) can't be loaded: {error!r}") from error

    def seed(number: int) -> None:
        try:
            seeder(number)
        except Exception as error:
            raise UsageError(f"the random seeder {name!r} ({value}) failed for seed {number}: {error!r}") from error

    return seed


def numpy_random() -> ModuleType | None:
    """Return `numpy.random.mtrand` once numpy's generators are loaded completely, else None."""
    module = sys.modules.get("numpy.random.mtrand")
    return module if hasattr(module, "_rand") else None


def loaded_polars() -> ModuleType | None:
    """Return polars once it is loaded completely, else None."""
    module = sys.modules.get("polars")
    return module if hasattr(module, "set_random_seed") else None
