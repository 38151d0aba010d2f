"""Values and rows as 64-bit numbers, so that equal rows of two parts are found by sorting.

Two different rows have one number with a chance of 2**-64; among a million rows of each part that is 5e-8 in all.
The numbers are the same in every process, so that what is drawn by them is too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xxhash

from .encoded import Encoded, Items, Numbers

__all__ = ["Grid", "exact", "folded", "grid", "loose", "mixed", "of_family", "precision", "rounded"]

NULL: Final = np.uint64(0x9E3779B97F4A7C15)
LARGE: Final = np.uint64(0xD1B54A32D192ED03)
STEP: Final = 1e-4
"""Of robust standard units: numbers closer than this are the same when they are rounded."""
ENOUGH: Final = 20_000
"""Values that the unit of a column is taken from."""
DECIMAL: Final = re.compile(r"[-+]?\d+(?:[.,]\d+)?")


def mixed(bits: Any, place: int) -> Any:
    """Return numbers in which each bit depends on all of `bits` and on the column's place (splitmix64)."""
    out = bits + np.uint64((0x9E3779B97F4A7C15 * (place + 1)) % 2**64)
    out ^= out >> np.uint64(30)
    out *= np.uint64(0xBF58476D1CE4E5B9)
    out ^= out >> np.uint64(27)
    out *= np.uint64(0x94D049BB133111EB)
    out ^= out >> np.uint64(31)
    return out


def precision(columns: Sequence[Encoded]) -> Any:
    """Return the dtype at which numbers of all these columns are compared: the least exact float among them."""
    floats = [column.values.dtype for column in columns if isinstance(column, Numbers)]
    floats = [dtype for dtype in floats if dtype.kind == "f" and dtype.itemsize <= 8]
    return min(floats, key=lambda dtype: dtype.itemsize, default=np.dtype(np.float64))


def exact(column: Encoded, dtype: Any = np.float64) -> Any:
    """Return a number for each value, shape (rows,), uint64: the same for equal values, whatever their type's width."""
    if isinstance(column, Items):
        return _by_code(column, _item)
    return _numbers(column, dtype)


def loose(column: Encoded) -> Any:
    """Return what `exact` does for columns of different types: "12" and 12, "2024-01-31" and the date are equal."""
    if isinstance(column, Items):
        return _by_code(column, _read)
    return _numbers(column, np.float64)


def of_family(columns: Sequence[Encoded]) -> bool:
    """Tell whether columns of one name are of one type, or have no values."""
    return len({column.family for column in columns} - {"empty"}) <= 1


def folded(column: Items) -> Any:
    """Return a number for each text that doesn't depend on case, spaces, forms of Unicode and the decimal mark."""
    return _by_code(column, lambda value: _item(_fold(value)) if isinstance(value, str) else _item(value))


@dataclass(frozen=True)
class Grid:
    """How a column of numbers is rounded: its centre and its unit."""

    centre: float
    unit: float


def grid(column: Numbers) -> Grid | None:
    """Return how the numbers are rounded; None for whole numbers and times, which are exact."""
    if column.family != "number" or column.values.dtype.kind != "f":
        return None
    finite = column.values[np.isfinite(column.values)].astype(np.float64)
    if not len(finite):
        return Grid(0.0, 1.0)
    some = finite[:: max(1, len(finite) // ENOUGH)]  # a unit needs no more
    low, centre, high = np.quantile(some, [0.25, 0.5, 0.75])
    unit = (high - low) / 1.349 or float(np.std(finite)) or abs(centre) or 1.0
    return Grid(float(centre), float(unit) if np.isfinite(unit) else 1.0)


def rounded(column: Numbers, how: Grid) -> tuple[Any, Any]:
    """Return the numbers of the cells that values are in, on two grids of which one is shifted by half a cell.

    Cells are `STEP` units wide around the centre and grow with the distance from it (the inverse hyperbolic sine), so
    that large values are rounded relative to their size. Of two values closer than half a cell, one grid has both in one.
    """
    scaled = column.values.astype(np.float64)
    scaled = np.arcsinh((scaled - how.centre) / how.unit)
    scaled /= STEP
    whole = []
    for shift in (0.0, 0.5):
        cells = np.floor(scaled + shift)
        cells += 0.0
        bits = cells.view(np.uint64)
        whole.append(np.where(column.null, NULL, bits) if column.null.any() else bits)
    return whole[0], whole[1]


def _numbers(column: Numbers, dtype: Any) -> Any:
    values = column.values
    if column.family in ("time", "duration"):
        bits = values.view(np.uint64)
    elif values.dtype.kind == "f":
        bits = _float_bits(values.astype(dtype).astype(np.float64))
    else:
        bits = _float_bits(values.astype(dtype).astype(np.float64))
        if np.dtype(dtype).itemsize == 8 and len(values) and max(int(values.max()), -int(values.min())) > 2**53:
            far = (values > 2**53) | (values < -(2**53))  # whole numbers that a float64 can't tell apart
            bits = np.where(far, values.astype(np.uint64) ^ LARGE, bits)
    return np.where(column.null, NULL, bits) if column.null.any() else bits


def _float_bits(values: Any) -> Any:
    return (values + 0.0).view(np.uint64)  # -0.0 becomes 0.0


def _by_code(column: Items, number: Any) -> Any:
    table = np.empty(len(column.values) + 1, np.uint64)
    table[:-1] = np.fromiter(map(number, column.values), np.uint64, len(column.values))
    table[-1] = NULL
    return table[column.codes]


def _item(value: Any) -> int:
    if isinstance(value, str):
        return xxhash.xxh3_64_intdigest(value.encode("utf-8", "surrogatepass"))
    return xxhash.xxh3_64_intdigest(_canonical(value))


def _canonical(value: Any) -> bytes:
    """Return bytes for a value of `encoded._plain`: its items, each with its length."""
    if isinstance(value, tuple):
        parts = [_canonical(item) for item in value]
        return b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    if isinstance(value, float):
        return value.hex().encode()
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _read(value: Any) -> int:
    if isinstance(value, tuple) and len(value) == 2:
        value = value[1]
    if not isinstance(value, str):
        value = str(value)
    text = value.strip()
    if text.casefold() in ("true", "false"):
        return int(_float_bits(np.array([float(text.casefold() == "true")]))[0])
    if DECIMAL.fullmatch(text):
        return int(_float_bits(np.array([float(text.replace(",", "."))]))[0])
    try:
        return int(np.array([np.datetime64(text, "us")]).view(np.uint64)[0])
    except ValueError:
        pass
    try:
        return int(_float_bits(np.array([float(text)]))[0])
    except ValueError:
        return _item(text)


def _fold(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = " ".join(text.casefold().split())
    if DECIMAL.fullmatch(text):
        return f"{float(text.replace(',', '.')):.9g}"
    return text
