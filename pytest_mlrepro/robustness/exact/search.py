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
"""Of the sum of all votes: a nearer margin is a tie, which only the model's own order of adding can tell."""
DEEPEST: Final = 400
"""Trees that the ball can part: a choice among more is not searched, for the sake of Python's stack."""


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

    leaves: Leaves
    x: Matrix
    label: int
    rows: list[NDArray[np.intp]]
    """Of each tree, the leaves that the ball reaches, the greatest gain first."""
    gains: Matrix
    """Of every leaf, what it adds to the rival above the label."""
    rest: Matrix
    """The most that the trees from each one on can add."""
    norm: Norm
    epsilon: float
    slack: float
    """A margin that rounding could turn."""
    until: float
    tied: bool = False
    """Leaves were met whose vote nothing can be said of."""

    def down(self, tree: int, low: Matrix, high: Matrix, total: float, chosen: list[int]) -> Matrix | None:
        """Return a point that outvotes the label, or None if none of the remaining trees' leaves has one."""
        if tree == len(self.rows):
            return np.clip(self.x, low, high) if self._outvotes(total, chosen) else None
        if time.perf_counter() > self.until or tree == DEEPEST:
            raise _OutOfTime
        rows = self.rows[tree]
        rows = rows[: int(np.searchsorted(-self.gains[rows], total + self.rest[tree + 1] + self.slack))]
        lows, highs = self.leaves.low[rows], self.leaves.high[rows]
        for leaf in rows[((lows <= high) & (highs >= low)).all(1)]:
            inner_low, inner_high = np.maximum(low, self.leaves.low[leaf]), np.minimum(high, self.leaves.high[leaf])
            if self._reaches(inner_low, inner_high):
                found = self.down(tree + 1, inner_low, inner_high, total + self.gains[leaf], [*chosen, int(leaf)])
                if found is not None:
                    return found
        return None

    def _outvotes(self, total: float, chosen: list[int]) -> bool:
        if abs(total) > self.slack:
            return total > 0
        if self.leaves.in_order:
            return self.leaves.winner(chosen) != self.label
        self.tied = True
        return False

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
    epsilon *= 1 + SLACK  # a proof is of a ball as large as counterexamples may be
    low, high = x - epsilon, x + epsilon
    if bounds is not None:
        low, high = np.maximum(low, np.minimum(bounds[0], x)), np.minimum(high, np.maximum(bounds[1], x))
    near, alone = _near(leaves, low, high)
    tied = False
    try:
        for rival in range(leaves.values.shape[1]):
            if rival == label:
                continue
            gains = leaves.values[:, rival] - leaves.values[:, label]
            search = _against(leaves, near, gains, x, label, norm, epsilon, until)
            offset = float(leaves.offset[rival] - leaves.offset[label])
            point = search.down(0, low, high, offset + float(gains[alone].sum()), alone)
            if point is not None:
                return Answer(proved=False, point=point)
            tied = tied or search.tied
    except _OutOfTime:
        tied = True
    return Answer(not tied, None)


def _near(leaves: Leaves, low: Matrix, high: Matrix) -> tuple[list[NDArray[np.intp]], list[int]]:
    """Return of each tree that parts the box the leaves in reach, the fewest first, and of the others their one leaf."""
    reached = np.flatnonzero(((leaves.low <= high) & (leaves.high >= low)).all(1))
    parts = np.split(reached, np.searchsorted(reached, leaves.starts[1:]))
    several = sorted((own for own in parts if len(own) > 1), key=len)
    return several, [int(own[0]) for own in parts if len(own) == 1]


def _against(
    leaves: Leaves, near: list[NDArray[np.intp]], gains: Matrix, x: Matrix, label: int, norm: Norm, epsilon: float,
    until: float,
) -> _Search:  # fmt: skip
    rows = [own[np.argsort(-gains[own], kind="stable")] for own in near]
    tops = np.array([gains[own[0]] for own in rows])
    rest = np.concatenate([np.cumsum(tops[::-1])[::-1], [0.0]])
    slack = ROUNDING * (np.abs(leaves.values).max(initial=0.0) * len(leaves.starts) + np.abs(leaves.offset).max())
    return _Search(leaves, x, label, rows, gains, rest, norm, epsilon, slack, until)
