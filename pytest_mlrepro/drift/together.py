"""How columns of numbers go together: rank correlations of all pairs, from rows that are seen once and not kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .numeric import NumberProfile
from .statistics import Numbers

__all__ = ["MOST", "Change", "Correlations", "Products", "changes", "correlations", "cuts", "products", "some_rows"]

MOST: Final = 100
"""Columns of numbers that are paired; of a wider frame the first ones."""
CLASSES: Final = 16
BLOCK: Final = 1 << 16
"""Rows; sums over a block of products of codes below 16 are exact in float32, whatever the order of the rows."""


@dataclass(frozen=True, slots=True)
class Correlations:
    """Correlations of pairs of columns, each column by the sixteenth of the reference that its values are in."""

    names: tuple[str, ...]
    values: Numbers
    """Shape (columns, columns); NaN where one of the two does not vary."""
    rows: Numbers
    """Rows in which both are known; shape (columns, columns)."""

    def only(self, names: Sequence[str]) -> Correlations:
        """Return those of some columns."""
        at = [self.names.index(name) for name in names]
        return Correlations(tuple(names), self.values[np.ix_(at, at)], self.rows[np.ix_(at, at)])


@dataclass(frozen=True, slots=True)
class Products:
    """Sums over rows in which both columns are known: what correlations are made of. They add up over parts of a frame."""

    rows: Numbers
    sums: Numbers
    squares: Numbers
    products: Numbers

    def plus(self, other: Products, sign: int = 1) -> Products:
        """Return the sums over both parts, or with -1 those without the other part; exact, since all are whole numbers."""
        return Products(
            self.rows + sign * other.rows,
            self.sums + sign * other.sums,
            self.squares + sign * other.squares,
            self.products + sign * other.products,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A pair of columns whose correlation differs."""

    one: str
    two: str
    then: float
    now: float
    rows: float
    """Of the sample, in which both are known."""
    tail: float


def cuts(profile: NumberProfile) -> Numbers:
    """Return the values that cut the reference into sixteen parts, as far as ties allow; shape (at most 15,)."""
    if not len(profile.edges):
        return profile.edges
    ranks = np.arange(1, CLASSES) / CLASSES * profile.counts.values
    at = np.minimum(np.searchsorted(profile.counts.upto, ranks), len(profile.edges) - 1)
    return np.unique(profile.edges[at])


def products(columns: Sequence[Numbers], limits: Sequence[Numbers]) -> Products:
    """Return the sums over all rows; `columns` of shape (rows,) each with NaN for nulls, `limits` as `cuts` gives them."""
    size, rows = len(columns), len(columns[0])
    total = Products(*(np.zeros((size, size)) for _ in range(4)))
    for start in range(0, rows, BLOCK):
        parts = [column[start : start + BLOCK] for column in columns]
        total = total.plus(_block(parts, limits))
    return total


def some_rows(columns: Sequence[Numbers]) -> Sequence[Numbers]:
    """Return all rows of a sample, or of a large one 131,072 in blocks from all over it.

    More rows would change a correlation by thousandths. A reference counts all, so that the order of its rows doesn't matter.
    """
    rows, blocks, size = len(columns[0]), 32, 1 << 12
    if rows <= blocks * size:
        return columns
    starts = np.sort(np.random.default_rng(20240).choice(rows // size, blocks, replace=False)) * size
    return [np.concatenate([column[start : start + size] for start in starts]) for column in columns]


def _block(parts: Sequence[Numbers], limits: Sequence[Numbers]) -> Products:
    codes = np.array([_codes(part, limit) for part, limit in zip(parts, limits, strict=True)], np.float32)
    known = np.array([part == part for part in parts])
    both = codes @ codes.T
    if known.all():
        size = np.full(both.shape, len(parts[0]), np.float64)
        sums = np.repeat(codes.sum(1, dtype=np.float64)[:, None], len(parts), 1)
        squares = np.repeat(np.diag(both).astype(np.float64)[:, None], len(parts), 1)
        return Products(size, sums, squares, both.astype(np.float64))
    mask = known.astype(np.float32)
    wide = ((mask @ mask.T), (codes @ mask.T), ((codes * codes) @ mask.T), both)
    return Products(*(part.astype(np.float64) for part in wide))


def _codes(values: Numbers, limits: Numbers) -> Any:
    """Return in which part of the reference each value is; 0 for the lowest and for nulls.

    Fifteen comparisons of a whole block take a tenth of what a binary search for each value takes.
    """
    codes = np.zeros(len(values), np.uint8)
    for limit in limits:
        codes += values > limit
    return codes


def correlations(names: Sequence[str], sums: Products) -> Correlations:
    """Return the correlations that the sums give."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums.sums / sums.rows
        spread = sums.squares / sums.rows - mean**2
        together = sums.products / sums.rows - mean * mean.T
        values = together / np.sqrt(spread * spread.T)
    values[~np.isfinite(values)] = np.nan
    return Correlations(tuple(names), np.clip(values, -1, 1), sums.rows)


def changes(then: Correlations, now: Correlations, skip: set[str]) -> list[Change]:
    """Return the pairs of columns, without those in `skip`, with the p-value of Fisher's z for each.

    The variance is Bonett and Wright's (2000) for rank correlations.
    """
    use = [at for at, name in enumerate(then.names) if name not in skip]
    found = []
    for place, one in enumerate(use):
        for two in use[:place]:
            change = _change(then, now, two, one)
            if change is not None:
                found.append(change)
    return found


def _change(then: Correlations, now: Correlations, one: int, two: int) -> Change | None:
    before, after = float(then.values[one, two]), float(now.values[one, two])
    rows = float(then.rows[one, two]), float(now.rows[one, two])
    if math.isnan(before) or math.isnan(after) or min(rows) < 10:
        return None
    limit = 0.999999
    gap = math.atanh(max(-limit, min(after, limit))) - math.atanh(max(-limit, min(before, limit)))
    variance = sum((1 + r * r / 2) / (n - 3) for r, n in zip((before, after), rows, strict=True))
    tail = math.erfc(abs(gap) / math.sqrt(2 * variance))
    return Change(then.names[one], then.names[two], before, after, rows[1], tail)
