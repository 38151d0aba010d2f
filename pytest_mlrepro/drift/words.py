"""A comparison in sentences: what moved, by how much in the unit of the column, and what was allowed."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import numpy as np

from .categories import Mixture, Unseen
from .columns import Column, Labels, Values
from .findings import Finding, Report
from .numeric import Moved, NumberCounts
from .profile import Entry, Profile

__all__ = ["examples", "mixture_lines", "moved_lines", "number", "percent", "profile_lines", "told", "unseen_lines"]

MOST: Final = 8
"""Findings that are told; all are in the report's `findings`."""
SHOWN: Final = 5
WIDE: Final = 100
OPTIONS: Final = {"correlation": "correlation", "all columns together": "together"}
"""By what is tested: the argument that says how much of it matters, where that is not `effect`."""


def number(value: float, kind: str = "numeric", unit: str = "") -> str:
    """Return a value of a column of numbers or dates."""
    if kind == "datetime" and math.isfinite(value) and abs(value) < 2e11:
        moment = dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(seconds=value)
        return moment.strftime("%Y-%m-%d" if value % 86400 == 0 else "%Y-%m-%d %H:%M:%S")
    text = f"{value:.0f}" if value == round(value, 0) and abs(value) < 1e7 else f"{value:.4g}"
    return f"{text} {unit}" if unit else text


def percent(share: float) -> str:
    """Return a share as a percentage, with as many digits as it takes to see that it is none or not all."""
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{share:.1%}" if 0.001 <= share <= 0.999 else f"{share * 100:.2g}%"


def moved_lines(where: Moved, then: NumberCounts, now: NumberCounts, kind: str, unit: str) -> tuple[str, ...]:
    """Return how a column of numbers moved: its middle or its spread, and where the two are farthest apart."""
    side = "below" if where.strictly else "up to"
    at = f"{side} {number(where.at, kind, unit)} lie {percent(where.now)} of the values, were {percent(where.then)}"
    return (_middle(then, now, kind, unit), at)


def _middle(then: NumberCounts, now: NumberCounts, kind: str, unit: str) -> str:
    gap = now.median - then.median
    if not math.isfinite(gap) or abs(gap) < 0.02 * then.sd or gap == 0:
        words = f"median {number(then.median, kind, unit)} → {number(now.median, kind, unit)}"
        if kind != "datetime":
            return (
                f"its distribution moved: {words}; standard deviation {number(then.sd)} → {number(now.sd, unit=unit)}"
            )
        return f"its distribution moved: {words}"
    if kind == "datetime":
        return f"its dates moved: median {number(then.median, kind)} → {number(now.median, kind)} ({gap / 86400:+.4g} days)"
    spread = f", {gap / then.sd:+.2g} standard deviations" if then.sd > 0 else ""
    return (
        f"its distribution moved: median {number(then.median)} → {number(now.median, unit=unit)} "
        f"({'+' if gap > 0 else ''}{number(gap, unit=unit)}{spread})"
    )


def mixture_lines(found: Mixture) -> tuple[str, ...]:
    """Return which categories have another share."""
    parts = [f"{clipped(name)} {percent(then)} → {percent(now)}" for name, then, now in found.shares if then != now]
    return (f"its categories have other shares: {', '.join(parts) or 'none moved'}",)


def unseen_lines(found: Unseen, column: Labels, rows: int) -> tuple[str, ...]:
    """Return which categories the reference does not have, and the first rows that do."""
    names = ", ".join(f"{clipped(name)} ({count:,})" for name, count in found.levels)
    more = f" and {found.more:,} more" if found.more else ""
    new = {name for name, _ in found.levels}
    at = [*islice((place for place, label in enumerate(column.labels) if label in new), SHOWN)] if found.rows else []
    where = f"; first in rows {', '.join(map(str, at))}" if at else ""
    return (
        f"categories that the reference does not have: {found.rows:,} of {rows:,} rows ({percent(found.rows / rows)}, "
        f"expected {percent(found.expected)})",
        f"{names}{more}{where}",
    )


def examples(column: Column, kind: str) -> str:
    """Return the first rows that show what is odd in a column: `rows 3 (inf), 8 (-inf)`."""
    if isinstance(column, Values):
        numbers = column.numbers
        odd = {"null": np.isnan, "infinite": np.isinf}.get(kind, lambda values: ~np.isnan(values))(numbers)
        first = [(int(at), number(float(numbers[at]), column.kind)) for at in np.flatnonzero(odd)[:SHOWN]]
    else:
        rows = ((at, label) for at, label in enumerate(column.labels) if (label is None) == (kind == "null"))
        first = [(at, clipped(label)) for at, label in islice(rows, SHOWN)]
    if kind == "null":
        return f"first in rows {', '.join(str(at) for at, _ in first)}" if first else ""
    return f"rows {', '.join(f'{at} ({value})' for at, value in first)}"


