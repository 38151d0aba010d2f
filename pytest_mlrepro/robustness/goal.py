"""What counts as broken: another class than the label, or for a regression a change of the output above the allowed one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

__all__ = ["Goal", "Margins"]

Margins: TypeAlias = NDArray[np.float64]

_TIE = 1e-6
"""Relative to the scores: how far the margin must be below zero in floating arithmetic, since the same sample's scores
differ by some ulps in a batch of another size, and a counterexample should be one in every batch."""


@dataclass(frozen=True, slots=True, eq=False)
class Goal:
    """For each sample of a batch: the column of its label, or the outputs that it should stay near."""

    targets: NDArray[np.int64] | None = None
    base: NDArray[np.float64] | None = None
    """(samples, outputs): the clean outputs of a regression."""
    allowed: float = 0.0
    """Of a regression: the largest change of any output that is still fine, in its units."""

    def take(self, rows: NDArray[Any]) -> Goal:
        """Return the goal of these samples."""
        targets = None if self.targets is None else self.targets[rows]
        return Goal(targets, None if self.base is None else self.base[rows], self.allowed)

    def margin(self, scores: NDArray[np.float64]) -> Margins:
        """Return by how much each sample stands, (batch, columns) to (batch,): below zero it is broken, NaN is -inf."""
        if self.targets is None:
            assert self.base is not None
            margin = self.allowed - np.abs(scores - self.base).max(1)
        else:
            rows, others = np.arange(len(scores)), scores.copy()
            others[rows, self.targets] = -np.inf
            with np.errstate(invalid="ignore"):  # inf - inf is NaN, and no class
                margin = scores[rows, self.targets] - others.max(1)
        return cast("Margins", np.where(np.isnan(scores).any(1) | np.isnan(margin), -np.inf, margin))

    def broken(self, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which samples are broken for certain, ties aside: (batch, columns) to (batch,)."""
        finite = np.where(np.isfinite(scores), np.abs(scores), 0)
        return cast("NDArray[np.bool_]", self.margin(scores) < -_TIE * finite.max(1))

    def wrong(self, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which clean samples have another prediction than their label, by the first greatest score; none in a regression."""
        if self.targets is None:
            return np.zeros(len(scores), np.bool_)
        return cast("NDArray[np.bool_]", scores.argmax(1) != self.targets)
