"""What every attack is: a value that is called with a model, a batch and a ball, and returns one candidate for each sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..goal import Goal
from ..inputs import Floats
from ..models import Meter

__all__ = ["Attack", "Batch", "Kind", "broadcast"]

Kind: TypeAlias = Literal["gradient", "minimum norm", "score", "decision", "noise", "given"]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples (batch, ...) with what must not happen to each, and the number that its random draws come from."""

    x: Floats
    goal: Goal
    keys: NDArray[np.uint64]

    def take(self, rows: NDArray[Any]) -> Batch:
        """Return some of the samples."""
        return Batch(self.x[rows], self.goal.take(rows), self.keys[rows])


class Attack(Protocol):
    """One attack with all its settings; it must give each sample the same result in any batch of the same length."""

    @property
    def label(self) -> str:
        """What reports call it."""

    @property
    def kind(self) -> Kind:
        """What it asks of the model."""

    @property
    def cost(self) -> int:
        """About how many evaluations it spends on a sample that stands."""

    def __call__(self, meter: Meter, batch: Batch, ball: Any) -> Floats:
        """Return a candidate for each sample, (batch, ...); the caller moves it into the ball and asks the model again."""


def broadcast(values: Any, like: Any) -> Any:
    """Return (batch,) with as many axes of length one as `like` has more, for arrays and tensors."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