def clipped(label: str | None) -> str:
    """Return a text as it may stand in a message: on one line, and not longer than it helps."""
    text = repr(label) if label is None or not label.startswith("(") else label
    return text if len(text) <= WIDE // 2 else f"{text[: WIDE // 2]}…"


def profile_lines(profile: Profile) -> Iterator[str]:
    """Yield what a profile holds, a line for each column."""
    yield f"{profile.rows:,} rows, {profile.date}" + (
        f", redacted to {profile.redacted} rows" if profile.redacted else ""
    )
    if profile.allowances is not None:
        yield f"in {profile.allowances.groups} groups by {profile.allowances.name or 'labels'}"
    for name, entry in profile.columns.items():
        nulls = f", {percent(entry.nulls / entry.rows)} null" if entry.nulls else ""
        yield f"{_title(name)}: {entry.kind}{nulls}{_held(entry)}"


def _held(entry: Entry) -> str:
    if entry.numbers is not None and entry.numbers.counts.values:
        counts = entry.numbers.counts
        low, middle, high = (number(value, entry.kind) for value in (counts.low, counts.median, counts.high))
        return f", median {middle}" if math.isnan(counts.low) else f", median {middle}, {low} to {high}"
    if entry.categories is not None and entry.categories.levels:
        first = ", ".join(f"{clipped(name)} {rows:,}" for name, rows in [*entry.categories.levels.items()][:3])
        return f", {len(entry.categories.levels) + entry.categories.other_levels:,} categories: {first}"
    return ""


def told(report: Report) -> str:
    """Return the verdict with what moved and what could not be decided; below 4 KB whatever the frame holds."""
    lines = [_headline(report)]
    shown = [finding for finding in report.drifted if finding.state == "drift"]
    for finding in shown[:MOST]:
        lines += _finding(finding, report)
    if len(shown) > MOST:
        lines.append(f"  … and {len(shown) - MOST} more: {_names(shown[MOST:])}")
    lines += _undecided(report)
    lines += [f"  note: {note}" for note in report.notes]
    return "\n".join(lines)


def _headline(report: Report) -> str:
    since = f"since {report.reference} ({_count(report.reference_rows, 'row')})"
    rows = _count(report.rows, "row")
    tests = _count(report.tests, "test")
    if report.verdict == "drift":
        columns = len({finding.column for finding in report.drifted})
        return f"drift {since}: {columns} of its columns moved, in {rows} and {tests}"
    if report.verdict == "undecided":
        return f"undecided whether anything moved {since}: {rows} can't tell what matters"
    return f"no drift {since}: {rows}, {tests}"


def _finding(finding: Finding, report: Report) -> Iterator[str]:
    first, *rest = finding.words
    yield f"  {_title(finding.column)}: {first}"
    yield from (f"      {line}" for line in rest if line)
    if finding.tail is not None:
        tail = f"p = {finding.tail:.1g}" if finding.tail > 1e-99 else "p < 1e-99"
        yield (
            f"      {finding.measure} = {finding.statistic:.3f}, allowed {finding.allowed:.3g}; "
            f"{tail}, corrected for {_count(report.tests, 'test')}"
        )


def _undecided(report: Report) -> Iterator[str]:
    moved = {finding.column for finding in report.drifted}  # of which enough is known
    open_ones = [finding for finding in report.findings if finding.state == "undecided" and finding.column not in moved]
    if not open_ones:
        return
    worst = max(open_ones, key=lambda finding: finding.needed)
    yield f"  undecided: {_names(open_ones)}"
    least = f"{worst.measure} of {worst.allowed:.2g} in {_title(worst.column)}"
    if math.isfinite(worst.needed):
        came = _count(worst.rows[1], "row")
        yield f"      to rule out a {least} takes {math.ceil(worst.needed):,} rows; {came} with a value came"
    else:
        yield f"      no sample can rule out a {least}: the reference has only {_count(worst.rows[0], 'row')}"
    options: dict[str, float] = {}
    for finding in open_ones:
        option = OPTIONS.get(finding.what, "effect")
        options[option] = max(options.get(option, 0.0), finding.detectable * finding.effects)
    asked = ", ".join(f"{option}={_up(value):g}" for option, value in options.items() if _up(value) < 1)
    said = f", or say that less than these rows can show does not matter: {asked}" if asked else ""
    yield f"      give more rows{said}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _up(value: float) -> float:
    return math.ceil(value * 100) / 100


def _names(findings: Sequence[Finding]) -> str:
    names = list(dict.fromkeys(_title(finding.column) for finding in findings))
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def _title(column: str) -> str:
    text = column if column.isprintable() else repr(column)
    return text if len(text) <= WIDE else f"{text[:WIDE]}…"
