"""Rows of all parts as numbers: what is compared, and which rows of one part are in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .encoded import Encoded, Items, Numbers
from .hashing import Grid, exact, folded, grid, loose, mixed, of_family, precision, rounded
from .parts import Part

__all__ = ["FEW", "Hashed", "Matches", "Read", "column_bits", "hashed", "identifying", "matches"]

FEW: Final = 20
"""Rows of the first part below which no column is taken for an identifier: so few numbers differ by chance."""


@dataclass(frozen=True)
class Hashed:
    """The rows of a part, each as a number; all of shape (rows,), uint64."""

    features: Any
    labels: Any | None
    near: tuple[Any, Any]
    """The same with texts normalised and numbers rounded, on two grids."""


@dataclass(frozen=True)
class Read:
    """A column of all parts, with how it is compared."""

    name: str
    columns: Sequence[Encoded]
    grid: Grid | None

    @classmethod
    def of(cls, name: str, parts: Sequence[Part]) -> Read:
        """Read a column of each part."""
        columns = [part.column(name) for part in parts]
        return cls(name, columns, _grid(columns) if of_family(columns) else None)

    def bits(self, at: int) -> Any:
        """Return a number for each value of part `at`."""
        if not of_family(self.columns):
            return loose(self.columns[at])
        return exact(self.columns[at], precision(self.columns))

    def near(self, at: int, bits: Any) -> tuple[Any, Any]:
        """Return numbers for each value, normalised and rounded."""
        column = self.columns[at]
        if self.grid is not None and isinstance(column, Numbers) and column.family == "number":
            return rounded(column, self.grid)
        if isinstance(column, Items) and of_family(self.columns):
            bits = folded(column)
        return bits, bits


def _grid(columns: Sequence[Encoded]) -> Grid | None:
    """Return how numbers are rounded: by the first part that has fractions."""
    for column in columns:
        found = grid(column) if isinstance(column, Numbers) else None
        if found is not None:
            return found
    return None


def hashed(parts: Sequence[Part], features: Sequence[str], label: str | None, *, near: bool) -> list[Hashed]:
    """Return the rows of each part as numbers, column by column, so that no copy of a table is made."""
    sums = [[np.zeros(part.rows, np.uint64) for _ in range(3 if near else 1)] for part in parts]
    for place, name in enumerate(features):
        read = Read.of(name, parts)
        for at in range(len(parts)):
            bits = read.bits(at)
            sums[at][0] += mixed(bits, place)
            if near:
                one, two = read.near(at, bits)
                first = mixed(one, place)
                sums[at][1] += first
                sums[at][2] += first if two is one else mixed(two, place)
    labels = column_bits(parts, label) if label is not None else [None] * len(parts)
    return [
        Hashed(whole[0], bits, (whole[1], whole[2]) if near else (whole[0], whole[0]))
        for whole, bits in zip(sums, labels, strict=True)
    ]


def column_bits(parts: Sequence[Part], name: str) -> list[Any]:
    """Return a number for each value of a column, for each part that has it; None for the others."""
    having = [part for part in parts if name in part.names]
    read = Read.of(name, having)
    numbers = {part.name: read.bits(at) for at, part in enumerate(having)}
    return [numbers.get(part.name) for part in parts]


def identifying(parts: Sequence[Part], names: Sequence[str]) -> list[str]:
    """Return the columns of whole numbers or texts in which no value comes twice within a part: they name rows."""
    if parts[0].rows < FEW:
        return []
    return [name for name in names if all(_names_rows(part, name) for part in parts)]


def _names_rows(part: Part, name: str) -> bool:
    column = part.column(name)
    if isinstance(column, Items):
        codes = column.codes
        return (
            column.family == "text" and len(column.values) >= part.rows and bool((codes >= 0).all()) and _unique(codes)
        )
    if column.family != "number" or column.values.dtype.kind not in "iu" or column.null.any():
        return False
    return _unique(column.values)


def _unique(values: Any) -> bool:
    if len(np.unique(values[:1_000])) < min(len(values), 1_000):
        return False
    order = np.sort(values)
    return not bool((order[1:] == order[:-1]).any())


@dataclass(frozen=True)
class Matches:
    """Rows of one part that are also in another."""

    here: Any
    """Positions of the rows of the second part, ascending."""
    there: Any
    """For each, the position of the first such row of the first part."""
    sources: int
    """Rows of the first part that are in the second."""


def matches(first: Any, second: Any) -> Matches:
    """Return which rows of `second` are in `first`, both as numbers of shape (rows,)."""
    order = np.argsort(first, kind="stable")
    ordered = first[order]
    at = np.searchsorted(ordered, second)
    at[at == len(ordered)] = 0
    here = np.flatnonzero(ordered[at] == second)
    found = np.unique(second[here])
    sources = int((np.searchsorted(ordered, found, "right") - np.searchsorted(ordered, found, "left")).sum())
    return Matches(here, order[at[here]], sources)
