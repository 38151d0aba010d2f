"""What must not be true of a row: each field of a column's contract as a condition that its engine can count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .contract import ColumnContract
from .formats import FORMATS, IN_WORDS
from .source import Source, narwhals
from .split_words import short
from .told import some

__all__ = ["Question", "questions_of"]


@dataclass(frozen=True)
class Question:
    """Something that must not be true of a row: a condition over one column, and how often it may be."""

    kind: str
    column: ColumnContract
    condition: Any
    allowed: float
    words: str
    """What is expected."""


def questions_of(source: Source, column: ColumnContract, *, typed: bool) -> Iterator[Question]:
    """Yield the questions of one column; of a column of another type only whether values are missing."""
    nw = narwhals()
    own, sort = nw.col(column.name), source.sorts[column.name]
    missing = own.is_null()
    if sort == "number":
        missing = missing | (own.is_nan() & ~own.is_null())
    if column.nulls is not None:
        yield Question("nulls", column, missing, column.nulls, "a value" if not column.nulls else "")
    if not typed:
        return
    if sort == "number":
        infinite = ~own.is_finite() & ~own.is_nan()
        yield Question("infinities", column, _true(infinite), 0.0, "a finite number")
    if column.min is not None or column.max is not None:
        yield from _range(source, column, own, sort)
    if sort != "text":
        return
    text = own.cast(nw.String)
    if column.stripped:
        yield Question("spaces", column, _true(text != text.str.strip_chars()), 0.0, "no space at either end")
    if column.values is not None:
        yield Question(
            "values", column, _true(~text.is_in(list(column.values)) & ~own.is_null()), 0.0, some(column.values)
        )
    if column.format is not None:
        other = _true(~text.str.contains(FORMATS[column.format]))
        yield Question("format", column, other, column.other_formats or 0.0, IN_WORDS[column.format])


def _true(condition: Any) -> Any:
    return condition.fill_null(False)  # narwhals' signature


def _range(source: Source, column: ColumnContract, own: Any, sort: str) -> Iterator[Question]:
    if sort not in ("whole", "number", "time", "date"):
        return
    low, high = (_like(source, column.name, sort, end) for end in (column.min, column.max))
    outside = None
    for end, wrong in ((low, own < low if low is not None else None), (high, own > high if high is not None else None)):
        if end is not None:
            outside = wrong if outside is None else outside | wrong
    assert outside is not None
    if sort == "number":
        outside = outside & own.is_finite()
    words = f"{short(column.min)} to {short(column.max)}"
    if column.min is None or column.max is None:
        words = f"{short(column.max)} at most" if column.min is None else f"{short(column.min)} at least"
    yield Question("range", column, _true(outside), 0.0, words)


def _like(source: Source, name: str, sort: str, end: Any) -> Any:
    """Return an end of a range as a value that the column can be compared with."""
    if end is None or sort in ("whole", "number"):
        return end
    if sort == "date":
        return end.date() if isinstance(end, dt.datetime) else end
    moment = end if isinstance(end, dt.datetime) else dt.datetime.combine(end, dt.time())
    zone = source.zones.get(name, "")
    if zone:
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    return moment.replace(tzinfo=None)
