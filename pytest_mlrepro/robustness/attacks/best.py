"""The best point of each sample that a search without gradients has seen, and which samples it can leave alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs import Floats
from ..models import Meter
from .base import Batch, broadcast

__all__ = ["Best"]


class Best:
    """Starts from the samples themselves with an endless margin; a sample that is broken keeps its first broken point."""

    def __init__(self, meter: Meter, batch: Batch) -> None:
        self._meter, self._batch = meter, batch
        self.x = batch.x
        self.margin = np.full(len(batch.x), np.inf)
        self.broken = np.zeros(len(batch.x), np.bool_)

    def offer(self, x: Floats) -> bool:
        """Keep the points whose margin is as low as the best or lower; tell whether every sample is broken."""
        done = self.broken if self._batch.goal.targets is not None else np.zeros_like(self.broken)
        rows = live(self._meter, done)
        scores = self._meter.scores(x[rows])
        goal = self._batch.goal.take(rows)
        better, broken = np.zeros_like(done), np.zeros_like(done)
        margin = np.full(len(done), np.inf)
        margin[rows], broken[rows] = goal.margin(scores), goal.broken(scores)
        better[rows] = margin[rows] <= self.margin[rows]
        better &= ~done
        self.x = np.where(broadcast(better, x), x, self.x)
        self.margin = np.where(better, margin, self.margin)
        self.broken = self.broken | (better & broken)
        return bool(self.broken.all()) and self._batch.goal.targets is not None


def live(meter: Meter, done: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the rows to ask about: those that aren't done, but for a torch model all, since its scores for a row vary by
    ulps with the length of the batch."""
    return np.arange(len(done)) if meter.network is not None else np.flatnonzero(~done)
