"""Exact answers for trees: which leaves can a ball reach together, one of each tree, and do they outvote the label?

Depth first over the trees, after Chen et al., "Robustness Verification of Tree-based Models" (2019): a choice of leaves
is possible if their boxes and the ball have a point in common. A branch is left as soon as the most that the remaining
trees could add does not outvote the label; a point of the first box that does is a counterexample.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..threats import SLACK, Bounds, Norm
from .trees import Leaves

__all__ = ["Answer", "searched"]

Matrix = NDArray[np.float64]
ROUNDING: Final = 1e-9
"""Of the sum of all votes: nearer margins are neither proved nor offered."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What is known of one sample: proved, or with a counterexample, or neither within the time."""

    proved: bool
    point: Matrix | None


class _OutOfTime(Exception):  # noqa: N818  # no error: how a search ends
    pass


@dataclass(slots=True, eq=False)
class _Search:
    """The search for one sample and one rival class."""

    x: Matrix
    lows: list[Matrix]
    highs: list[Matrix]
    gains: list[Matrix]
    """Of each tree, the leaves that the ball reaches, the greatest gain first."""
    rest: Matrix
    """The most that the trees from each one on can add."""
    norm: Norm
    epsilon: float
    least: float
    """A sum above this outvotes the label."""
    until: float
    best: Matrix | None = None

    def run(self, low: Matrix, high: Matrix, offset: float) -> Matrix | None:
        """Return a point that outvotes the label, or None if there is none."""
        return self._down(0, low, high, offset)

    def _down(self, tree: int, low: Matrix, high: Matrix, total: float) -> Matrix | None:
        if tree == len(self.gains):
            return np.clip(self.x, low, high)
        if time.perf_counter() > self.until:
            raise _OutOfTime
        lows, highs, gains = self.lows[tree], self.highs[tree], self.gains[tree]
        most = total + self.rest[tree + 1]
        fits = ((lows <= high) & (highs >= low)).all(1) & (gains + most > self.least)
        for leaf in np.flatnonzero(fits):
            inner_low, inner_high = np.maximum(low, lows[leaf]), np.minimum(high, highs[leaf])
            if self._reaches(inner_low, inner_high):
                found = self._down(tree + 1, inner_low, inner_high, total + gains[leaf])
                if found is not None:
                    return found
        return None

    def _reaches(self, low: Matrix, high: Matrix) -> bool:
        if self.norm == "linf":
            return True  # the boxes are cut to the ball
        gap = np.maximum(np.maximum(low - self.x, self.x - high), 0.0)
        return float(np.sqrt((gap**2).sum()) if self.norm == "l2" else gap.sum()) <= self.epsilon


def searched(
    leaves: Leaves, x: Matrix, label: int, *, norm: Norm, epsilon: float, bounds: Bounds | None, seconds: float
) -> Answer:
    """Return what is certain of one sample, (features,), of the class in column `label`."""
    until = time.perf_counter() + seconds
    slack = ROUNDING * (np.abs(leaves.values).max(initial=0.0) * len(leaves.starts) + np.abs(leaves.offset).max())
    proved = True
    try:
        for rival in range(leaves.values.shape[1]):
            if rival == label:
                continue
            # a proof is of a ball as large as counterexamples may be, and of votes that rounding can't turn
            point = _against(leaves, x, label, rival, norm, epsilon * (1 + SLACK), bounds, -slack, until)
            if point is not None:
                proved = False
                certain = _against(leaves, x, label, rival, norm, epsilon * (1 + SLACK), bounds, slack, until)
                if certain is not None:
                    return Answer(proved=False, point=certain)
    except _OutOfTime:
        return Answer(proved=False, point=None)
    return Answer(proved, None)


def _against(
    leaves: Leaves, x: Matrix, label: int, rival: int, norm: Norm, epsilon: float, bounds: Bounds | None, least: float,
    until: float,
) -> Matrix | None:  # fmt: skip
    low, high = x - epsilon, x + epsilon
    if bounds is not None:
        low, high = np.maximum(low, np.minimum(bounds[0], x)), np.minimum(high, np.maximum(bounds[1], x))
    near: NDArray[np.bool_] = ((leaves.low <= high) & (leaves.high >= low)).all(1)
    gains = leaves.values[:, rival] - leaves.values[:, label]
    parts = []
    for first, end in zip(leaves.starts, [*leaves.starts[1:], len(gains)], strict=True):
        rows = first + np.flatnonzero(near[first:end])
        parts.append(rows[np.argsort(-gains[rows], kind="stable")])
    parts.sort(key=len)  # what has few leaves in reach is settled first
    tops = np.array([gains[rows[0]] for rows in parts])
    rest = np.concatenate([np.cumsum(tops[::-1])[::-1], [0.0]])
    search = _Search(
        x, [leaves.low[rows] for rows in parts], [leaves.high[rows] for rows in parts], [gains[rows] for rows in parts],
        rest, norm, epsilon, least, until,
    )  # fmt: skip
    offset = float(leaves.offset[rival] - leaves.offset[label]) if len(leaves.offset) > 1 else 0.0
    return search.run(low, high, offset)
