"""A label as classes or as a quantity: how it is compared depends on which it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .encoded import Numbers
from .hashing import of_family
from .parts import Part
from .rows import Read
from .split_words import short, value_at

__all__ = ["Label", "labels"]

ROWS_A_CLASS: Final = 5
"""Rows that whole numbers have on average if they are classes."""
CLASSES: Final = 1_000


@dataclass(frozen=True)
class Label:
    """The label of one part."""

    part: str
    null: Any
    """Shape (rows,), bool."""
    codes: Any
    """Shape (rows,), int64: the class of each row; -1 for a null."""
    amounts: Any
    """Shape (rows,), float64: the quantity of each row; classes have none that counts."""
    names: Sequence[str]
    """The classes of all parts, by code."""
    continuous: bool


def labels(parts: Sequence[Part], name: str) -> list[Label]:
    """Return the label of each part that has it."""
    having = [part for part in parts if name in part.names]
    read = Read.of(name, having)
    bits = [read.bits(at) for at in range(len(having))]
    null = [column.null for column in read.columns]
    amounts = [_amounts(column) for column in read.columns]
    present = np.concatenate([one[~missing] for one, missing in zip(bits, null, strict=True)])
    values = np.unique(present)
    continuous = (
        of_family(read.columns)
        and isinstance(read.columns[0], Numbers)
        and _is_quantity(
            np.concatenate([one[~missing] for one, missing in zip(amounts, null, strict=True)]), len(values)
        )
    )
    codes = [np.where(missing, -1, np.searchsorted(values, one)) for one, missing in zip(bits, null, strict=True)]
    names = [] if continuous else _names(read, codes, len(values))
    return [
        Label(part.name, missing, code, amount, names, continuous)
        for part, missing, code, amount in zip(having, null, codes, amounts, strict=True)
    ]


def _amounts(column: Any) -> Any:
    return column.values.astype(np.float64) if isinstance(column, Numbers) else np.zeros(len(column.codes))


def _is_quantity(amounts: Any, different: int) -> bool:
    """Tell whether numbers are no classes: some are not whole, or they are too many for the rows."""
    finite = amounts[np.isfinite(amounts)]
    if bool((finite != np.round(finite)).any()):
        return different > 2 and different * ROWS_A_CLASS > len(amounts)
    return different > min(CLASSES, len(amounts) / ROWS_A_CLASS) and different > 2


def _names(read: Read, codes: Sequence[Any], count: int) -> list[str]:
    names = [""] * count
    for column, of in zip(read.columns, codes, strict=True):
        present, rows = np.unique(of, return_index=True)
        for code, row in zip(present, rows, strict=True):
            if code >= 0 and not names[code]:
                names[code] = short(value_at(column, int(row)))
    return names
