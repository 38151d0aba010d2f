"""What a `Tabular` allows around the rows of one table: the threat with its spreads, ranges and categories filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .inputs import Floats
from .tables import Column, TableForm, read_table
from .tabular import Tabular
from .threats import SLACK

__all__ = ["Space", "space_of"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """All rows near a row; arrays are (columns,) and rows (samples, columns) as `tables.read_table` makes them."""

    threat: Tabular
    numbers: NDArray[np.bool_]
    """Columns that may move."""
    whole: NDArray[np.bool_]
    categories: NDArray[np.bool_]
    """Columns that may become another category."""
    missable: NDArray[np.bool_]
    radius: Matrix
    """How far each number may move."""
    spread: Matrix
    low: Matrix
    high: Matrix
    levels: tuple[NDArray[np.float64], ...]
    """The codes that each column may become."""
    norm: ClassVar[Literal["table"]] = "table"
    bounds: ClassVar[None] = None

    @property
    def epsilon(self) -> float:
        """The greatest noise, in standard deviations; 1 where only cells are exchanged."""
        noise = self.threat.noise
        return float(max(noise.values(), default=0) if isinstance(noise, Mapping) else noise) or 1.0

    def __str__(self) -> str:
        """Return the threat in words."""
        return str(self.threat)

    def edges(self, origin: Matrix) -> tuple[Matrix, Matrix]:
        """Return the least and the greatest that each number may become, (samples, columns) each."""
        low = np.maximum(origin - self.radius, np.minimum(self.low, origin))
        high = np.minimum(origin + self.radius, np.maximum(self.high, origin))
        low = np.where(self.whole, np.ceil(low - 1e-9), low)
        return low, np.where(self.whole, np.floor(high + 1e-9), high)

    def distance(self, x: Floats, y: Floats) -> Matrix:
        """Return the greatest movement of a number in standard deviations: (samples, columns) twice to (samples,)."""
        with np.errstate(invalid="ignore"):
            moved = np.abs(np.asarray(y, np.float64) - x) / np.where(self.spread > 0, self.spread, 1.0)
        return np.asarray(np.nan_to_num(np.where(self.numbers, moved, 0.0), nan=0.0).max(1, initial=0.0))

    def contains(self, x: Floats, origin: Floats) -> NDArray[np.bool_]:
        """Tell which rows are allowed around those of `origin`: numbers to `SLACK`, everything else exactly."""
        same = (x == origin) | (np.isnan(x) & np.isnan(origin))
        gone = np.isnan(x) & ~np.isnan(origin)
        low, high = self.edges(np.asarray(origin, np.float64))
        slack = SLACK * np.where(self.whole, 0.0, self.radius)
        with np.errstate(invalid="ignore"):
            near = (x >= low - slack) & (x <= high + slack) & (~self.whole | (x == np.round(x)))
        allowed = np.stack([np.isin(x[:, at], own) for at, own in enumerate(self.levels)], axis=1)
        swapped = ~same & ~gone & self.categories
        fine = same | (gone & self.missable) | (swapped & allowed & ~np.isnan(origin)) | (self.numbers & near)
        return np.asarray(
            fine.all(1) & (gone.sum(1) <= self.threat.missing) & (swapped.sum(1) <= self.threat.categorical)
        )

    def project(self, x: Floats, origin: Floats, rounded: Callable[[Floats], Floats] | None = None) -> Floats:
        """Return the rows with numbers moved into reach; a row that still is not allowed becomes the origin's."""
        low, high = self.edges(np.asarray(origin, np.float64))
        with np.errstate(invalid="ignore"):
            moved = np.where(self.numbers & ~np.isnan(x), np.clip(np.where(self.whole, np.round(x), x), low, high), x)
        moved = moved if rounded is None else rounded(moved)
        return np.where(self.contains(moved, origin)[:, None], moved, origin)

    def between(self, origin: Floats, point: Floats, part: float) -> Floats:
        """Return a row on the way: numbers part of the way, everything else where it came to."""
        with np.errstate(invalid="ignore"):
            way = origin + part * (point - origin)
        way = np.where(self.whole, np.round(way), way)
        return np.where(self.numbers & ~np.isnan(point) & ~np.isnan(origin), way, point)


