"""The order of time: what a model is tested on lies after what it learned from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UsageError
from .encoded import Items, Numbers
from .finding import Finding
from .parts import Part
from .split_words import first, many, moment, rows_of, span

__all__ = ["time_findings"]


@dataclass(frozen=True)
class _Times:
    part: str
    values: Any
    """Shape (rows,): microseconds since 1970, or numbers as the column has them."""
    null: Any
    zone: str
    timed: bool


def time_findings(parts: Sequence[Part], name: str) -> list[Finding]:
    """Return rows of later parts that lie before the last row of an earlier one, times without a value, and zones.

    Parts are in the order of time in which they should be. Rows of equal times are in order.

    Raises:
        UsageError: a column that holds no times in one part, or text that is none (ISO 8601 is read), with its row.
    """
    times = [_times(part, name) for part in parts]
    findings = [finding for one in times for finding in _nulls(one, name)]
    zones = _zones(times, name)
    if zones and len({bool(one.zone) for one in times}) > 1:
        return [*findings, *zones]  # naive and aware times have no order
    if len({one.timed for one in times}) > 1:
        kinds = ", ".join(f"{one.part} {'times' if one.timed else 'numbers'}" for one in times)
        raise UsageError(f"split: time column {name!r} has times in one part and numbers in another: {kinds}")
    findings += zones
    for at, one in enumerate(times):
        for two in times[at + 1 :]:
            findings += _order(one, two, name)
    return findings


def _times(part: Part, name: str) -> _Times:
    column = part.column(name)
    if column.null.all():
        raise UsageError(
            f"split: time column {name!r} of {part.name} is null in all {many(part.rows, 'row')}: no order can be told"
        )
    if isinstance(column, Items):
        if len(column.zones) > 1:
            raise UsageError(
                f"split: time column {name!r} of {part.name} mixes time zones: {_zone_names(column.zones)}"
            )
        column = _parsed(column, part, name)
    if column.family not in ("time", "number"):
        raise UsageError(
            f"split: time column {name!r} of {part.name} holds {column.family}s, times or numbers are expected"
        )
    return _Times(part.name, column.values, column.null, column.zone, column.family == "time")


def _zone_names(zones: Sequence[str]) -> str:
    return ", ".join(zone or "none" for zone in zones)


def _parsed(column: Items, part: Part, name: str) -> Numbers:
    """Return the times that texts in ISO form say."""
    moments, aware = np.zeros(len(column.values) + 1, np.int64), set()
    for at, text in enumerate(column.values):
        try:
            moments[at], zone = _parse(text)
        except (ValueError, TypeError):
            row = int(np.flatnonzero(column.codes == at)[0]) if (column.codes == at).any() else 0
            raise UsageError(
                f"split: time column {name!r} of {part.name} holds {text!r} in row {row}, a time in ISO form (2024-01-31, "
                "2024-01-31 12:00) is expected"
            ) from None
        aware.add(zone)
    if len(aware) > 1:
        raise UsageError(f"split: time column {name!r} of {part.name} mixes times with a zone and without")
    return Numbers("time", moments[column.codes], column.null, "UTC" if True in aware else "")


def _parse(text: Any) -> tuple[int, bool]:
    if not isinstance(text, str):
        raise TypeError(text)
    value = dt.datetime.fromisoformat(text.strip())
    aware = value.tzinfo is not None
    value = value.astimezone(dt.UTC).replace(tzinfo=None) if aware else value
    return (value - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1), aware


def _nulls(one: _Times, name: str) -> list[Finding]:
    null = np.flatnonzero(one.null)
    if not len(null):
        return []
    words = f"{name!r} of {one.part} is null in {many(len(null), 'row')}, whose order can't be told: {rows_of(one.part, null)}"
    return [Finding("null-times", (name,), len(null), first(null), words)]


def _zones(times: Sequence[_Times], name: str) -> list[Finding]:
    if len({one.zone for one in times}) < 2:
        return []
    each = ", ".join(f"{one.part} {one.zone or 'none'}" for one in times)
    naive = len({bool(one.zone) for one in times}) > 1
    after = "their order can't be told" if naive else "they are compared as moments"
    return [
        Finding("time-zones", (name,), len(times), (), f"{name!r} has other time zones in other parts: {each}; {after}",
                "convert all parts to one zone")
    ]  # fmt: skip


def _order(one: _Times, two: _Times, name: str) -> list[Finding]:
    last, begin = one.values[~one.null].max(), two.values[~two.null].min()
    if not begin < last:
        return []
    early = np.flatnonzero(~two.null & (two.values < last))
    late = np.flatnonzero(~one.null & (one.values > begin))
    overlap = span(last - begin, timed=one.timed)
    return [
        Finding(
            "time-order",
            (name,),
            len(early),
            first(early),
            f"{many(len(early), 'row')} of {two.part} ({len(early) / len(two.values):.2%}) "
            f"{'is' if len(early) == 1 else 'are'} before the last row of {one.part} in {name!r}: "
            f"{two.part} begins at {_shown(begin, two)}, {one.part} ends at {_shown(last, one)}, an overlap of {overlap}; "
            f"{rows_of(two.part, early)}; {many(len(late), 'row')} of {one.part} "
            f"{'is' if len(late) == 1 else 'are'} after that begin: {rows_of(one.part, late)}",
            f"split by {name!r}: {two.part} is to begin after {one.part} ends",
        )
    ]


def _shown(value: Any, times: _Times) -> str:
    return moment(int(value)) + (" UTC" if times.zone else "") if times.timed else f"{value:.9g}"
