"""Whether equal rows are news: in a table of few categories different rows coincide, and a split is not to blame for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .parts import Part
from .rows import Hashed, Matches, Read

__all__ = ["by_chance"]

SAMPLE: Final = 20_000
SLACK: Final = 3.0
"""How many times as many rows coincide in tables whose columns hang together as if they were independent."""
SURPRISE: Final = {False: 0.2, True: 0.001}
"""Probabilities below which it is no chance: equal rows are a fact, and one too many is said; nearness is a judgement."""
SIGMAS: Final = 4.0
AROUND: Final = 10
"""Values on either side by which it is told how dense numbers are."""
MORE: Final = 0.05


def by_chance(
    parts: Sequence[Part],
    hashes: Sequence[Hashed],
    at: tuple[int, int],
    found: Matches,
    features: Sequence[str],
    *,
    near: bool,
) -> bool:
    """Tell whether so many rows of part `at[1]` would be in part `at[0]` if both were drawn independently.

    They would if columns are so coarse that so many are no surprise (Poisson, SURPRISE) where `SLACK` times the coincidences of
    independent columns are expected, and if rows of the second part are not more often in the first (four standard
    errors and five points) than rows of the first part come again within it. A row that is there once by itself counts
    for no frequency; rounded numbers have the frequency of their neighbourhood.
    """
    one, two = (hashes[part].near[0] if near else hashes[part].features for part in at)
    share = len(found.here) / len(two)
    within = _recurring(one)
    deviation = math.sqrt(max(within * (1 - within), 1e-12) * (1 / len(one) + 1 / len(two)))
    if share - within > max(SIGMAS * deviation, MORE) and within < 1:
        return False
    return _as_many(len(found.here), SLACK * _expected(parts, at, one, two, features, near=near)) >= SURPRISE[near]


def _as_many(count: int, mean: float) -> float:
    """Return P(X >= count) of a Poisson distribution; for large means Chernoff's bound of it."""
    if count <= mean or not count:
        return 1.0
    if mean > 500 or count > 500:
        return math.exp(count - mean + count * math.log(mean / count)) if mean else 0.0
    below = sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count)) if mean else 1.0
    return max(0.0, 1 - below)


def _recurring(rows: Any) -> float:
    """Return the share of rows that come again within a part."""
    ordered = np.sort(rows)
    same = ordered[1:] == ordered[:-1]
    again = np.concatenate([same, [False]]) | np.concatenate([[False], same])
    return float(again.mean())


def _expected(
    parts: Sequence[Part], at: tuple[int, int], one: Any, two: Any, features: Sequence[str], *, near: bool
) -> float:
    """Return how many rows of the second part would be in the first if the columns were independent of each other."""
    samples = [_drawn(one), _drawn(two)]
    chance = np.zeros(len(samples[1]))  # logarithm of the share of the first part's rows that equal each row
    with np.errstate(divide="ignore"):
        for name in features:
            read = Read.of(name, parts)
            values = []
            for part, sample in zip(at, samples, strict=True):
                bits = read.bits(part)
                values.append((read.near(part, bits)[0] if near else bits)[sample])
            dense = near and read.grid is not None
            chance += np.log(_frequency(*values, dense=dense))
    expected = -np.expm1(-len(one) * np.exp(chance))
    return float(expected.sum()) * len(two) / len(samples[1])


def _frequency(one: Any, two: Any, *, dense: bool) -> Any:
    """Return the share of the values `one` that equal each value of `two`, one copy of it aside.

    dense: values are numbers of cells, and the share is at least that of a cell in the surroundings.
    """
    ordered = np.sort(one)
    count = np.searchsorted(ordered, two, "right") - np.searchsorted(ordered, two, "left")
    share = np.maximum(count - 1, 0) / len(ordered)
    if not dense:
        return share
    cells, asked = np.sort(one.view(np.float64)), two.view(np.float64)
    at = np.searchsorted(cells, asked)
    low, high = np.maximum(at - AROUND, 0), np.minimum(at + AROUND, len(cells) - 1)
    with np.errstate(invalid="ignore"):
        width = np.nan_to_num(cells[high] - cells[low], nan=np.inf, posinf=np.inf)
    return np.maximum(share, (high - low) / len(cells) / np.maximum(width, 1.0))


def _drawn(rows: Any) -> Any:
    """Return positions of the rows with the smallest numbers: a sample that doesn't depend on their order."""
    return np.argpartition(rows, SAMPLE)[:SAMPLE] if len(rows) > SAMPLE else np.arange(len(rows))
