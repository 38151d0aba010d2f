"""Columns whose values must differ, or must not, and keys: by their extremes and by how many values are different."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .contract import ColumnContract
from .finding import Finding
from .source import FIRST, Source, finite, narwhals
from .split_words import many, short
from .told import places, titled

__all__ = ["constancy_of", "extremes"]


def extremes(source: Source, columns: list[ColumnContract]) -> dict[str, Any]:
    """Return what is asked of the columns for it, by label."""
    nw = narwhals()
    asked: dict[str, Any] = {}
    for column in columns:
        sort, own = source.sorts[column.name], nw.col(column.name)
        if (column.varies or column.constant is not None) and sort in (
            "whole",
            "number",
            "time",
            "date",
            "boolean",
            "text",
        ):
            own = own.cast(nw.String) if sort == "text" else finite(own) if source.floats(column.name) else own
            asked[f"least {column.name}"], asked[f"most {column.name}"] = own.min(), own.max()
        if column.unique:
            asked[f"distinct {column.name}"] = own.n_unique()
            asked[f"held {column.name}"] = own.count()
    return asked


def constancy_of(source: Source, columns: list[ColumnContract], found: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong, by the answers."""
    for column in columns:
        least, most = found.get(f"least {column.name}"), found.get(f"most {column.name}")
        if least is not None:
            yield from _constant(source, column, least, most)
        if column.unique and found.get(f"distinct {column.name}") is not None:
            held = int(found[f"held {column.name}"])
            again = (
                held - int(found[f"distinct {column.name}"]) + (held < source.rows)
            )  # null counts as a value of its own
            if again:
                yield _repeated(source, column.name, again)


def _constant(source: Source, column: ColumnContract, least: Any, most: Any) -> Iterator[Finding]:
    name, title, now = column.name, titled(column.name), f"all values are {short(least)}"
    if column.varies and least == most and source.rows > 1:
        yield Finding("constant", (name,), source.rows, (), f"{title}: {now}, different ones expected")
    if column.constant is not None and (least, most) != (column.constant, column.constant):
        now = now if least == most else f"there are values from {short(least)} to {short(most)}"
        yield Finding(
            "not-constant", (name,), source.rows, (), f"{title}: {now}, {short(column.constant)} alone expected"
        )


def _repeated(source: Source, name: str, again: int) -> Finding:
    rows, values = _later(source, name) if source.ordered else ((), [])
    come = "comes" if again == 1 else "come"
    words = f"{titled(name)}: {many(again, 'value')} {come} again{places(rows, values)}, each once expected"
    return Finding("not-unique", (name,), again, rows, words)


def _later(source: Source, name: str) -> tuple[tuple[int, ...], list[Any]]:
    own = source.frame[name]
    later = (~own.is_first_distinct() & ~own.is_null()).to_numpy().nonzero()[0][:FIRST]
    return tuple(int(at) for at in later), [own[int(at)] for at in later]
