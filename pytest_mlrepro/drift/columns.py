"""A column in memory, as drift sees it: numbers with NaN for nulls, or labels with their counts."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np

from ..errors import UsageError
from .numeric import NumberCounts, NumberProfile, counted, profiled
from .statistics import Numbers

__all__ = ["Column", "Kind", "Labels", "Values", "from_array", "from_objects", "null"]

Kind: TypeAlias = Literal["numeric", "datetime", "category", "text", "mixed", "empty", "embedding"]


@dataclass(frozen=True)
class Values:
    """Numbers, or dates as seconds since 1970 in UTC; nulls are NaN."""

    kind: Literal["numeric", "datetime", "empty"]
    numbers: Numbers
    """Shape (rows,)."""
    zone: str = ""
    """Of dates: "" for naive ones, "UTC" for those that know their zone, "several" for more than one, "mixed" for both kinds."""

    def counted(self, edges: Numbers, *, moments: bool = True) -> NumberCounts:
        """Return the counts at the edges of a reference."""
        return counted(self.numbers, edges, moments=moments)

    def profiled(self) -> NumberProfile:
        """Return what a reference keeps."""
        return profiled(self.numbers)


@dataclass(frozen=True)
class Labels:
    """Categories or texts; None for a null."""

    kind: Literal["category", "text", "mixed"]
    counts: Mapping[str, int]
    nulls: int
    read: Any = field(repr=False)
    """A function that gives the label of each row (None for a null), asked only for the words of a failure and for texts."""
    types: Mapping[str, int] = field(default_factory=dict)
    """Of a mixed column: values of each type."""

    @cached_property
    def labels(self) -> Sequence[str | None]:
        """Return the label of each row."""
        labels: Sequence[str | None] = self.read()
        return labels

    @property
    def rows(self) -> int:
        """Return how many rows there are."""
        return sum(self.counts.values()) + self.nulls


Column: TypeAlias = Values | Labels


def from_array(name: str, array: Any) -> Column:
    """Return the column that a numpy array of shape (rows,) is; UsageError for a dtype that has no order and no categories."""
    kind = array.dtype.kind
    if kind in "iuf":
        return Values("numeric", array.astype(np.float64, copy=False))
    if kind == "m":
        return Values("numeric", _seconds(array))
    if kind == "M":
        return Values("datetime", _seconds(array))
    if kind == "b":
        yes = int(array.sum())
        counts = {text: rows for text, rows in (("False", len(array) - yes), ("True", yes)) if rows}
        return Labels("category", counts, 0, lambda: [str(bool(value)) for value in array])
    if kind in "UST":
        return of_texts(array.tolist()) if kind != "S" else of_texts([str(text) for text in array.tolist()])
    if kind == "O":
        return from_objects(name, array.tolist())
    raise UsageError(
        f"drift: column {name!r} has dtype {array.dtype}: numbers, dates, texts and booleans can be compared"
    )


def _seconds(array: Any) -> Numbers:
    """Return dates or durations in seconds, NaT as NaN; whole seconds and their fractions apart, so that none are lost."""
    ticks = array.astype(array.dtype.str[:3] + "[us]").astype(np.int64)
    numbers: Numbers = ticks / 1e6
    numbers[np.isnat(array)] = np.nan
    return numbers


def from_objects(name: str, items: Sequence[Any]) -> Column:
    """Return the column that Python objects are, None and NaN among them for nulls; several types make it `mixed`."""
    known = [item for item in items if not null(item)]
    families = {_family(item) for item in known}
    if not known:
        return Values("empty", np.full(len(items), np.nan))
    if "other" in families:
        odd = next(at for at, item in enumerate(items) if not null(item) and _family(item) == "other")
        raise UsageError(
            f"drift: column {name!r} holds {type(items[odd]).__name__} (row {odd}): numbers, dates, texts and booleans can "
            f"be compared. For other values give encoder={{{name!r}: function}}, which returns numbers for them"
        )
    if families == {"number"}:
        return Values("numeric", np.array([math.nan if null(item) else float(item) for item in items]))
    if families == {"date"}:
        return _dates(items)
    if families == {"text"}:
        return of_texts([None if null(item) else str(item) for item in items])
    if families == {"bool"}:
        return of_texts([None if null(item) else str(bool(item)) for item in items])
    labels = [None if null(item) else f"{item} ({type(item).__name__})" for item in items]
    types = Counter(type(item).__name__ for item in known)
    return _labels("mixed", labels, types)


def of_texts(labels: Sequence[str | None]) -> Labels:
    """Return a column of texts that are categories until something else is decided."""
    return _labels("category", labels, {})


def _labels(kind: Literal["category", "mixed"], labels: Sequence[str | None], types: Mapping[str, int]) -> Labels:
    counts = Counter(label for label in labels if label is not None)
    return Labels(kind, counts, len(labels) - sum(counts.values()), lambda: labels, types)


def null(item: Any) -> bool:
    """Tell whether a Python object stands for a missing value."""
    return item is None or type(item).__name__ in ("NAType", "NaTType") or (isinstance(item, float) and item != item)


def _family(item: Any) -> str:
    if isinstance(item, bool | np.bool_):
        return "bool"
    if isinstance(item, int | float | decimal.Decimal | np.integer | np.floating | dt.timedelta):
        return "number" if not isinstance(item, dt.timedelta) else "other"
    if isinstance(item, str | bytes):
        return "text"
    if isinstance(item, dt.date):
        return "date"
    return "other"


def _dates(items: Sequence[Any]) -> Values:
    numbers = np.full(len(items), np.nan)
    zones = set()
    for at, item in enumerate(items):
        if not null(item):
            numbers[at], zone = _instant(item)
            zones.add(zone)
    return Values("datetime", numbers, _zone(zones))


def _zone(zones: set[str]) -> str:
    if zones <= {""}:
        return ""
    if "" in zones:
        return "mixed"
    return "UTC" if len(zones) == 1 else "several"


def _instant(item: Any) -> tuple[float, str]:
    """Return seconds since 1970, and the zone: a naive date counts as UTC, and is told from one that knows its zone."""
    moment = item if isinstance(item, dt.datetime) else dt.datetime(item.year, item.month, item.day)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=dt.UTC).timestamp(), ""
    return moment.timestamp(), str(moment.tzinfo)
