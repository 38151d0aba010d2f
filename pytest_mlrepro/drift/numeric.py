"""A column of numbers as counts at its quantiles: what a reference keeps of it, and how far another one is from that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .statistics import Numbers

__all__ = [
    "EDGES",
    "Moved",
    "NumberCounts",
    "NumberProfile",
    "counted",
    "moved",
    "points",
    "positions",
    "profiled",
    "slack",
]

EDGES: Final = 1001
"""Quantiles that are kept: a distance between two distributions is missed by a thousandth at most."""


@dataclass(frozen=True, slots=True)
class NumberCounts:
    """A column of numbers (seconds since 1970 for dates), seen at given edges. NaN counts as null."""

    rows: int
    nulls: int
    infinite: int
    below: Numbers
    """Values smaller than each edge; shape (edges,)."""
    upto: Numbers
    """Values at most as large; both are kept, so that ties and point masses are told exactly."""
    median: float
    mean: float
    """Mean, standard deviation and extremes are those of the finite values; NaN where there is none."""
    sd: float
    low: float
    high: float

    @property
    def values(self) -> int:
        """Return how many rows are not null."""
        return self.rows - self.nulls


@dataclass(frozen=True, slots=True)
class NumberProfile:
    """What is kept of a column of numbers: quantiles, and how many rows lie below and up to each."""

    edges: Numbers
    counts: NumberCounts


@dataclass(frozen=True, slots=True)
class Moved:
    """Where two distributions are farthest apart."""

    distance: float
    """Kolmogorov and Smirnov's D, over the edges of the reference."""
    at: float
    then: float
    """Share of the reference's rows below `at` (or up to it)."""
    now: float
    strictly: bool


def positions(size: int, count: int = EDGES) -> Numbers:
    """Return which of `size` sorted values are kept as quantiles; exact order statistics, so each engine finds the same."""
    return np.unique(np.rint(np.linspace(0, size - 1, min(size, count))).astype(np.int64)) if size else np.zeros(0, int)


def profiled(values: Numbers, *, edges: int = EDGES) -> NumberProfile:
    """Return what is kept of numbers, NaN among them for nulls; shape (rows,)."""
    known = _sorted(values)
    finite = _finite(known)
    chosen = np.unique(finite[positions(len(finite), edges)])
    return NumberProfile(chosen, _counts(known, len(values), chosen))


def counted(values: Numbers, edges: Numbers, *, moments: bool = True) -> NumberCounts:
    """Return numbers, NaN among them for nulls, as counts at the edges of a reference; mean and deviation only if asked."""
    return _counts(_sorted(values), len(values), edges, moments=moments)


def slack(profile: NumberProfile) -> float:
    """Return how far values may be shifted without that mattering: 0.015 standard deviations.

    A hair's breadth moves all of a value that many rows have: 0.01 more on each count of 3 is another value, to a test. Of
    long-tailed columns it is at most 0.03 of the deviation that the middle half of the values has.
    """
    counts = profile.counts
    if not len(profile.edges) or not counts.sd > 0 or not math.isfinite(counts.sd):
        return 0.0
    at = np.minimum(np.searchsorted(counts.upto, np.array([0.25, 0.75]) * counts.values), len(profile.edges) - 1)
    middle = float(np.diff(profile.edges[at])[0]) / 1.349
    return min(0.015 * counts.sd, 0.03 * middle) if middle > 0 else 0.015 * counts.sd


def points(profile: NumberProfile) -> Numbers:
    """Return where a sample is to be counted: on the edges, and by the slack on each side of them."""
    far = slack(profile)
    return (
        np.unique(np.concatenate([profile.edges - far, profile.edges, profile.edges + far])) if far else profile.edges
    )


def moved(then: NumberProfile, now: NumberCounts) -> Moved:
    """Return how far apart the two are; both must have values, and `now` is counted at the `points` of `then`.

    The distance is Kolmogorov and Smirnov's D, as far as no shift by the slack explains it (as in Lévy's metric).
    """
    if not len(then.edges):
        return Moved(0.0, math.nan, 0.0, 0.0, strictly=False)
    far, where = slack(then), points(then)
    low, same, high = (np.searchsorted(where, then.edges + by) for by in (-far, 0.0, far))
    best = Moved(-1.0, math.nan, 0.0, 0.0, strictly=False)
    for strictly, one, two in ((False, then.counts.upto, now.upto), (True, then.counts.below, now.below)):
        before, after = one / then.counts.values, two / now.values
        gaps = np.maximum(np.maximum(before - after[high], after[low] - before), 0.0)
        at = int(gaps.argmax())
        if gaps[at] > best.distance:
            best = Moved(float(gaps[at]), float(then.edges[at]), float(before[at]), float(after[same[at]]), strictly)
    return best


def _sorted(values: Numbers) -> Numbers:
    """Return the numbers that are not NaN in order; all that follows is made from these, so the order of rows is forgotten."""
    ordered = np.sort(values)  # NaN comes last
    return ordered[: int(np.searchsorted(ordered, np.nan))] if len(ordered) and ordered[-1] != ordered[-1] else ordered


def _finite(ordered: Numbers) -> Numbers:
    low, high = np.searchsorted(ordered, -math.inf, "right"), np.searchsorted(ordered, math.inf, "left")
    return ordered[int(low) : int(high)]


def _counts(ordered: Numbers, rows: int, edges: Numbers, *, moments: bool = True) -> NumberCounts:
    finite = _finite(ordered)
    some = len(finite) > 0
    mean, sd = _moments(finite) if some and moments else (math.nan, math.nan)
    return NumberCounts(
        rows=rows,
        nulls=rows - len(ordered),
        infinite=len(ordered) - len(finite),
        below=np.searchsorted(ordered, edges, "left").astype(np.float64),
        upto=np.searchsorted(ordered, edges, "right").astype(np.float64),
        median=_median(ordered),
        mean=mean,
        sd=sd,
        low=float(finite[0]) if some else math.nan,
        high=float(finite[-1]) if some else math.nan,
    )


def _median(ordered: Numbers) -> float:
    size = len(ordered)
    if not size:
        return math.nan
    one, two = float(ordered[(size - 1) // 2]), float(ordered[size // 2])
    return one if one == two else one / 2 + two / 2


def _moments(finite: Numbers) -> tuple[float, float]:
    """Return mean and standard deviation, about a value of the column: dates don't lose their seconds."""
    origin = float(finite[len(finite) // 2])
    with np.errstate(over="ignore", invalid="ignore"):
        gaps: Any = finite - origin
        mean = float(gaps.mean())
        sd = math.sqrt(max(float(gaps @ gaps) / len(gaps) - mean * mean, 0.0)) if math.isfinite(mean) else math.nan
    return origin + mean, sd
