"""Columns that are missing, new, in another order or of another type than the contract says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from .contract import ColumnContract, Contract
from .finding import Finding
from .source import FIRST, Source, narwhals

__all__ = ["columns_of", "types_of"]


def columns_of(source: Source, contract: Contract) -> Iterator[Finding]:
    """Yield the columns that are missing, those that are new, and the first that stands elsewhere."""
    names = [column.name for column in contract.columns]
    missing = [name for name in names if name not in source.names]
    extra = [name for name in source.names if name not in names]
    for name in missing:
        near = _near(name, extra)
        yield Finding(
            "missing-column", (name,), 1, (), f"column {name!r} is missing" + (f"; {near!r} is new" if near else "")
        )
    if extra and contract.extra is False:
        shown = ", ".join(map(repr, extra[:8])) + (f" and {len(extra) - 8} more" if len(extra) > 8 else "")
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
            "order", (moved,), 1, (), f"columns are in another order, from {moved!r} on", "ordered = false lets them be"
        )


def _near(name: str, others: list[str]) -> str:
    import difflib  # only a fault needs it

    found = difflib.get_close_matches(name, others, n=1, cutoff=0.6)
    return found[0] if found else ""


def types_of(source: Source, contract: Contract) -> Iterator[Finding]:
    """Yield the columns of another type; whole numbers may be floats, and numbers may be whole."""
    nw = narwhals()
    for column in contract.columns:
        if column.name not in source.names or column.type is None:
            continue
        sort = source.sorts[column.name]
        zone = source.zones.get(column.name, "") or "none"
        if sort == column.type == "time" and column.zone is not None and zone != column.zone:
            words = f"{column.name}: times of the zone {zone}, {column.zone} expected"
            yield Finding("zone", (column.name,), source.rows, (), words)
        if sort == column.type or (column.type, sort) in (("number", "whole"), ("date", "time")):
            continue
        if sort == "other" and (kinds := _kinds(source, column.name)):
            yield from _mixed(source, column, kinds)
            continue
        if (column.type, sort) == ("whole", "number"):  # whole numbers with gaps are often floats
            own = nw.col(column.name)
            fractions = (own.is_finite() & (own != own.round(0))).fill_null(False)  # narwhals' signature
            if not int(source.aggregates({"n": fractions.sum()})["n"] or 0):
                continue
        yield Finding(
            "type", (column.name,), source.rows, (), f"{column.name}: {_TYPES[sort]}, {_TYPES[column.type]} expected"
        )


_TYPES: Mapping[str, str] = {
    "whole": "whole numbers", "number": "numbers with fractions", "boolean": "true and false", "text": "texts",
    "time": "times", "date": "dates", "duration": "durations", "other": "objects of no type in particular",
}  # fmt: skip


def _kinds(source: Source, name: str) -> Counter[str]:
    """Return how often each type of Python stands in a column of objects."""
    values = source.frame[name].to_list() if source.ordered else []
    return Counter(type(value).__name__ for value in values if value is not None and value == value)


def _mixed(source: Source, column: ColumnContract, kinds: Counter[str]) -> Iterator[Finding]:
    usual, _ = kinds.most_common(1)[0]
    values = source.frame[column.name].to_list()
    rows = [
        at for at, value in enumerate(values) if value is not None and value == value and type(value).__name__ != usual
    ]
    told = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    first = f", the first other in row {rows[0]}" if rows else ""
    words = f"{column.name}: values of mixed types ({told}){first}, {_TYPES[column.type or 'other']} expected"
    yield Finding("mixed-types", (column.name,), len(rows), tuple(rows[:FIRST]), words)
