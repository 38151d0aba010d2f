"""Numbers, strings and single facts as a person reads them: every digit that tells two values apart, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..values import dtypes
from ..values.node import Label
from ..values.paths import is_axis, label_text, path_text

if TYPE_CHECKING:
    from .difference import ArrayDifference, Difference, Place
    from .tolerance import Limits

__all__ = ["amount", "around", "ascii_safe", "place_text", "sentence", "shorten", "steps", "text", "values", "where"]

SIDE = 48
"""Characters of a long string that are shown."""


def text(value: Any, dtype: str = "") -> str:  # a scalar of any kind
    """Return a value with the fewest digits that give it back in its dtype; `null` for None in an array."""
    if value is None:
        return "null"
    if isinstance(value, str | bytes):
        return repr(value)
    if isinstance(value, np.datetime64 | np.timedelta64):
        return str(value)
    if dtype.startswith("time["):
        return _time(int(value), dtype[5:-1])
    if isinstance(value, np.generic):
        if dtypes.is_complex(dtype):
            return _complex(value, dtype)
        if dtypes.is_float(dtype):
            return _narrow(float(value), dtype) if value.dtype.name != dtype else str(value)
        return str(value.item())
    return repr(value)


def _time(count: int, unit: str) -> str:
    digits = {"s": 0, "ms": 3, "us": 6, "ns": 9}[unit]
    seconds, rest = divmod(count, 10**digits)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{clock}.{rest:0{digits}}" if rest else clock


def _complex(value: Any, dtype: str) -> str:
    parts = [np.float16(part) if dtype == "complex32" else part for part in (value.real, value.imag)]
    real, imaginary = map(str, parts)
    return f"{real}{'' if imaginary[0] == '-' else '+'}{imaginary}j"


def _narrow(value: float, dtype: str) -> str:
    """Return the fewest digits that are nearer to the value than a quarter of a step."""
    if not np.isfinite(value) or value == 0:
        return str(value)
    step = np.ldexp(1.0, int(np.frexp(value)[1]) - 1 - dtypes.nmant(dtype))
    for digits in range(1, 17):
        short = f"{value:.{digits}g}"
        if abs(float(short) - value) < step / 4:
            return str(float(short))
    return str(value)


def amount(value: float | int | None) -> str:
    """Return a size to three digits; whole numbers exactly."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else str(value)
    if value == float("inf"):
        return "over 1.8e308"
    return f"{value:.3g}"


def steps(ulp: int | None) -> str:
    """Return a number of ulp: exactly as long as it means something."""
    return amount(ulp if ulp is None or ulp < 10**6 else float(ulp))


def shorten(long: str, limit: int = SIDE) -> str:
    """Cut a text in the middle."""
    if len(long) <= limit:
        return long
    head = (limit - 3) // 2
    return f"{long[:head]}...{long[len(long) - (limit - 3 - head) :]}"


