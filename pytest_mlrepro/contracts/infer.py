"""From data that is known to be good to the contract that it keeps: two passes over the columns, one over whole rows."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..errors import UsageError
from .contract import ColumnContract, Contract
from .formats import FORMATS
from .source import Source, absent, finite, narwhals, opened
from .whole import repeats

__all__ = ["infer"]

MOST_VALUES: Final = 500
"""Categories of a column; with more it is free text."""
HEAVY: Final = 8.0
"""Of the distance between the quartiles: an outermost value farther from the median is one of a heavy tail."""
COARSE: Final = 0.02
"""Of rows: a table in which more of them repeat another is so coarse that repetition is no fault."""
MOSTLY: Final = 0.9
"""Of texts: so many look alike where a format is taken for theirs."""


def infer(frame: Any, *, label: str | None, key: str | Sequence[str] | None, slack: float) -> Contract:
    """See `Contract.infer`."""
    if isinstance(slack, bool) or not isinstance(slack, int | float) or not 0 <= slack < math.inf:
        raise UsageError(f"Contract.infer(slack): a share from 0 on is expected, got {slack!r}")
    source = opened(frame, "frame")
    keys = tuple([key] if isinstance(key, str) else key or ())
    for argument, names in (("key", keys), ("label", () if label is None else (label,))):
        for name in names:
            if name not in source.names:
                known = ", ".join(map(repr, source.names[:12]))
                raise UsageError(f"Contract.infer({argument}): no column {name!r}; there are {known}")
    facts = _facts(source)
    slack *= 1 + 10 / source.rows**0.5  # the fewer rows there are, the farther out the next one may lie
    columns = [_column(source, name, facts, slack) for name in source.names]
    keys = keys or tuple(column.name for column in columns if column.unique and _is_key(column.name))[:1]
    found = repeats(source, keys, label)
    share = {name: _share(len(rows), source.rows) for name, rows in found.items()}
    return Contract(
        tuple(columns), ordered=True, extra=False, key=keys, label=label,
        duplicates=share.get("duplicates"), near_duplicates=share.get("near_duplicates"),
        contradictions=share.get("contradictions"),
    )  # fmt: skip


def _is_key(name: str) -> bool:
    return name.lower().rpartition("_")[2] in ("id", "key", "uuid") or name.lower().endswith("id")


def _share(count: int, rows: int) -> float | None:
    """Return the share that is allowed of what was found so often; None where it is no fault."""
    if not count:
        return 0.0
    if count / rows > COARSE:
        return None
    return _rounded((1.5 * count + 3 * count**0.5) / rows)


def _rounded(share: float) -> float:
    return min(1.0, float(f"{share:.2g}"))


def _facts(source: Source) -> dict[str, Any]:
    nw = narwhals()
    asked: dict[str, Any] = {}
    for name in source.names:
        column, sort = nw.col(name), source.sorts[name]
        fine = finite(column) if source.floats(name) else column
        asked[f"nulls {name}"] = source.many(absent(source, name))
        if source.floats(name):
            asked[f"-inf {name}"] = source.many(column == -math.inf)
            asked[f"inf {name}"] = source.many(column == math.inf)
        if sort in ("whole", "number", "time", "date", "duration"):
            asked[f"min {name}"], asked[f"max {name}"] = fine.min(), fine.max()
        if sort in ("whole", "text"):
            asked[f"distinct {name}"] = column.n_unique()
        if sort == "text":
            text = column.cast(nw.String)
            spaced = (text != text.str.strip_chars()) & ~column.is_null()  # in pandas a null differs from itself
            asked[f"spaces {name}"] = source.many(spaced)
            for kind, pattern in FORMATS.items():
                asked[f"{kind} {name}"] = source.many(text.str.contains(pattern))
        if sort == "boolean":
            asked[f"min {name}"], asked[f"max {name}"] = column.min(), column.max()
    found = source.aggregates(asked)
    numbers = {
        name: finite(nw.col(name)) if source.floats(name) else nw.col(name)
        for name in source.names
        if source.sorts[name] in ("whole", "number") and found[f"min {name}"] is not None
    }
    return {**found, **{f"quartiles {name}": three for name, three in source.quartiles(numbers).items()}}


def _column(source: Source, name: str, facts: Mapping[str, Any], slack: float) -> ColumnContract:
    sort, nulls = source.sorts[name], int(facts[f"nulls {name}"] or 0)
    held = source.rows - nulls
    share = (
        0.0 if not nulls else None if nulls == source.rows else _rounded((1.5 * nulls + 3 * nulls**0.5) / source.rows)
    )
    made: dict[str, Any] = {"type": sort, "nulls": share}
    if sort == "time" and not source.engine.startswith("PYSPARK"):  # whose times are all of the session's zone
        made["zone"] = source.zone(name)
    if not held:
        return ColumnContract(name, nulls=None)
    low, high = facts.get(f"min {name}"), facts.get(f"max {name}")
    if low is not None and low == high:
        return ColumnContract(name, **made, constant=_plain(low))
    distinct = int(facts.get(f"distinct {name}") or 0) - (nulls > 0)  # null counts as a value of its own
    unique = sort in ("whole", "text") and distinct == held and held >= 20
    if unique:
        made["unique"] = True
    if sort in ("whole", "number", "time", "date") and low is not None and not (unique and sort == "whole"):
        made["min"], made["max"] = _range(sort, low, high, facts, name, slack)
        made["varies"] = True
    made |= {end: sign for end, sign in (("min", -math.inf), ("max", math.inf)) if facts.get(f"{sign:g} {name}")}
    if sort == "text":
        made |= _texts(source, name, facts, held, distinct, unique=unique)
    return ColumnContract(name, **made)


def _range(sort: str, low: Any, high: Any, facts: Mapping[str, Any], name: str, slack: float) -> tuple[Any, Any]:
    if sort in ("time", "date"):
        width = max(high - low, dt.timedelta(days=1))
        return _moment(low - slack * width), _moment(high + width)
    first, middle, third = map(float, facts[f"quartiles {name}"])
    width, near = float(high) - float(low), float(third) - float(first)
    ends = []
    for end, sign in ((float(low), -1), (float(high), 1)):
        far = abs(end - middle)
        heavy = near > 0 and far > HEAVY * near
        ends.append(end + sign * (3 * far if heavy else slack * width))
    least = 0.0 if float(low) >= 0 and ends[0] < 0 else ends[0]
    most = 0.0 if float(high) <= 0 and ends[1] > 0 else ends[1]
    if sort == "whole":
        return math.ceil(least), math.floor(most)
    return _short(least, -1), _short(most, 1)


def _moment(end: Any) -> Any:
    """Return a time to the second: nobody edits microseconds."""
    return end.replace(microsecond=0) if isinstance(end, dt.datetime) else end


def _short(end: float, sign: int) -> float:
    """Return a number of four digits, no nearer than it was."""
    if not end or not math.isfinite(end):
        return end
    step = 10.0 ** (math.floor(math.log10(abs(end))) - 3)
    whole = math.ceil(end / step) if sign > 0 else math.floor(end / step)
    return float(f"{whole * step:.12g}")


def _texts(
    source: Source, name: str, facts: Mapping[str, Any], held: int, distinct: int, *, unique: bool
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if not int(facts[f"spaces {name}"] or 0):
        made["stripped"] = True
    counts = {kind: int(facts[f"{kind} {name}"] or 0) for kind in FORMATS}
    kind = max(counts, key=lambda kind: counts[kind])
    if counts[kind] >= MOSTLY * held:
        other = held - counts[kind]
        made["format"] = kind
        made["other_formats"] = 0.0 if not other else _rounded((1.5 * other + 3 * other**0.5) / source.rows)
    if distinct == 1:
        return {**made, "constant": source.values(name, 1)[0]}
    made["varies"] = True
    known = made.get("format") not in (None, "identifier")  # dates are no categories
    if not unique and not known and distinct <= MOST_VALUES and (distinct <= held / 20 or distinct <= 2):
        made["values"] = tuple(sorted(map(str, source.values(name, MOST_VALUES))))
        made = {field: value for field, value in made.items() if field not in ("format", "other_formats")}
    return made


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
