"""Random points on the edge of the ball: the cheapest attack of all, and one that no gradient can mislead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..generators import uniform_turns
from ..inputs import Floats
from ..models import Meter
from ..threats import Ball
from .base import Batch, Kind
from .best import Best

__all__ = ["Noise"]


@dataclass(frozen=True, slots=True)
class Noise:
    """`draws` random points: corners for Linf, directions for L2, few elements for L1 and L0."""

    draws: int
    kind: ClassVar[Kind] = "noise"

    @property
    def label(self) -> str:
        """Return `random noise, 20 draws`."""
        return f"random noise, {self.draws} draws"

    @property
    def cost(self) -> int:
        """Return the number of draws."""
        return self.draws

    def __call__(self, meter: Meter, batch: Batch, ball: Ball) -> Floats:
        """Return the point of the lowest margin, the first that breaks a sample if one does."""
        best = Best(meter, batch)
        size = int(np.prod(batch.x.shape[1:]))
        for draws in uniform_turns(batch.keys, 2, 2 * size, self.draws):
            change = _edge(draws[:, :size], draws[:, size:], ball).reshape(batch.x.shape)
            if best.offer(ball.project(batch.x + change, batch.x, meter.model.rounded)):
                break
        return best.x


def _edge(draws: NDArray[np.float64], others: NDArray[np.float64], ball: Ball) -> NDArray[np.float64]:
    """Make changes of full size, (batch, elements), of two uniform numbers for each element."""
    signs = np.where(draws < 0.5, -1.0, 1.0)
    if ball.norm == "linf":
        return signs * ball.epsilon
    if ball.norm == "l2":
        normal = signs * np.sqrt(-2 * np.log1p(-others)) * np.abs(np.cos(np.pi * draws))  # Box and Muller
        return np.asarray(normal * (ball.epsilon / np.linalg.norm(normal, axis=1, keepdims=True)), np.float64)
    size = draws.shape[1]
    few = max(1, min(size, int(ball.epsilon) if ball.norm == "l0" else round(size**0.5)))
    least = np.partition(others, size - few, axis=1)[:, size - few : size - few + 1]
    width = ball.epsilon / few if ball.norm == "l1" or ball.bounds is None else ball.bounds[1] - ball.bounds[0]
    return signs * (others >= least) * width
