"""The test of pairs whose two sides could have been exchanged: exact for any distribution, ties and zeros included.

Under the null hypothesis each difference is as likely to have the other sign, whatever its size. So the sizes are taken as
they are, and the sum of the ranks of the positive ones has a distribution that can be counted out (Wilcoxon 1945; with
ties: Lehmann, *Nonparametrics*, 1975, section 3.1). Nothing is assumed about the distribution of the values.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["EXACT", "critical", "midranks", "p_value", "pairs_needed", "walsh"]

Floats = npt.NDArray[np.float64]
EXACT = 500
"""Pairs up to which the distribution is counted out; beyond, the normal approximation with its correction for
continuity is used, whose tails are the heavier ones."""


def p_value(differences: Floats) -> float:
    """Return the two-sided probability of a sum of ranks at least as far out; zeros are left out, ties share a rank.

    differences: shape (n,), finite. 1 when all are zero.
    """
    moved = differences[differences != 0]
    if not moved.size:
        return 1.0
    ranks = np.rint(2 * midranks(np.abs(moved))).astype(np.int64)  # doubled, so that shared ranks are whole numbers
    up = int(ranks[moved > 0].sum())
    least = min(up, int(ranks.sum()) - up)
    tail = float(_counted(ranks)[: least + 1].sum()) if moved.size <= EXACT else _normal(ranks, least)
    return min(1.0, 2 * tail)


def midranks(values: Floats) -> Floats:
    """Return ranks from 1; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: Floats = (last - (counts - 1) / 2)[inverse.reshape(-1)]
    return shared


def _counted(ranks: npt.NDArray[np.int64]) -> Floats:
    """Return the probability of each sum from 0 on, when each rank is in the sum or not with even chances."""
    chances = np.zeros(int(ranks.sum()) + 1)
    chances[0], top = 1.0, 0
    for rank in np.sort(ranks):
        top += int(rank)
        chances[rank : top + 1] += chances[: top + 1 - rank].copy()
        chances[: top + 1] *= 0.5
    return chances


def _normal(ranks: npt.NDArray[np.int64], least: int) -> float:
    mean, deviation = ranks.sum() / 2, math.sqrt(float((ranks.astype(np.float64) ** 2).sum())) / 2
    return 0.5 * math.erfc((mean - least - 1) / deviation / math.sqrt(2))


def pairs_needed(level: float) -> int:
    """Return the fewest pairs with which a two-sided p-value can reach the level: all differences on one side."""
    pairs = max(1, 1 + math.floor(-math.log2(level)))
    return pairs + (2.0 ** (1 - pairs) > level)


def critical(pairs: int, level: float) -> int:
    """Return the least sum of ranks (of pairs without ties) that is significant, two-sided; UsageError is the caller's.

    Greater than the greatest sum when none is.
    """
    ranks = np.arange(1, pairs + 1)
    if pairs > EXACT:
        mean, deviation = pairs * (pairs + 1) / 4, math.sqrt(pairs * (pairs + 1) * (2 * pairs + 1) / 24)
        return math.ceil(mean + 0.5 + deviation * _deviations(level))
    upper = np.cumsum(_counted(ranks)[::-1])[::-1]  # chance of a sum of at least that much
    return int(np.argmax(np.append(upper, 0.0) <= level / 2))


def _deviations(level: float) -> float:
    """Return how many standard deviations leave half of `level` on each side."""
    from statistics import NormalDist

    return -NormalDist().inv_cdf(level / 2)


def walsh(differences: Floats) -> Floats:
    """Return the means of all pairs of differences, each with itself too, ascending: shape (n (n + 1) / 2,).

    Their median estimates the shift; the k-th from each end bound it (Hodges and Lehmann 1963).
    """
    rows, columns = np.triu_indices(differences.size)
    means: Floats = np.sort((differences[rows] + differences[columns]) / 2)
    return means
