"""The Mersenne Twister of `random`, copied as memory: its getstate and setstate take 9 and 3 µs."""

from __future__ import annotations

import ctypes
import random
import sys
from array import array
from functools import lru_cache

__all__ = ["TWISTER_BYTES", "read_random", "write_random"]

TWISTER_BYTES = 625 * 4
"""624 words of 32 bits and a position."""

State = tuple[bytes | tuple[object, ...], float | None]
"""Memory (or, where the layout is not the known one, `getstate()`), and the cached Gaussian."""


def read_random(generator: random.Random) -> State:
    """Return the whole state of a generator."""
    memory = _memory(generator)
    return (generator.getstate() if memory is None else memory.raw), generator.gauss_next  # type: ignore[attr-defined]  # typeshed lacks it


def write_random(generator: random.Random, state: State) -> None:
    """Put a state of the same generator, or of another one of the same class, into it."""
    memory, (content, gauss) = _memory(generator), state
    if isinstance(content, tuple):
        generator.setstate(content)
    elif memory is not None:
        memory.raw = content  # unlike memmove, this keeps the interpreter's lock
    generator.gauss_next = gauss  # type: ignore[attr-defined]  # as above


@lru_cache(maxsize=2)
def _memory(generator: random.Random) -> ctypes.Array[ctypes.c_char] | None:
    """Return the bytes of `{PyObject_HEAD; int index; uint32_t state[624]}`, or None if getstate tells otherwise.

    This layout is CPython's own business (Modules/_randommodule.c, unchanged since 2.3), hence checked in each
    process.
    """
    size = object.__basicsize__ + TWISTER_BYTES
    if sys.implementation.name != "cpython" or random.Random.__basicsize__ < size:
        return None
    memory = (ctypes.c_char * TWISTER_BYTES).from_address(id(generator) + object.__basicsize__)
    *words, index = generator.getstate()[1]
    return memory if memory.raw == array("I", [index, *words]).tobytes() else None
