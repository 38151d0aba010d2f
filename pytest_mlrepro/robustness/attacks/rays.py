"""A decision-based attack: only the predicted class is asked for. Masked gradients and scores can't mislead it.

Source: Chen and Gu, "RayS: a ray searching method for hard-label adversarial attack", KDD 2020: the direction is a
vector of signs, blocks of which are flipped, ever smaller ones; a direction is kept if the class changes sooner along
it. foolbox's decision-based attacks draw from one generator for a batch, and give the batch up if one start fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..generators import drawn
from ..inputs import Floats
from ..models import Meter
from ..threats import Ball
from .base import Batch, Kind, broadcast
from .best import live

__all__ = ["Rays"]

_SEARCH = 6
"""Halvings of the distance along a direction that is better than the best."""


@dataclass(frozen=True, slots=True)
class Rays:
    """`turns` flips of a block of the direction; each costs one evaluation, and six more where it gets nearer."""

    turns: int
    kind: ClassVar[Kind] = "decision"

    @property
    def label(self) -> str:
        """Return `search along rays by decisions, 200 turns`."""
        return f"search along rays by decisions, {self.turns} turns"

    @property
    def cost(self) -> int:
        """Return about as many evaluations as were seen on samples that stand."""
        return 2 * self.turns

    def __call__(self, meter: Meter, batch: Batch, ball: Ball) -> Floats:
        """Return the nearest point of another decision that was found, or where the search began."""
        search = _Search(meter, batch, ball)
        level = block = 0
        for _ in range(self.turns):
            if search.done().all():
                break
            search.turn(min(2**level, search.size), block)
            block += 1
            if block >= min(2**level, search.size):
                block, level = 0, 0 if 2**level >= search.size else level + 1
        return search.points(search.signs, np.minimum(search.radius, search.reach))


class _Search:
    """The best direction of each sample, and how far along it the class changes; that is beyond reach at first."""

    def __init__(self, meter: Meter, batch: Batch, ball: Ball) -> None:
        self.meter, self.batch, self.ball = meter, batch, ball
        self.size = int(np.prod(batch.x.shape[1:]))
        self.signs = drawn(batch.keys, (4,), lambda rng: rng.integers(0, 2, self.size) * 2.0 - 1.0)
        self.reach = _reach(ball, batch.x)
        self.radius = np.full(len(batch.x), np.inf)

    def done(self) -> NDArray[np.bool_]:
        return self.radius <= self.ball.epsilon

    def points(self, signs: NDArray[np.float64], radius: NDArray[np.float64]) -> Floats:
        """Return the points at these distances along the directions, inside the bounds: (batch, ...)."""
        unit = signs / _length(self.ball.norm, self.size)
        x = self.batch.x + broadcast(radius, self.batch.x) * unit.reshape(self.batch.x.shape)
        inside = x if self.ball.bounds is None else np.clip(x, *self.ball.bounds)
        return self.meter.model.rounded(inside.astype(self.batch.x.dtype))

    def broken(
        self, signs: NDArray[np.float64], radius: NDArray[np.float64], where: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Tell where the points at these distances are broken, asking only about the samples of `where` if possible."""
        rows = live(self.meter, ~where)
        told = np.zeros(len(where), np.bool_)
        told[rows] = self.batch.goal.take(rows).broken(self.meter.scores(self.points(signs, radius)[rows]))
        return told

    def turn(self, blocks: int, block: int) -> None:
        """Flip one of so many blocks of every direction, and keep it where the class then changes sooner."""
        edges = np.linspace(0, self.size, blocks + 1).astype(int)
        tried = self.signs.copy()
        tried[:, edges[block] : edges[block + 1]] *= -1
        high = np.minimum(self.radius, self.reach)
        better = self.broken(tried, high, ~self.done()) & ~self.done()
        if not better.any():
            return
        low = np.zeros_like(high)
        for _ in range(_SEARCH):
            middle = (low + high) / 2
            inside = self.broken(tried, middle, better)
            low, high = np.where(inside, low, middle), np.where(inside, middle, high)
        self.signs[better], self.radius[better] = tried[better], high[better]


def _length(norm: str, size: int) -> float:
    """Return the length of a vector of signs."""
    return float({"linf": 1.0, "l2": size**0.5, "l1": size}[norm])


def _reach(ball: Ball, x: Floats) -> NDArray[np.float64]:
    """Return how far a ray goes at first: across the bounds, or twenty times epsilon where there are none."""
    if ball.bounds is None:
        return np.full(len(x), 20 * ball.epsilon)
    return np.full(len(x), (ball.bounds[1] - ball.bounds[0]) * _length(ball.norm, x[0].size))
