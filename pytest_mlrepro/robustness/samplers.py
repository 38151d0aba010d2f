"""A corruption made ready for given data: a value that is called with a generator and one sample, here or in another process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .columns import Column
from .corruption import BY_KIND, MISSING_COLUMNS, Corruption
from .inputs import Floats, Form
from .table_form import TableForm

__all__ = ["OfSeries", "OfTexts", "Sampler", "of_images", "of_rows"]

_LARGE = 64
"""Pixels of a side from which an image has the constants of large ones."""


class Sampler(Protocol):
    """Corrupts one sample."""

    def __call__(self, rng: np.random.Generator, x: Floats) -> Floats:
        """Return a corrupted copy."""


@dataclass(frozen=True, slots=True, eq=False)
class _OfImages:
    threat: Corruption
    bounds: tuple[float, float]
    whole: bool
    channels_last: bool
    large: bool

    def __call__(self, rng: np.random.Generator, x: Floats) -> Floats:
        method, (low, high) = BY_KIND["image"][self.threat.name], self.bounds
        constants = method.large if self.large and method.large is not None else method.severities
        image = (np.moveaxis(x, -1, 0) if self.channels_last else x).astype(np.float64)
        made = method.apply(rng, (image - low) / (high - low), constants[self.threat.severity - 1])
        made = np.clip(made, 0, 1) * (high - low) + low
        made = np.round(made) if self.whole else made
        return np.moveaxis(made, 0, -1) if self.channels_last else made


def of_images(threat: Corruption, x: Floats, form: Form) -> Sampler:
    """Return the corruption of images.

    Raises:
        UsageError: pixels outside of their bounds.
    """
    whole = "int" in str(form.dtypes[0])
    low, high = threat.bounds or ((0.0, 255.0) if whole else (0.0, 1.0))
    if x.min() < low or x.max() > high:
        raise UsageError(
            f"threat: images have values from {x.min():.6g} to {x.max():.6g}, outside of {low:g} to {high:g}; give their "
            f"darkest and brightest value: Corruption({threat.name!r}, bounds=(…, …)), or the kind that they are: kind='series'"
        )
    last = x.ndim == 4 and x.shape[3] <= 4 < x.shape[1]
    side = min(x.shape[1:3] if last else x.shape[-2:])
    return _OfImages(threat, (float(low), float(high)), whole, last, side >= _LARGE)


@dataclass(frozen=True, slots=True, eq=False)
class OfSeries:
    """The corruption of series."""

    threat: Corruption

    def __call__(self, rng: np.random.Generator, x: Floats) -> Floats:
        """Return a corrupted copy of one."""
        method = BY_KIND["series"][self.threat.name]
        made: Floats = method.apply(rng, x.astype(np.float64), method.severities[self.threat.severity - 1])
        return made


@dataclass(frozen=True, slots=True, eq=False)
class OfTexts:
    """The corruption of texts, which are levels of a column."""

    threat: Corruption
    column: Column

    def __call__(self, rng: np.random.Generator, x: Floats) -> Floats:
        """Return the number of a corrupted copy of one."""
        method = BY_KIND["text"][self.threat.name]
        text = self.column.levels[int(x[0])]
        return np.array([self.column.code(method.apply(rng, text, method.severities[self.threat.severity - 1]))])


@dataclass(frozen=True, slots=True, eq=False)
class _OfRows:
    threat: Corruption
    columns: list[tuple[int, Column]]

    def __call__(self, rng: np.random.Generator, x: Floats) -> Floats:
        method = BY_KIND["table"][self.threat.name]
        made: Floats = method.apply(rng, x, method.severities[self.threat.severity - 1], self.columns)
        return made


def of_rows(threat: Corruption, table: NDArray[np.float64], form: TableForm) -> Sampler:
    """Return the corruption of rows.

    Raises:
        UsageError: columns that the table doesn't have, or none that the corruption makes sense for.
    """
    names = list(form.names)
    for name in threat.columns or ():
        if name not in names:
            raise UsageError(
                f"Corruption(columns): the table has no column {name!r}; it has {', '.join(map(repr, names[:12]))}"
            )
    asked = [(at, own) for at, own in enumerate(form.columns) if threat.columns is None or own.name in threat.columns]
    fits, words = _FITS[threat.name]
    columns = [(at, own) for at, own in asked if not own.hidden and own.sort != "fixed" and fits(own)]
    if not columns:
        of = "of this table" if threat.columns is None else f"of {', '.join(map(repr, threat.columns))}"
        raise UsageError(f"threat: {threat} would do nothing: no column {of} {words}")
    for at, column in columns:
        held = np.sort(table[:, at][~np.isnan(table[:, at])])  # sums of floats vary with their order
        column.spread = float(held.std()) if len(held) and not column.coded else 0.0
    return _OfRows(threat, columns)


def _number(column: Column) -> bool:
    return not column.coded


def _missable(column: Column) -> bool:
    return column.missable


def _category(column: Column) -> bool:
    return column.coded and len(column.levels) > 1


def _text(column: Column) -> bool:
    return column.coded and any(isinstance(level, str) for level in column.levels)


_FITS = {
    "gaussian_noise": (_number, "holds numbers"),
    "unit_shift": (_number, "holds numbers"),
    "fahrenheit": (_number, "holds numbers"),
    "decimal_comma": (_number, "holds numbers"),
    "missing_cells": (_missable, "has a missing value in its dtype"),
    MISSING_COLUMNS: (_missable, "has a missing value in its dtype"),
    "swapped_categories": (_category, "has two categories or more"),
    "typos": (_text, "holds texts"),
}
"""Which columns a corruption of rows makes sense for."""
