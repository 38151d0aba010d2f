"""Corruptions of rows of a table, as `tables.read_table` codes them; constants are shares, or in units of the spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..columns import Column
from .base import OURS, Method
from .texts import typed

__all__ = ["ROWS"]

Row = NDArray[np.float64]
Rng = np.random.Generator
Columns = list[tuple[int, Column]]
"""The columns that may be corrupted, with their places."""


def _gaussian_noise(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    """Noise of `c` standard deviations on each number."""
    out = row.copy()
    for at, column in columns:
        if column.sort in ("number", "whole"):
            moved = row[at] + c * column.spread * rng.normal()
            out[at] = np.round(moved) if column.sort == "whole" else moved
    return out


def _missing_cells(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    out = row.copy()
    for at, column in columns:
        if column.missable and column.sort != "fixed" and rng.random() < c:
            out[at] = np.nan
    return out


def _unit(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    """One number in another unit: inches for centimetres, a comma lost, minutes for hours, grams for kilograms, ..."""
    numbers = [(at, column) for at, column in columns if column.sort in ("number", "whole") and row[at]]
    out = row.copy()
    if numbers:
        at, column = numbers[int(rng.integers(len(numbers)))]
        moved = row[at] * c if rng.random() < 0.5 or column.sort == "whole" else row[at] / c
        out[at] = np.round(moved) if column.sort == "whole" else moved
    return out


def _swapped_categories(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    """A share `c` of the categories, each another one that the column has."""
    out = row.copy()
    for at, column in columns:
        known = len(column.levels)
        if column.sort == "category" and known > 1 and not np.isnan(row[at]) and rng.random() < c:
            out[at] = (row[at] + 1 + int(rng.integers(known - 1))) % known
    return out


def _typos(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    """Typing errors in the cells that hold text."""
    out = row.copy()
    for at, column in columns:
        value = column.values(row[at : at + 1])[0] if column.sort == "category" else None
        if isinstance(value, str):
            out[at] = column.code(typed(rng, value, c))
    return out


ROWS: dict[str, Method] = {
    "gaussian_noise": Method(_gaussian_noise, (0.05, 0.1, 0.2, 0.3, 0.5), OURS),
    "missing_cells": Method(_missing_cells, (0.02, 0.05, 0.1, 0.2, 0.4), OURS),
    "unit_shift": Method(_unit, (2.54, 10.0, 60.0, 1000.0, 1e6), OURS),
    "swapped_categories": Method(_swapped_categories, (0.02, 0.05, 0.1, 0.2, 0.4), OURS),
    "typos": Method(_typos, (0.02, 0.05, 0.1, 0.15, 0.25), "as of texts"),
}
"""`missing_columns` is not one of them: it takes the same columns from every row (`corrupted.py`)."""
