"""Counterexamples of earlier runs, tried before anything is searched for: most of them still break what they broke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..generators import keys_of
from ..inputs import Floats
from ..models import Meter
from ..tables import AnyForm
from ..threats import Ball
from .base import Batch, Kind

__all__ = ["Replay", "content_keys"]


def content_keys(x: Floats) -> list[int]:
    """Return a number for each sample made from its content alone, as `form.portable` has it: (samples, ...)."""
    return [int(key) for key in keys_of(x, np.zeros(len(x), np.int64), 0)]


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """Points that once broke a sample, by the sample's content, both as `form.portable` has them."""

    points: Mapping[int, Floats]
    form: AnyForm
    kind: ClassVar[Kind] = "given"

    @property
    def label(self) -> str:
        """Return what reports call it."""
        return "replay of kept counterexamples"

    @property
    def cost(self) -> int:
        """Return one: each sample is asked about at most once."""
        return 1

    def __call__(self, meter: Meter, batch: Batch, ball: Ball) -> Floats:
        """Return the kept point of each sample that has one, and else the sample itself."""
        candidates = batch.x.copy()
        for at, key in enumerate(content_keys(self.form.portable(batch.x))):
            point = self.points.get(key)
            if (
                point is not None
                and point.shape == candidates.shape[1:]
                and (point := self.form.back(point)) is not None
            ):
                candidates[at] = point
        return candidates
