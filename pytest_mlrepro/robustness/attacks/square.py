"""A score-based attack: random patches, kept where they lower the margin. It needs no gradient, so none can mislead it.

For Linf this is the Square attack of Andriushchenko, Croce, Flammarion and Hein, "Square Attack: a query-efficient
black-box adversarial attack via random search", ECCV 2020, with their schedule of patch sizes. For the other norms
the change that a patch makes is moved back into the ball, for L0 the patch being a set of elements (as in Croce et al.,
"Sparse-RS", AAAI 2022). Tables, which have no neighbourhood, always get sets of elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..generators import uniform_turns
from ..inputs import Floats
from ..models import Meter
from ..threats import Ball
from .base import Batch, Kind, broadcast
from .best import Best

__all__ = ["Square"]

_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
"""Of 10,000 queries: after which of them the share of elements in a patch is halved."""


@dataclass(frozen=True, slots=True)
class Square:
    """`queries` evaluations for each sample that stands; the first patches cover `share` of the elements."""

    queries: int
    share: float = 0.8
    kind: ClassVar[Kind] = "score"

    @property
    def label(self) -> str:
        """Return `random search by scores, 300 queries`."""
        return f"random search by scores, {self.queries} queries"

    @property
    def cost(self) -> int:
        """Return the number of queries."""
        return self.queries

    def __call__(self, meter: Meter, batch: Batch, ball: Ball) -> Floats:
        """Return the point of the lowest margin that was found for each sample."""
        best = Best(meter, batch)
        shape = batch.x.shape[1:]
        image = len(shape) == 3 and min(shape[1:]) >= 3 and ball.norm != "l0"
        size = int(np.prod(shape))
        numbers = shape[0] * (shape[2] + 1) + 2 if image else 2 * size
        for turn, draws in enumerate(uniform_turns(batch.keys, 3, numbers, self.queries)):
            share = self._share(turn)
            if turn == 0:
                patch = (
                    _stripes(draws, shape)
                    if image
                    else np.where(draws[:, :size] < 0.5, -1.0, 1.0).reshape(batch.x.shape)
                )
            else:
                patch = _windows(draws, shape, share) if image else _sets(draws, shape, share, ball)
            if best.offer(ball.project(_changed(best.x, batch.x, patch, ball), batch.x, meter.model.rounded)):
                break
        return best.x

    def _share(self, turn: int) -> float:
        return float(self.share / 2 ** sum(turn / self.queries * 10_000 > limit for limit in _HALVINGS))


def _changed(best: Floats, x: Floats, patch: NDArray[np.float64], ball: Ball) -> NDArray[np.float64]:
    """Return the best points with the patch, (batch, ...), zero outside of itself, set to its signs at full strength."""
    inside = patch != 0
    if ball.norm == "linf":
        return np.where(inside, x + ball.epsilon * patch, best)
    if ball.norm != "l0":
        count = inside.reshape(len(x), -1).sum(1)
        each = ball.epsilon / (np.sqrt(count) if ball.norm == "l2" else count)
        return np.where(inside, x + broadcast(each, x) * patch, best)
    assert ball.bounds is not None
    low, high = ball.bounds
    return _made_room(np.where(inside, np.where(patch > 0, high, low), best), x, inside, int(ball.epsilon))


def _made_room(changed: NDArray[np.float64], x: Floats, inside: NDArray[np.bool_], most: int) -> NDArray[np.float64]:
    """Undo earlier changes, in the order of their places, until at most `most` elements differ."""
    flat, origin = changed.reshape(len(x), -1).copy(), x.reshape(len(x), -1)
    fresh: NDArray[np.bool_] = inside.reshape(len(x), -1)
    old = (flat != origin) & ~fresh
    room = most - (fresh & (flat != origin)).sum(1, keepdims=True)
    drop = old & (np.cumsum(old, axis=1) > room)
    flat[drop] = origin[drop]
    filled: NDArray[np.float64] = flat.reshape(changed.shape)
    return filled


def _stripes(draws: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return vertical stripes of signs for images (channels, height, width)."""
    channels, _, width = shape
    signs = np.where(draws[:, : channels * width] < 0.5, -1.0, 1.0).reshape(-1, channels, 1, width)
    return np.broadcast_to(signs, (len(draws), *shape))


def _windows(draws: NDArray[np.float64], shape: tuple[int, ...], share: float) -> NDArray[np.float64]:
    """Return a square window of one sign for each channel, zero outside of it."""
    channels, height, width = shape
    side = max(1, min(height, width, round((share * height * width) ** 0.5)))
    top = np.floor(draws[:, 0:1] * (height - side + 1))
    left = np.floor(draws[:, 1:2] * (width - side + 1))
    rows, columns = np.arange(height) - top, np.arange(width) - left
    inside = ((rows >= 0) & (rows < side))[:, None, :, None] & ((columns >= 0) & (columns < side))[:, None, None, :]
    signs = np.where(draws[:, 2 : 2 + channels] < 0.5, -1.0, 1.0)[:, :, None, None]
    return np.asarray(inside * signs, np.float64)


def _sets(draws: NDArray[np.float64], shape: tuple[int, ...], share: float, ball: Ball) -> NDArray[np.float64]:
    """Return signs at random elements, zero elsewhere."""
    size = draws.shape[1] // 2
    few = max(1, min(size, round(share * (ball.epsilon if ball.norm == "l0" else size))))
    order, signs = draws[:, :size], np.where(draws[:, size:] < 0.5, -1.0, 1.0)
    least = np.partition(order, size - few, axis=1)[:, size - few : size - few + 1]
    return (signs * (order >= least)).reshape(-1, *shape)
