"""What must not be true of a row: each field of a column's contract as a condition that its engine can count."""

from __future__ import annotations

import datetime as dt
import math
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .contract import ColumnContract
from .formats import FORMATS, IN_WORDS
from .source import Source, absent, narwhals
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
    if column.nulls is not None:
        missing = absent(source, column.name)
        yield Question("nulls", column, missing, column.nulls, "a value" if not column.nulls else "")
    if not typed:
        return
    if source.floats(column.name):
        yield from _infinities(column, own)
    if column.min is not None or column.max is not None:
        yield from _range(source, column, own, sort)
    if sort != "text":
        return
    text = own.cast(nw.String)
    if column.stripped:
        spaced = _true(text != text.str.strip_chars()) & ~own.is_null()  # pandas: a null differs from itself
        yield Question("spaces", column, spaced, 0.0, "no space at either end")
    if column.values is not None:
        yield Question(
            "values", column, _true(~text.is_in(list(column.values)) & ~own.is_null()), 0.0, some(column.values)
        )
    if column.format is not None:
        other = _true(~text.str.contains(FORMATS[column.format])) & ~own.is_null()
        yield Question("format", column, other, column.other_formats or 0.0, IN_WORDS[column.format])


def _infinities(column: ColumnContract, own: Any) -> Iterator[Question]:
    """Yield whether there are infinities that no end of the range allows: `max = inf` lets them be."""
    signs = [sign for sign, end in ((-math.inf, column.min), (math.inf, column.max)) if end != sign]
    if len(signs) == 2:
        yield Question("infinities", column, _true(~own.is_finite() & ~own.is_nan()), 0.0, "a finite number")
    elif signs:
        said = "no -infinity" if signs[0] < 0 else "no infinity"
        yield Question("infinities", column, _true(own == signs[0]), 0.0, said)


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
    if outside is None:  # whole numbers up to infinity
        return
    if source.floats(column.name):
        outside = outside & own.is_finite()
    words = f"{short(low)} to {short(high)}"
    if low in (None, -math.inf) or high in (None, math.inf):
        words = f"{short(high)} at most" if low in (None, -math.inf) else f"{short(low)} at least"
    yield Question("range", column, _true(outside), 0.0, words)


def _like(source: Source, name: str, sort: str, end: Any) -> Any:
    """Return an end of a range as a value that the column can be compared with."""
    if end is None or sort == "number":
        return end
    if sort == "whole":
        return None if end in (math.inf, -math.inf) else end
    if sort == "date":
        return end.date() if isinstance(end, dt.datetime) else end
    moment = end if isinstance(end, dt.datetime) else dt.datetime.combine(end, dt.time())
    zone = source.zones.get(name, "")
    if zone:
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
        return aware if zone[0] in "+-" else aware.astimezone(_of_name(zone))  # polars compares times of one zone alone
    return moment.replace(tzinfo=None)


def _of_name(zone: str) -> dt.tzinfo:
    try:
        return zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return dt.UTC
