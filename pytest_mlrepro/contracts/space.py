"""Columns of a reference as coordinates in which the distance between rows means something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .. import _lazy
from .encoded import Encoded, Items, Numbers
from .parts import Part

__all__ = ["Axis", "Space", "axes_of", "matrix", "whitened"]

LEVELS: Final = 50
"""Different values that a column of categories has at most."""
RARE: Final = 0.01
"""Share of rows below which a category has no coordinate of its own."""
FLOOR: Final = 1e-2
"""Of the median spread of all directions: no direction counts as narrower, or noise in it would outweigh all others."""


@dataclass(frozen=True)
class Axis:
    """How one column becomes coordinates."""

    column: str
    centre: float = 0.0
    unit: float = 1.0
    low: float = -np.inf
    """The least value of the reference, and the greatest (`high`)."""
    high: float = np.inf
    levels: tuple[str, ...] = ()
    """Of categories: those with a coordinate. Numbers have none of these."""
    known: frozenset[str] = frozenset()
    """Of categories: all that the reference has."""
    scales: tuple[float, ...] = ()

    def coordinates(self, column: Encoded) -> Any:
        """Return shape (rows, coordinates): numbers in robust units, far ones drawn in, nulls in the middle."""
        if self.levels:
            texts = np.array([*texts_of(column), ""], object)[codes_of(column)]
            return np.column_stack(
                [(texts == level) / scale for level, scale in zip(self.levels, self.scales, strict=True)]
            )
        values = numbers_of(column)
        scaled = np.arcsinh((values - self.centre) / self.unit)
        return np.nan_to_num(scaled, nan=0.0, posinf=700.0, neginf=-700.0)[:, None]

    def value(self, coordinate: float) -> float:
        """Return the number that a coordinate stands for."""
        return float(np.sinh(coordinate) * self.unit + self.centre)


@dataclass(frozen=True)
class Space:
    """A linear map of coordinates: whitened by a robust covariance, or as they are."""

    centre: Any
    turn: Any
    """Shape (coordinates, coordinates)."""
    precision: Any
    """Inverse of the covariance, by which each coordinate is told from the others."""

    def points(self, rows: Any) -> Any:
        """Return rows of coordinates as points."""
        return (rows - self.centre) @ self.turn


def axes_of(part: Part, ignore: Collection[str]) -> tuple[list[Axis], dict[str, str]]:
    """Return how columns become coordinates, and for each that does not, why."""
    axes, left_out = [], {}
    for name in part.names:
        if name in ignore:
            continue
        made = _axis(name, part.column(name))
        if isinstance(made, Axis):
            axes.append(made)
        else:
            left_out[name] = made
    return axes, left_out


def _axis(name: str, column: Encoded) -> Axis | str:
    if column.family in ("time", "mixed", "empty"):
        return {"time": "times", "mixed": "values of several types", "empty": "no values"}[column.family]
    if isinstance(column, Numbers) and column.family != "boolean":
        return _number(name, numbers_of(column))
    counts = Counter(np.array([*texts_of(column), ""], object)[codes_of(column)].tolist())
    counts.pop("", None)
    if len(counts) < 2:
        return "a single value"
    if len(counts) > LEVELS:
        return f"{len(counts):,} categories, more than {LEVELS}"
    rows = len(column.null)
    levels = tuple(sorted(level for level, count in counts.items() if count >= RARE * rows))
    shares = [counts[level] / rows for level in levels]
    scales = tuple(float(np.sqrt(max(share * (1 - share), 0.01))) for share in shares)
    return Axis(name, levels=levels, known=frozenset(counts), scales=scales)


def _number(name: str, values: Any) -> Axis | str:
    finite = values[np.isfinite(values)]
    if not len(finite) or finite.min() == finite.max():
        return "a single value"
    low, centre, high = np.quantile(finite, [0.25, 0.5, 0.75])
    unit = (high - low) / 1.349 or float(np.std(finite)) or 1.0
    return Axis(name, float(centre), float(unit), float(finite.min()), float(finite.max()))


def numbers_of(column: Encoded) -> Any:
    """Return a column as float64, nulls NaN; texts are NaN too."""
    if isinstance(column, Items):
        return np.full(len(column.codes), np.nan)
    return np.where(column.null, np.nan, column.values.astype(np.float64))


def texts_of(column: Encoded) -> list[str]:
    """Return the different values of a column of categories as texts."""
    if isinstance(column, Items):
        return [str(value) for value in column.values]
    return (
        ["False", "True"] if column.family == "boolean" else [str(value) for value in np.unique(column.values).tolist()]
    )


def codes_of(column: Encoded) -> Any:
    """Return the number of each row's value in `texts_of`; -1 for a null."""
    if isinstance(column, Items):
        return column.codes
    values = column.values if column.family == "boolean" else np.unique(column.values, return_inverse=True)[1]
    return np.where(column.null, -1, values.astype(np.int64))


def matrix(part: Part, axes: Sequence[Axis]) -> Any:
    """Return the coordinates of all rows, shape (rows, coordinates)."""
    return np.column_stack([axis.coordinates(part.column(axis.column)) for axis in axes])


def whitened(rows: Any, *, robust: bool) -> Space:
    """Return the space of coordinates in which the covariance of `rows` is the identity, but for narrow directions.

    robust: by the minimum covariance determinant (Rousseeuw 1984), which rows that are far don't move; else by Ledoit and
    Wolf's (2004), which is there for few rows and for categories too.
    """
    covariance = _lazy.require("sklearn.covariance", extra="sklearn")
    made = covariance.MinCovDet(random_state=0, support_fraction=0.9) if robust else covariance.LedoitWolf()
    made.fit(rows)
    spreads, directions = np.linalg.eigh(made.covariance_)
    spreads = np.maximum(spreads, FLOOR * np.median(spreads) + 1e-12)
    precision = directions / spreads @ directions.T
    return Space(made.location_, directions / np.sqrt(spreads), precision)