def space_of(threat: Tabular, table: Matrix, form: TableForm) -> Space:
    """Return the threat around the rows of a table.

    Raises:
        UsageError: columns that the table or the reference doesn't have, a reference of other columns, nothing that may
            change.
    """
    names = list(form.names)
    asked: dict[str, Any] = {
        "immutable": threat.immutable,
        "noise": threat.noise if isinstance(threat.noise, Mapping) else (),
        "categories": threat.categories or (),
        "missing_in": threat.missing_in or (),
        "bounds": threat.bounds if isinstance(threat.bounds, Mapping) else (),
    }
    for what, named in asked.items():
        for name in named:
            if name not in names:
                raise UsageError(f"Tabular({what}): the table has no column {name!r}; it has {_listed(names)}")
    known = _reference(threat, table, form)
    numbers, whole, categories, missable = (np.zeros(len(names), np.bool_) for _ in range(4))
    radius, spread = np.zeros(len(names)), np.zeros(len(names))
    low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    levels = []
    for at, column in enumerate(form.columns):
        held = known[:, at][~np.isnan(known[:, at])]
        codes = np.empty(0)
        if column.sort in ("number", "whole"):
            column.spread = spread[at] = float(held.std()) if len(held) else 0.0
            noise = threat.noise.get(column.name, 0.0) if isinstance(threat.noise, Mapping) else threat.noise
            radius[at] = noise * spread[at]
            low[at], high[at] = _range(threat, column.name, held)
        elif column.sort == "category":
            given = None if threat.categories is None else threat.categories.get(column.name)
            found = np.array([column.code(value) for value in given]) if given is not None else np.unique(held)
            codes = found
        levels.append(codes)
        if column.name in threat.immutable:
            continue
        numbers[at], whole[at] = radius[at] > 0, column.sort == "whole"
        categories[at] = threat.categorical > 0 and len(codes) > 1
        missable[at] = threat.missing > 0 and _goes_missing(threat, column, known[:, at])
    if threat.missing and not missable.any():
        raise UsageError(
            "Tabular(missing): no column of the reference has a missing cell; missing_in=… names columns in which the model "
            "has to bear one"
        )
    if not (numbers | categories | missable).any():
        raise UsageError(f"threat: {threat} lets nothing of this table change; its columns are {_listed(names)}")
    return Space(threat, numbers, whole, categories, missable, radius, spread, low, high, tuple(levels))


def _goes_missing(threat: Tabular, column: Column, held: Matrix) -> bool:
    if threat.missing_in is None:
        return column.missable and column.sort != "fixed" and bool(np.isnan(held).any())
    if column.name in threat.missing_in and not column.missable:
        raise UsageError(f"Tabular(missing_in): column {column.name!r} is {column.dtype}, which has no missing value")
    return column.name in threat.missing_in


def _reference(threat: Tabular, table: Matrix, form: TableForm) -> Matrix:
    """Return the reference as numbers in the columns and codes of the table."""
    if threat.reference is None:
        return table
    other, read = read_table(threat.reference, tuple(threat.categories or ()))
    if {*read.names} < {*form.names}:
        missing = [name for name in form.names if name not in read.names]
        raise UsageError(f"Tabular(reference): it has no column {missing[0]!r}; it has {_listed(list(read.names))}")
    places = [read.names.index(name) for name in form.names]
    out = np.empty((len(other), len(places)))
    for at, (column, place) in enumerate(zip(form.columns, places, strict=True)):
        own = read.columns[place]
        if (own.sort in ("number", "whole")) != (column.sort in ("number", "whole")):
            raise UsageError(
                f"Tabular(reference): column {column.name!r} is {own.dtype} there and {column.dtype} in the inputs"
            )
        coded = column.sort in ("category", "fixed")
        out[:, at] = [column.code(value) for value in own.values(other[:, place])] if coded else other[:, place]
    return out


def _range(threat: Tabular, name: Any, held: Matrix) -> tuple[float, float]:
    given = threat.bounds
    if isinstance(given, Mapping):
        given = given.get(name)
    elif given is not None:  # a contract
        found = {column.name: column for column in given.columns}.get(name)
        given = None if found is None else (getattr(found, "min", None), getattr(found, "max", None))
    seen = (float(held.min()), float(held.max())) if len(held) else (-np.inf, np.inf)
    if given is None:
        return seen
    low, high = given
    low, high = seen[0] if low is None else float(low), seen[1] if high is None else float(high)
    if not low <= high:
        raise UsageError(
            f"Tabular(bounds): the least and the greatest of {name!r} in order are expected, got {given!r}"
        )
    return low, high


def _listed(names: list[Any]) -> str:
    return ", ".join(map(repr, names[:12])) + (", …" if len(names) > 12 else "")
