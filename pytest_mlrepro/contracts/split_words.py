"""Rows, values and amounts of a split, in words: one place, so that all findings read alike."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from .encoded import Encoded, Items

__all__ = ["FIRST", "SHOWN", "first", "many", "mingled", "named", "paired", "rows_of", "short", "span", "value_at"]

FIRST: Final = 10
"""Positions that a finding has at most."""
SHOWN: Final = 5
"""Positions and names in words."""


def first(positions: Any) -> tuple[int, ...]:
    """Return the first positions as a finding has them."""
    return tuple(int(at) for at in positions[:FIRST])


def many(count: int, noun: str) -> str:
    """Return a count with its noun: 1 row, 2 rows, 12,000 rows."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def rows_of(part: str, positions: Sequence[Any] | Any) -> str:
    """Return the first rows of a part: `rows 3, 17, 40, … of test`."""
    shown = ", ".join(str(int(at)) for at in positions[:SHOWN])
    return f"row{'s' if len(positions) > 1 else ''} {shown}{', …' if len(positions) > SHOWN else ''} of {part}"


def paired(first: str, second: str, there: Any, here: Any) -> str:
    """Return which rows are alike: `row 3 of test is row 99 of train, row 17 row 5, …`."""
    pairs = [(int(two), int(one)) for one, two in zip(there[:SHOWN], here[:SHOWN], strict=True)]
    begin = f"row {pairs[0][0]} of {second} is row {pairs[0][1]} of {first}"
    more = "".join(f", {two} is {one}" for two, one in pairs[1:])
    return f"{begin}{more}{', …' if len(here) > SHOWN else ''}"


def named(names: Iterable[str]) -> str:
    """Return names in quotes, the first of many."""
    all_names = list(names)
    shown = ", ".join(map(repr, all_names[:SHOWN]))
    return shown + (f" and {len(all_names) - SHOWN:,} more" if len(all_names) > SHOWN else "")


def short(value: object) -> str:
    """Return a value in at most forty characters."""
    text = f"{value:.9g}" if isinstance(value, float) else str(value)
    text = repr(text) if isinstance(value, str) else text
    return text if len(text) <= 40 else f"{text[:39]}…"


def mingled(column: Encoded, part: str) -> str:
    """Return which rows of a column of several types are not of the commonest: `; rows 3, 9 of test are str, most are float`."""
    if column.family != "mixed" or not isinstance(column, Items):
        return ""
    types = [value[0] if isinstance(value, tuple) else type(value).__name__ for value in column.values]
    rows = np.bincount(column.codes[~column.null], minlength=len(types))
    counts = Counter[str]()
    for kind, count in zip(types, rows, strict=True):
        counts[kind] += int(count)
    usual, _ = counts.most_common(1)[0]
    odd = np.array([kind != usual for kind in types])
    at = np.flatnonzero(~column.null & odd[column.codes])
    if not len(at):
        return ""
    others = ", ".join(kind for kind, count in counts.most_common() if kind != usual and count)
    return f"; {rows_of(part, at)} {'is' if len(at) == 1 else 'are'} {others}, most are {usual}"


def value_at(column: Encoded, row: int) -> object:
    """Return a value as a person knows it; None for a null."""
    if bool(column.null[row]):
        return None
    if isinstance(column, Items):
        return column.values[int(column.codes[row])]
    number = column.values[row].item()
    if column.family == "time":
        return moment(number) + (" UTC" if column.zone else "")
    if column.family == "duration":
        return span(number, timed=True)
    return bool(number) if column.family == "boolean" else number


def moment(microseconds: int) -> str:
    """Return a time in ISO form, without the hours of a date."""
    text = str(np.datetime64(int(microseconds), "us")).replace("T", " ")
    return text.removesuffix(".000000").removesuffix(" 00:00:00")


def span(amount: float, *, timed: bool) -> str:
    """Return how long a time is; `amount` in microseconds if `timed`, else in the unit of the column."""
    if not timed:
        return f"{amount:,.6g}"
    whole = dt.timedelta(microseconds=int(amount))
    rest = whole - dt.timedelta(days=whole.days)
    parts = [many(whole.days, "day")] if whole.days else []
    return " ".join([*parts, str(rest)] if rest or not parts else parts)
