"""What a comparison found, as facts; `words` and `explain` put them into sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ..values.node import Label
from .tolerance import Limits
from .words import sentence

__all__ = ["ArrayDifference", "Comparison", "Difference", "Kind", "Place", "Special"]

Kind: TypeAlias = Literal[
    "missing", "new", "order", "kind", "attribute", "dtype", "shape", "length", "value", "values", "nulls"
]
"""`missing`: the golden has it, this run lacks it; `new`: the other way round; `value`: one scalar; `values`: elements
of an array; `nulls`: elements of an array that are null on one side only."""


@dataclass(frozen=True, slots=True)
class Place:
    """One element of an array: where, and how far apart the two sides are there."""

    index: tuple[int, ...]
    expected: Any
    """A numpy scalar (float32 for bfloat16 and float8, complex64 for complex32), `str`, `bytes`, or None for a null."""
    actual: Any
    difference: int | float | None = None
    """Magnitude: exact for integers and times (in units of the dtype), rounded once for floats, else None."""
    relative: float | None = None
    """Difference over the magnitude of the expected value; None where that is zero."""
    ulp: int | None = None
    allowed: int | float | None = None
    """`atol + rtol * |expected|` here; None when only ulp count."""


@dataclass(frozen=True, slots=True)
class Special:
    """Elements of one odd sort: how many, and the first."""

    count: int
    first: Place


@dataclass(frozen=True, slots=True)
class ArrayDifference:
    """How two arrays of equal dtype and shape differ. The worst are those of the elements outside of the tolerance."""

    total: int
    """Elements that were compared: null on neither side."""
    outside: int
    """Elements outside of the tolerance, mismatched NaN and infinities included, nulls not."""
    worst: tuple[Place, ...] = ()
    """Up to twenty, those furthest beyond what is allowed first (if only ulp count: by ulp; no numbers: the first)."""
    absolute: Place | None = None
    relative: Place | None = None
    ulp: Place | None = None
    nan: Special | None = None
    """NaN (or NaT) on one side only."""
    infinite: Special | None = None
    """An infinity against a number or the other infinity."""
    zero: Special | None = None
    """-0.0 against 0.0, at zero tolerance; counted in `outside`."""
    null: Special | None = None
    """Null on one side only."""
    nan_equal: int = 0
    """NaN at the same place on both sides, which is no difference."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place of the tree at which the two values differ."""

    kind: Kind
    path: tuple[Label, ...]
    expected: Any = None
    """The expected fact: a kind, dtype, shape, length, text of an attribute, tuple of labels, or value of a scalar."""
    actual: Any = None
    what: str = ""
    """Name of the attribute, dtype of the array, or kind of the scalar."""
    limits: Limits | None = None
    array: ArrayDifference | None = None
    owner: str = ""
    """Kind of the group that holds the leaf, such as `pandas.DataFrame`."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that one comparison found."""

    differences: tuple[Difference, ...] = ()
    """The first fifty."""
    count: int = 0
    """All differences, kept or not; each array counts once."""
    checked: int = 0
    """Elements and scalars that were compared."""
    empty: bool = False
    """True when the expected value has no element at all, so that nothing can be proved."""
    used: float = 0.0
    """Greatest share of the tolerance that an array used, 0 to 1; 1 from 0.99 on, and when something is outside."""
    tolerated: int = 0
    """Elements that were outside and excused by `max_mismatch_fraction`."""

    @property
    def ok(self) -> bool:
        """True when nothing differs beyond what is allowed."""
        return not self.count

    @property
    def headline(self) -> str:
        """One short line: the first difference and how many more; "" when there is none."""
        if not self.differences:
            return ""
        more = f" (and {self.count - 1:,} more differences)" if self.count > 1 else ""
        return sentence(self.differences[0]) + more
