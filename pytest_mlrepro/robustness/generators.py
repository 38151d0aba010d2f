"""Random numbers of each sample's own, so that its result depends neither on its batch nor on its place in the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from .inputs import Floats

__all__ = ["drawn", "keys_of", "own_generators", "uniform_turns"]

_AT_ONCE = 1 << 17
"""Numbers that one sample's generator draws at once; making a generator costs as much as some thousand of them."""


def keys_of(x: Floats, labels: NDArray[Any], seed: int) -> NDArray[np.uint64]:
    """Return a number for each sample made from its content, its label and the seed: (samples, ...) to (samples,).

    Equal samples get equal numbers; the order of the numbers is a random order of the samples.
    """
    rows = np.ascontiguousarray(x, "<f8").reshape(len(x), -1) + 0.0  # -0.0 and 0.0 are one input
    salt = seed.to_bytes(8, "little")
    keys = [
        int.from_bytes(blake3(row.tobytes() + str(label).encode() + salt).digest(8), "little")
        for row, label in zip(rows, labels.tolist(), strict=True)
    ]
    return np.array(keys, np.uint64)


def drawn(
    keys: NDArray[np.uint64], purpose: Sequence[int], draw: Callable[[np.random.Generator], NDArray[Any]]
) -> NDArray[Any]:
    """Return what each sample's generator draws for this purpose, stacked: (samples, *shape of a draw)."""
    return np.stack([draw(rng) for rng in own_generators(keys, purpose)])


def own_generators(keys: NDArray[np.uint64], purpose: Sequence[int]) -> list[np.random.Generator]:
    """Return each sample's generator for this purpose."""
    return [np.random.Generator(np.random.PCG64([int(key), *purpose])) for key in keys]


def uniform_turns(keys: NDArray[np.uint64], purpose: int, numbers: int, turns: int) -> Iterator[NDArray[np.float64]]:
    """Yield for each turn numbers in [0, 1), (samples, numbers), the same for a sample whatever the others are."""
    length = max(1, min(64, _AT_ONCE // numbers))
    for first in range(0, turns, length):
        block = drawn(keys, (purpose, first), lambda rng: rng.random((length, numbers)))
        yield from (block[:, turn] for turn in range(min(length, turns - first)))
