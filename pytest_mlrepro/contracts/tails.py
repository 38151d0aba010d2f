"""The few tests that checks of splits and anomalies need, on counts: numpy and the standard library only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["beta_binomial_tail", "fisher", "kolmogorov"]


def fisher(one: int, two: int, rows_one: int, rows_two: int) -> float:
    """Return Fisher's exact p-value of two shares, `one` of `rows_one` and `two` of `rows_two`: twice the smaller tail.

    All terms follow from their neighbours (a hypergeometric distribution), so that no gamma function is needed.
    """
    marked = one + two
    low, high = max(0, marked - rows_one), min(marked, rows_two)
    inside = np.arange(low, high, dtype=np.float64)
    steps = np.log((marked - inside) * (rows_two - inside)) - np.log((inside + 1) * (rows_one - marked + inside + 1))
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    terms = np.exp(logs - logs.max())
    terms /= terms.sum()
    at = two - low
    return min(1.0, 2 * min(float(terms[: at + 1].sum()), float(terms[at:].sum())))


def kolmogorov(one: Any, two: Any) -> tuple[float, float]:
    """Return Kolmogorov and Smirnov's D of two sorted samples, and its p-value in the limit of large samples."""
    points = np.concatenate([one, two])
    shares = [np.searchsorted(side, points, "right") / len(side) for side in (one, two)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    x = distance * math.sqrt(len(one) * len(two) / (len(one) + len(two)))
    if x < 0.3:
        return distance, 1.0
    total = sum((-1.0) ** (k - 1) * math.exp(-2.0 * (k * x) ** 2) for k in range(1, 20))
    return distance, min(1.0, max(0.0, 2.0 * total))


def beta_binomial_tail(count: int, rows: int, above: float, below: float) -> float:
    """Return P(X >= count) of `rows` rows above a threshold that `above` - 1 of `above` + `below` - 1 held-out ones exceed."""
    if count <= 0:
        return 1.0
    k = np.arange(rows, dtype=np.float64)
    steps = np.log((rows - k) * (k + above)) - np.log((k + 1) * (rows - k - 1 + below))
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    terms = np.exp(logs - logs.max())
    return float(terms[count:].sum() / terms.sum())
