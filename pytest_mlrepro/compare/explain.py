"""The one place that words a failure: what differs, where, by how much against what was allowed, in forty lines."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np

from ..values import dtypes
from .difference import ArrayDifference, Comparison, Difference, Place
from .tolerance import Limits
from .words import amount, place_text, sentence, shorten, steps, text, values

__all__ = ["explain", "failure_text"]

LINES = 40
ROWS = 8
"""Worst places that are shown of the first array; of later ones fewer."""
FEW = 3
MANY_ULP = 10_000
"""Beyond this many steps their number tells a person nothing."""
STACKED = 4
"""Places that take several lines each."""
INDENT = "  "
ALLOWED = "  allowed: "
BYTES = 4096


def explain(comparison: Comparison, *, width: int = 76, sides: tuple[str, str] = ("the golden", "this run")) -> str:
    """Return the differences as plain text of at most `width` columns, 40 lines and 4 KB, however much differs.

    `sides` says what the expected and the actual values are.
    """
    if comparison.ok:
        return "nothing was compared: there is no element at all" if comparison.empty else "nothing differs"
    lines: list[str] = []
    shown, rows, allowed = 0, ROWS, ""
    for difference in comparison.differences:
        block = list(_block(difference, rows, width))
        # what is allowed is said again only where it is something else
        said = [line for line in block if line.startswith(ALLOWED)]
        block = [line for line in block if line != allowed]
        if lines and not _fits([*lines, *block]):
            break
        lines += block
        shown += 1
        allowed = said[0] if said else allowed
        rows = FEW if difference.array else rows
    if shown < comparison.count:
        lines.append(f"... and {comparison.count - shown:,} more differences")
    if comparison.count > 1:
        lines.insert(0, f"{comparison.count:,} differences (expected: {sides[0]}, actual: {sides[1]})")
    while not _fits(lines, spare=0):
        del lines[-2:]
        lines.append(INDENT + "...")
    return "\n".join(lines)


def _fits(lines: list[str], spare: int = 2) -> bool:
    size = sum(len(line.encode("utf-8", "replace")) + 1 for line in lines)
    return len(lines) <= LINES - spare and size <= BYTES - 100 * spare


def failure_text(
    *,
    headline: str,
    details: str,
    why: Sequence[str] = (),
    why_title: str = "Changed since the recording:",
    next_commands: Sequence[str] = (),
) -> str:
    """Return a whole message: the conclusion, the details, why it may be, and what to run next."""
    parts = [headline, details]
    if why:
        parts.append("\n".join([why_title, *(textwrap.indent(reason, INDENT) for reason in why)]))
    if next_commands:
        parts.append("\n".join(["Next:", *(INDENT + command for command in next_commands)]))
    return "\n\n".join(part for part in parts if part)


def _block(difference: Difference, rows: int, width: int) -> Iterator[str]:
    if difference.kind == "value":
        yield from _scalar(difference, width)
        return
    yield from _prose(sentence(difference), "", width)
    if difference.array and difference.limits:
        yield from _array(difference, difference.array, difference.limits, rows, width)


def _prose(line: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, initial_indent=indent, subsequent_indent=indent + INDENT, break_on_hyphens=False)


def _scalar(difference: Difference, width: int) -> Iterator[str]:
    expected, actual, limits = difference.expected, difference.actual, difference.limits
    if isinstance(expected, str | bytes) and isinstance(actual, type(expected)):
        yield from _prose(sentence(difference).partition(": expected ")[0] + ": other text", "", width)
        yield from _stacked("", expected, actual, width)
        return
    yield from _prose(sentence(difference), "", width)
    if limits and isinstance(expected, int | float | complex) and difference.what in ("int", "float", "complex"):
        yield from _prose(_apart(expected, actual, limits), INDENT, width)
        yield from _prose(_allowed_text(limits, difference.what, scalar=True), INDENT, width)


def _apart(expected: complex, actual: complex, limits: Limits) -> str:
    """Return how far apart two scalars are; "" for those that have no distance."""
    if isinstance(expected, int) and isinstance(actual, int):
        return f"difference: {amount(abs(actual - expected))}"
    difference = abs(np.complex128(actual) - np.complex128(expected)) if np.isfinite([expected, actual]).all() else None
    if difference is None:
        return ""
    if difference == 0:
        return "they differ in the sign of zero"
    size = abs(np.complex128(expected))
    relative = f", relative to expected: {amount(float(difference / size))}" if size else ""
    if limits.rtol is None:
        return f"difference: {amount(float(difference))}{relative}"
    far, near = distinct(float(difference), float((limits.atol or 0) + limits.rtol * size))
    return f"difference: {far} (allowed: {near}){relative}"


def _array(difference: Difference, array: ArrayDifference, limits: Limits, rows: int, width: int) -> Iterator[str]:
    dtype, owner = difference.what, difference.owner
    nan = "NaT" if dtypes.is_temporal(dtype) else "NaN"
    yield from _prose(_allowed_text(limits, dtype), INDENT, width)
    yield from _greatest(array, dtype, owner, width)
    for name, special in (
        (f"{nan} on one side only", array.nan),
        ("infinite on one side, or of other sign", array.infinite),
        ("-0.0 against 0.0", array.zero),
        ("null on one side only", array.null),
    ):
        if special:
            first = special.first
            at = f" at {place_text(first, owner)}" if first.index else ""
            yield from _prose(f"{name}: {special.count:,}, the first{at}", INDENT, width)
            sides = values(first.expected, first.actual, dtype)
            yield from _prose("expected {}, actual {}".format(*sides), 2 * INDENT, width)
    if array.nan_equal:
        yield from _prose(f"{nan} on both sides (no difference): {array.nan_equal:,}", INDENT, width)
    if array.worst:
        yield from _table(array, dtype, limits, owner, rows, width)


def _greatest(array: ArrayDifference, dtype: str, owner: str, width: int) -> Iterator[str]:
    if len(array.worst) < 2:
        return
    for name, place, size in (
        ("difference", array.absolute, array.absolute and _size(array.absolute, dtype)),
        ("relative to expected", array.relative, array.relative and amount(array.relative.relative)),
        ("in ulp", array.ulp, array.ulp and steps(array.ulp.ulp)),
    ):
        if place and not (name == "in ulp" and (place.ulp or 0) > MANY_ULP):
            yield from _prose(f"greatest {name}: {size} at {place_text(place, owner)}", INDENT, width)


def _size(place: Place, dtype: str) -> str:
    if dtypes.is_temporal(dtype) and isinstance(place.difference, int):
        return _duration(place.difference, dtype)
    return amount(place.difference)


def _duration(count: int, dtype: str) -> str:
    """Return a count of the dtype's unit as days and hours, or as it is when that would lose something."""
    unit = "D" if dtype == "date" else dtype[dtype.index("[") + 1 :].rstrip("]").partition(",")[0]
    micro = {"us": 1, "ms": 10**3, "s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6, "D": 86400 * 10**6}.get(unit)
    if unit == "ns" and count % 1000 == 0:
        micro, count = 1, count // 1000
    if micro is None or count * micro >= 10**9 * 86400 * 10**6:
        return f"{count:,} {unit}"
    return str(timedelta(microseconds=count * micro)).removesuffix(", 0:00:00")


def _allowed_text(limits: Limits, dtype: str, *, scalar: bool = False) -> str:
    parts = []
    if limits.rtol or limits.atol:
        default = f" (rtol: default of {dtype})" if limits.default else ""
        parts.append(f"atol {limits.atol!r} + rtol {limits.rtol!r} * |expected|{default}")
    if limits.max_ulp:
        parts.append(f"max_ulp {limits.max_ulp}")
    line = "allowed: " + (" or ".join(parts) if parts else "no difference at all (exact)")
    if limits.fraction and not scalar:
        line += f", max_mismatch_fraction {limits.fraction!r}"
    return f"{line}; {limits.origin}" if limits.origin else line


def _table(array: ArrayDifference, dtype: str, limits: Limits, owner: str, rows: int, width: int) -> Iterator[str]:
    places = array.worst[:rows]
    if dtypes.is_text(dtype):
        places = places[:STACKED]
        for place in places:
            yield from _stacked(place_text(place, owner), place.expected, place.actual, width)
    else:
        table = [_header(limits, dtype), *(_row(place, dtype, limits, owner) for place in places)]
        if not _narrow(table, width):
            table, places = table[: 1 + STACKED], places[:STACKED]
        yield from _aligned(table, width)
    numbers = not dtypes.is_text(dtype) and not dtypes.is_bool(dtype)
    more = array.outside - len(places) - sum(s.count for s in (array.nan, array.infinite) if s)
    if more > 0:
        yield f"{INDENT}... and {more:,} more" + (" that are nearer to what is allowed" if numbers else "")


def _header(limits: Limits, dtype: str) -> list[str]:
    if dtypes.is_bool(dtype):
        return ["place", "expected", "actual"]
    last = ["ulp"] if limits.rtol is None else ["allowed"] if not limits.exact else []
    return ["worst at", "expected", "actual", "difference", *last]


def _row(place: Place, dtype: str, limits: Limits, owner: str) -> list[str]:
    row = [place_text(place, owner) or "-", text(place.expected, dtype), text(place.actual, dtype)]
    if dtypes.is_bool(dtype):
        return row
    if dtypes.is_temporal(dtype):
        return [*row, _size(place, dtype)]
    if limits.rtol is None:
        return [*row, amount(place.difference), steps(place.ulp)]
    if limits.exact:
        return [*row, "sign of zero" if place.difference == 0 else amount(place.difference)]
    return [*row, *distinct(place.difference, place.allowed)]


def distinct(difference: float | int | None, allowed: float | int | None) -> tuple[str, str]:
    """Return both with three digits, or as many as it takes to tell one from the other."""
    one, two = amount(difference), amount(allowed)
    if difference is None or allowed is None or difference == allowed or not math.isfinite(difference):
        return one, two
    for digits in range(4, 18):
        if one != two:
            break
        one, two = f"{difference:.{digits}g}", f"{allowed:.{digits}g}"
    return one, two


def _widths(table: list[list[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*table, strict=True)]


def _narrow(table: list[list[str]], width: int) -> bool:
    return sum(_widths(table)) + 2 * len(table[0]) <= width


def _aligned(table: list[list[str]], width: int) -> Iterator[str]:
    """Yield columns, aligned to the right but for the place; if they are too wide, one place in three lines."""
    if _narrow(table, width):
        first, *widths = _widths(table)
        for place, *row in table:
            cells = [place.ljust(first), *(cell.rjust(size) for cell, size in zip(row, widths, strict=True))]
            yield INDENT + "  ".join(cells).rstrip()
        return
    for row in table[1:]:
        rest = "".join(f", {name} {cell}" for name, cell in zip(table[0][3:], row[3:], strict=True))
        yield INDENT + shorten(f"{row[0]}{rest}", width - 2)
        yield INDENT + shorten(f"  expected {row[1]}", width - 2)
        yield INDENT + shorten(f"  actual   {row[2]}", width - 2)


def _stacked(place: str, expected: str | bytes, actual: str | bytes, width: int) -> Iterator[str]:
    """Yield two strings below each other, so that the first difference stands in one column."""
    gap = " " * len(place)
    head = f"{INDENT}{place}{'  ' if place else ''}"
    room = max(width - len(head) - 18, 16)
    one, two = values(expected, actual, "", room)
    yield f"{head}expected {one}"
    yield f"{INDENT}{gap}{'  ' if place else ''}actual   {two}"
