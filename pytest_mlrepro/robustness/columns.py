"""One column of a table as numbers: what they stand for, what its dtype can hold, and what is the same in any order of rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from ..errors import FingerprintError
from ..fingerprints import fingerprint

__all__ = ["EXACT", "Column", "Sort", "number_of"]

Sort: TypeAlias = Literal["number", "whole", "category", "fixed"]
Numbers: TypeAlias = NDArray[np.float64]

EXACT = 2**53
"""From here on floats leave out whole numbers: columns that hold such are never computed with."""


@dataclass(slots=True, eq=False)
class Column:
    """One column: numbers are themselves, categories the number of their level, missing cells NaN."""

    name: Any
    dtype: Any
    sort: Sort
    levels: list[Any] = field(default_factory=list)
    """Of a category, in the order in which they were met."""
    missable: bool = True
    """Whether the dtype has a missing value."""
    gap: Any = None
    """What stands in a missing cell: None, or the NaN that the user's column has."""
    spread: float = 0.0
    """The standard deviation of a number, once a reference has given it."""
    hidden: bool = False
    """Set for the index of a frame, which belongs to a row but is no column of it."""
    places: dict[Any, int] = field(default_factory=dict)

    @property
    def coded(self) -> bool:
        """Whether its numbers are those of levels."""
        return self.sort in ("category", "fixed")

    def code(self, value: Any) -> float:
        """Return the number of a level; one that is new becomes the last."""
        value = value.item() if isinstance(value, np.generic) else value
        if value is None or value != value:
            return float("nan")
        key = (type(value) is bool, value)  # True is not the category 1, but 1.0 is
        place = self.places.get(key)
        if place is None:
            place = self.places[key] = len(self.levels)
            self.levels.append(value)
        return float(place)

    def codes(self, values: Iterable[Any]) -> Numbers:
        """Return the numbers of levels."""
        return np.array([self.code(value) for value in values], np.float64)

    def in_order(self, codes: Iterable[float]) -> Numbers:
        """Return numbers of levels in an order that does not depend on the order in which they were met."""
        return np.array(sorted(codes, key=lambda code: number_of(self.levels[int(code)])), np.float64)

    def values(self, numbers: Numbers) -> list[Any]:
        """Return what the numbers stand for, the gap where a cell is missing."""
        if self.coded:
            return [self.gap if number != number else self.levels[int(number)] for number in numbers.tolist()]
        if self.sort == "whole":
            return [self.gap if number != number else int(number) for number in numbers.tolist()]
        return [self.gap if number != number else number for number in numbers.tolist()]

    def rounded(self, numbers: Numbers) -> Numbers:
        """Return the numbers as the dtype has them: in halves or singles, in so many digits, inside its range."""
        if self.coded:
            return numbers
        low, high = self.range
        if self.sort == "whole":
            return np.clip(numbers, low, high)
        kind = re.search(r"(float|half_?float|double)\s*(\d*)", str(self.dtype).lower())
        if kind is not None and kind[2] in ("16", "32"):
            short: Numbers = numbers.astype(f"float{kind[2]}").astype(np.float64)
            return short
        digits = getattr(self.dtype, "scale", None)
        return np.round(numbers, digits) if isinstance(digits, int) else numbers

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest whole number of the dtype that floats have too."""
        kind = re.search(r"(u?)int(8|16|32)\b", str(self.dtype).lower())
        if kind is None:
            return (0.0 if "uint" in str(self.dtype).lower() else float(-EXACT)), float(EXACT)
        held = np.iinfo(kind[0])
        return float(held.min), float(held.max)

    def portable(self, numbers: Numbers) -> Numbers:
        """Return the numbers with each level as what stands for it in every run (`number_of`)."""
        if not self.coded:
            return numbers
        known: dict[float, float] = {
            code: number_of(self.levels[int(code)]) for code in np.unique(numbers[numbers == numbers]).tolist()
        }
        return np.array([known.get(number, np.nan) for number in numbers.tolist()], np.float64)

    def back(self, numbers: Numbers) -> Numbers:
        """Return what `portable` was made from; -1 for a level that this column doesn't have."""
        if not self.coded:
            return numbers
        known = {number_of(level): float(code) for code, level in enumerate(self.levels)}
        return np.array(
            [number if number != number else known.get(number, -1.0) for number in numbers.tolist()], np.float64
        )

    def word(self, number: float) -> str:
        """Return one cell for people to read."""
        if number != number:
            return "missing"
        value = self.values(np.array([number]))[0]
        return f"{value:.6g}" if isinstance(value, float) else str(value)


def number_of(value: Any) -> float:
    """Return a whole number below 2**52 that stands for a value, the same in every run and for every order of rows."""
    match value:
        case bool():
            text = f"bool {value}"
        case str():
            text = f"text {value}"
        case int():
            text = f"number {value}"
        case float():
            text = f"number {int(value) if value.is_integer() else value.hex()}"
        case _:
            try:
                text = f"value {fingerprint(value).digest}"
            except FingerprintError:
                text = f"{type(value).__qualname__} {value}"
    return float(int.from_bytes(blake3(text.encode("utf-8", "surrogatepass")).digest(8), "little") >> 12)