def around(expected: str | bytes, actual: str | bytes, limit: int = SIDE) -> tuple[str, str]:
    """Return two strings quoted, each cut to the surroundings of the first place at which they differ."""
    pairs = zip(expected, actual, strict=False)
    first = next((i for i, (one, two) in enumerate(pairs) if one != two), min(len(expected), len(actual)))
    room = limit
    while True:
        start = max(0, min(first - room // 3, max(len(expected), len(actual)) - room))
        one, two = _cut(expected, start, room), _cut(actual, start, room)
        if max(len(one), len(two)) <= limit + 8 or room < 4:
            return one, two
        room = room * 3 // 4  # escapes take more room than what they stand for


def _cut(value: str | bytes, start: int, room: int) -> str:
    before, after = ("..." if start else ""), ("..." if len(value) > start + room else "")
    return f"{before}{ascii_safe(value[start : start + room])}{after}"


def ascii_safe(value: object) -> str:
    """Return the `repr`; with escapes where a terminal could not print it."""
    shown = repr(value)
    return shown if shown.isprintable() else ascii(value)


def where(path: tuple[Label, ...], owner: str = "") -> str:
    """Render the place inside the value: `value` alone is the whole; a column of a table is called so."""
    if is_table(owner) and path and isinstance(path[-1], str):
        return f"column {shorten(repr(str(path[-1])))}" + (f" of {where(path[:-1])}" if path[1:] else "")
    return shorten(path_text(path), 60)


def place_text(place: Place, owner: str) -> str:
    """Render the index of an element: `row 12` in a table, `[3, 4]` elsewhere, "" in an array of no axes."""
    if is_table(owner) and len(place.index) == 1:
        return f"row {place.index[0]}"
    return f"[{', '.join(map(str, place.index))}]" if place.index else ""


def is_table(owner: str) -> bool:
    """Tell whether the group is a table, whose arrays are columns."""
    return owner.rpartition(".")[2] in ("DataFrame", "LazyFrame", "Table", "RecordBatch")


def sentence(difference: Difference) -> str:
    """Return one line: what differs, and where."""
    d, place = difference, where(difference.path, difference.owner)
    match d.kind:
        case "missing":
            return f"{place} is missing in this run; the golden has it ({d.expected})"
        case "new":
            return f"{place} is new in this run; the golden does not have it ({d.actual})"
        case "order":
            return f"{place}: order differs{_order(d.expected, d.actual)}"
        case "kind":
            return f"{place}: kind differs: expected {d.expected}, actual {d.actual}"
        case "attribute":
            plain = len(d.expected + d.actual) <= SIDE and (d.expected + d.actual).isprintable()
            one, two = (d.expected, d.actual) if plain else around(d.expected, d.actual)
            return f"{place}: {d.what} differs: expected {one}, actual {two}"
        case "dtype" | "shape" | "length":
            return f"{place}: {d.kind} differs: expected {_fact(d.expected)}, actual {_fact(d.actual)}"
        case "value":
            return f"{place}: " + "expected {}, actual {}".format(*values(d.expected, d.actual, d.what))
        case "nulls" | "values":
            return f"{place}: {_counts(d.array, d.limits, d.owner)}" if d.array else place


def _order(expected: tuple[Label, ...], actual: tuple[Label, ...]) -> str:
    named = [[label for label in side if not is_axis(label)] for side in (expected, actual)]
    first = next(i for i, (one, two) in enumerate(zip(*named, strict=True)) if one != two)
    whole = [", ".join(label_text(label)[1:-1] for label in side) for side in named]
    if sum(map(len, whole)) <= 2 * SIDE:
        return ": expected {}; actual {}".format(*whole)
    one, two = (shorten(label_text(side[first])[1:-1]) for side in named)
    return f" from position {first} on: expected {one}, actual {two}"


def _fact(fact: Any) -> str:  # a name, a number or a shape
    return shorten(str(fact))


def values(expected: Any, actual: Any, dtype: str, limit: int = SIDE) -> tuple[str, str]:
    """Return both values as text; strings around their first difference."""
    if isinstance(expected, str | bytes) and type(expected) is type(actual):
        return around(expected, actual, limit)
    return shorten(text(expected, dtype), 2 * limit), shorten(text(actual, dtype), 2 * limit)


def _counts(array: ArrayDifference, limits: Limits | None, owner: str) -> str:
    parts = []
    unit = "rows" if is_table(owner) else "elements"
    if array.outside:
        beyond = "differ" if limits is None or limits.exact else "differ by more than is allowed"
        parts.append(f"{array.outside:,} of {array.total:,} {unit} {beyond} ({share(array.outside, array.total)})")
    if array.null:
        one = array.null.count == 1
        parts.append(
            f"{array.null.count:,} {unit[:-1] if one else unit} {'is' if one else 'are'} null on one side only"
        )
    return ", ".join(parts)


def share(part: int, whole: int) -> str:
    """Return a percentage that is 0 or 100 only when it is exactly so."""
    percent = 100 * part / max(whole, 1)
    if 0 < percent < 0.01:
        return "under 0.01%"
    if 99.99 < percent < 100:
        return "over 99.99%"
    return f"{percent:.3g}%"
