"""Corruptions of rows of a table, as `tables.read_table` codes them; constants are shares, or in units of the spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..columns import Column
from .base import OURS, Method
from .texts import BELINKOV, typed

__all__ = ["ROWS"]

Row = NDArray[np.float64]
Rng = np.random.Generator
Columns = list[tuple[int, Column]]
"""The columns that may be corrupted, with their places."""


def _gaussian_noise(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    """Noise of `c` standard deviations on each number."""
    out = row.copy()
    for at, column in columns:
        out[at] = _in(column, row[at] + c * column.spread * rng.normal())
    return out


def _in(column: Column, number: float) -> float:
    return float(np.round(number)) if column.sort == "whole" else number


def _missing_cells(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    out = row.copy()
    for at, _ in columns:
        if rng.random() < c:
            out[at] = np.nan
    return out


def _missing_columns(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    """A share `c` of the columns, one at least; each row draws for itself which."""
    out = row.copy()
    places = [at for at, _ in columns]
    out[rng.choice(places, max(1, round(c * len(places))), replace=False)] = np.nan
    return out


def _unit(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    """One number in another unit: inches for centimetres, a comma lost, minutes for hours, grams for kilograms, ..."""
    numbers = [(at, column) for at, column in columns if row[at]]
    out = row.copy()
    if numbers:
        at, column = numbers[int(rng.integers(len(numbers)))]
        out[at] = _in(column, row[at] * c if rng.random() < 0.5 or column.sort == "whole" else row[at] / c)
    return out


def _fahrenheit(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    """A share `c` of the numbers, one at least, as if degrees Celsius had come as Fahrenheit: 1.8 times, plus 32."""
    out = row.copy()
    for at, column in _some(rng, columns, c):
        out[at] = _in(column, row[at] * 1.8 + 32)
    return out


def _decimal_comma(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    """A share `c` of the numbers, one at least, as if the decimal comma had been read over: 1,25 becomes 125."""
    out = row.copy()
    for at, column in _some(rng, columns, c):
        _, _, digits = f"{row[at]:.6f}".rstrip("0").partition(".")
        out[at] = _in(column, float(np.round(row[at] * 10 ** max(1, len(digits)))))
    return out


def _some(rng: Rng, columns: Columns, c: float) -> Columns:
    return [columns[at] for at in rng.choice(len(columns), max(1, round(c * len(columns))), replace=False).tolist()]


def _swapped_categories(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    """A share `c` of the categories, each another one that the column has."""
    out = row.copy()
    for at, column in columns:
        if rng.random() < c and not np.isnan(row[at]):
            others = column.in_order(code for code in range(len(column.levels)) if code != row[at])
            out[at] = others[int(rng.integers(len(others)))]
    return out


def _typos(rng: Rng, row: Row, c: float, columns: Columns) -> Row:
    """Typing errors in the cells that hold text."""
    out = row.copy()
    for at, column in columns:
        value = column.values(row[at : at + 1])[0]
        if isinstance(value, str):
            out[at] = column.code(typed(rng, value, c))
    return out


_SHARES = (0.02, 0.05, 0.1, 0.2, 0.4)

ROWS: dict[str, Method] = {
    "gaussian_noise": Method(_gaussian_noise, (0.05, 0.1, 0.2, 0.3, 0.5), OURS),
    "missing_cells": Method(_missing_cells, _SHARES, OURS),
    "missing_columns": Method(_missing_columns, (0.05, 0.1, 0.2, 0.3, 0.5), OURS),
    "unit_shift": Method(_unit, (2.54, 10.0, 60.0, 1000.0, 1e6), OURS),
    "fahrenheit": Method(_fahrenheit, (0.1, 0.25, 0.5, 0.75, 1.0), OURS),
    "decimal_comma": Method(_decimal_comma, (0.1, 0.25, 0.5, 0.75, 1.0), OURS),
    "swapped_categories": Method(_swapped_categories, _SHARES, OURS),
    "typos": Method(_typos, (0.02, 0.05, 0.1, 0.15, 0.25), BELINKOV),
}
