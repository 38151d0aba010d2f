"""Why a row is far from a reference: which of its values don't go with its others, and which would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .parts import Part
from .space import Axis, Space, codes_of, numbers_of, texts_of
from .split_words import short

__all__ = ["Reason", "reasons"]

ALIKE: Final = 20
"""Rows of the reference that are nearest in all other columns."""
SHOWN: Final = 3
NEWS: Final = 3.0
"""Standard deviations from what the other columns tell, above which a value is a reason."""


@dataclass(frozen=True)
class Reason:
    """A value that doesn't go with the others of its row."""

    column: str
    value: str
    expected: str
    """What rows have that are alike in the other columns; empty if no row of the reference has the value."""
    deviations: float
    """How far it is from that, in standard deviations of rows alike."""

    def __str__(self) -> str:
        """Say value and expectation."""
        if not self.expected:
            return f"{self.column} is {self.value}, which no row of the reference has"
        return f"{self.column} is {self.value} where {self.expected} goes with the other columns ({self.deviations:.1f} deviations)"


def reasons(
    part: Part, rows: Any, asked: Sequence[int] | Any, axes: Sequence[Axis], space: Space, reference: Any
) -> list[tuple[Reason, ...]]:
    """Return for each row the columns whose value the other columns tell to be another, the strongest first.

    Two tellers, of which the more certain counts: the covariance (the conditional mean and deviation of a normal
    distribution), and the twenty rows of the reference that are nearest in the other columns.
    """
    return [_of_row(part, rows[row], int(row), axes, space, reference) for row in asked]


def _of_row(part: Part, row: Any, at: int, axes: Sequence[Axis], space: Space, reference: Any) -> tuple[Reason, ...]:
    starts = np.cumsum([0, *(max(1, len(axis.levels)) for axis in axes)])
    pull = space.precision @ (row - space.centre)
    own = np.diag(space.precision)
    found = []
    for axis, start, stop in zip(axes, starts, starts[1:], strict=False):
        others = np.delete(np.arange(len(row)), np.s_[start:stop])
        distance = ((reference[:, others] - row[others]) ** 2).sum(axis=1)
        alike = reference[np.argpartition(distance, min(ALIKE, len(reference) - 1))[:ALIKE]]
        if axis.levels:
            found.append(_category(part, axis, row[start:stop], alike[:, start:stop], at))
        else:
            straight = row[start] - pull[start] / own[start], abs(pull[start]) / float(np.sqrt(own[start]))
            found.append(_number(part, axis, row[start], alike[:, start], at, straight))
    strong = sorted((reason for reason in found if reason.deviations >= NEWS), key=lambda reason: -reason.deviations)
    return tuple(strong[:SHOWN] or sorted(found, key=lambda reason: -reason.deviations)[:1])


def _number(part: Part, axis: Axis, coordinate: float, alike: Any, at: int, straight: tuple[float, float]) -> Reason:
    value = numbers_of(part.column(axis.column))[at]
    if value < axis.low or value > axis.high:
        return Reason(axis.column, f"{value:.6g}", f"{axis.low:.6g} to {axis.high:.6g}", 1e3 + abs(coordinate))
    middle = float(np.median(alike))
    low, high = np.quantile(alike, [0.25, 0.75])
    deviation = max((high - low) / 1.349, float(np.std(alike)) / 2, 0.05)
    local = abs(coordinate - middle) / deviation
    expected, deviations = (middle, local) if local >= straight[1] else straight
    bounded = min(max(axis.value(expected), axis.low), axis.high)
    return Reason(axis.column, f"{value:.6g}", f"about {bounded:.6g}", float(deviations))


def _category(part: Part, axis: Axis, coordinates: Any, alike: Any, at: int) -> Reason:
    column = part.column(axis.column)
    code = int(codes_of(column)[at])
    value = texts_of(column)[code] if code >= 0 else None
    if value is not None and value not in axis.known:
        return Reason(axis.column, short(value), "", 1e3)
    shares = (alike > 0).mean(axis=0)
    usual = int(shares.argmax())
    same = float((np.abs(alike - coordinates).max(axis=1) < 1e-9).mean())
    rare = float(np.sqrt(-2 * np.log(max(same, 1 / (2 * len(alike))))))
    return Reason(axis.column, short(value), short(axis.levels[usual]), rare * (2.0 if same == 0 else 1.0))
