"""Columns that are missing, new, in another order or of another type than the contract says."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .contract import ColumnContract, Contract
from .finding import Finding
from .source import FIRST, UTC, Source, narwhals
from .split_words import SHOWN, short
from .told import quoted, titled

__all__ = ["columns_of", "empty_of", "types_of"]


def columns_of(source: Source, contract: Contract) -> Iterator[Finding]:
    """Yield the columns that are missing, those that are new, and the first that stands elsewhere."""
    names = [column.name for column in contract.columns]
    missing = [name for name in names if name not in source.names]
    extra = [name for name in source.names if name not in names]
    for name in missing:
        near = _near(name, extra)
        yield Finding(
            "missing-column",
            (name,),
            1,
            (),
            f"column {quoted(name)} is missing" + (f"; {quoted(near)} is new" if near else ""),
        )
    if extra and contract.extra is False:
        shown = ", ".join(map(quoted, extra[:8])) + (f" and {len(extra) - 8} more" if len(extra) > 8 else "")
        yield Finding(
            "new-column", tuple(extra), len(extra), (), f"{'column' if len(extra) == 1 else 'columns'} {shown} "
            f"{'is' if len(extra) == 1 else 'are'} not in the contract", "extra = true lets other columns be"
        )  # fmt: skip
    here = [name for name in source.names if name in names]
    if contract.ordered and here != [name for name in names if name in source.names]:
        moved = next(
            name for name, due in zip(here, [n for n in names if n in source.names], strict=True) if name != due
        )
        yield Finding(
            "order",
            (moved,),
            1,
            (),
            f"columns are in another order, from {quoted(moved)} on",
            "ordered = false lets them be",
        )


def _near(name: str, others: list[str]) -> str:
    import difflib  # only a fault needs it

    found = difflib.get_close_matches(name, others, n=1, cutoff=0.6)
    return found[0] if found else ""


def empty_of(source: Source, contract: Contract) -> set[str]:
    """Return the columns of another type than expected that have no value at all: what type they are means nothing."""
    nw = narwhals()
    types = {column.name: column.type for column in contract.columns}
    other = [name for name in source.names if types.get(name) not in (None, source.sorts[name])]
    found = source.aggregates({name: source.many(~nw.col(name).is_null()) for name in other})
    return {name for name in other if not int(found[name] or 0)}


def types_of(source: Source, contract: Contract, empty: Collection[str]) -> Iterator[Finding]:
    """Yield the columns of another type; whole numbers may be floats, and numbers may be whole."""
    nw = narwhals()
    for column in contract.columns:
        if column.name not in source.names or column.type is None or column.name in empty:
            continue
        sort = source.sorts[column.name]
        if sort == column.type == "time":
            yield from _zone(source, column)
        if sort == column.type or (column.type, sort) in (("number", "whole"), ("date", "time")):
            continue
        own = nw.col(column.name)
        if sort == "other" and (kinds := _kinds(source, column.name)):
            yield _objects(source, column, kinds)
            continue
        if (column.type, sort) == ("whole", "number"):  # whole numbers with gaps are often floats
            whole = own.round(0) if not source.floats(column.name) else nw.when(own.is_finite()).then(own.round(0))
            fractions = _true((own != whole) & ~whole.is_null())
            if not int(source.aggregates({"n": source.many(fractions)})["n"] or 0):
                continue
        yield Finding(
            "type",
            (column.name,),
            source.rows,
            (),
            f"{titled(column.name)}: {_TYPES[sort]}, {_TYPES[column.type]} expected",
        )


def _true(condition: Any) -> Any:
    return condition.fill_null(False)  # narwhals' signature


def _zone(source: Source, column: ColumnContract) -> Iterator[Finding]:
    zone, expected = source.zone(column.name), column.zone
    if expected in (None, zone) or (expected in UTC and zone == "UTC"):
        return
    if source.engine.startswith("PYSPARK") or (source.engine == "DUCKDB" and "none" not in (zone, expected)):
        return  # they keep moments, and show them in the zone of the session; Spark's times without one are rare
    yield Finding(
        "zone",
        (column.name,),
        source.rows,
        (),
        f"{titled(column.name)}: times of the zone {zone}, {column.zone} expected",
    )


_TYPES: Mapping[str, str] = {
    "whole": "whole numbers", "number": "numbers with fractions", "boolean": "true and false", "text": "texts",
    "time": "times", "date": "dates", "duration": "durations", "other": "objects of no type in particular",
}  # fmt: skip


def _kinds(source: Source, name: str) -> list[str | None]:
    """Return the type of Python of each value, and the zone of a time; None for no value, all empty where rows have no order."""
    values = source.frame[name].to_list() if source.ordered else []
    return [_kind(value) for value in values]


def _kind(value: Any) -> str | None:
    if value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, dt.datetime):
        return f"times of the zone {value.tzinfo}" if value.tzinfo else "times without a zone"
    return type(value).__name__


def _objects(source: Source, column: ColumnContract, kinds: list[str | None]) -> Finding:
    counts = Counter(kind for kind in kinds if kind is not None)
    (usual, _), *others = counts.most_common()
    due = _TYPES[column.type or "other"]
    if not others:
        return Finding(
            "type", (column.name,), source.rows, (), f"{titled(column.name)}: each value is a {usual}, {due} expected"
        )
    rows = [at for at, kind in enumerate(kinds) if kind not in (None, usual)]
    told = ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common(6))
    if len(counts) > 6:
        told += f" and {len(counts) - 6} more"
    first = [short(source.frame[column.name][at]) for at in rows[:SHOWN]]
    where = ", ".join(f"{value} in row {at}" for value, at in zip(first, rows, strict=False))
    said = "time zones" if all(kind.startswith("times ") for kind in counts) else "types"
    words = f"{titled(column.name)}: values of mixed {said} ({told}), the first others {where}, {due} expected"
    return Finding("mixed-types", (column.name,), len(rows), tuple(rows[:FIRST]), words)
