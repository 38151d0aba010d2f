"""A broken contract, loosened as far as a table needs: what is proposed, to be accepted if the table is right."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .contract import ColumnContract, Contract
from .finding import Finding
from .infer import MOST_VALUES, infer
from .source import Source, finite, narwhals, opened

__all__ = ["loosened"]

_STRUCK: Final = {"spaces": "stripped", "constant": "varies", "not-constant": "constant", "not-unique": "unique"}
"""What a finding is about, where the field can only be struck."""
_SHARES: Final = {"nulls": "nulls", "format": "other_formats"}
_OF_ROWS: Final = {"duplicates": "duplicates", "near-duplicates": "near_duplicates", "contradictions": "contradictions"}


def loosened(held: Contract, frame: Any, findings: list[Finding], slack: float = 0.25) -> Contract:
    """Return the contract with each field that the table breaks at what the table has, and all others as they are.

    Columns that are new, or of another type, are learned as `Contract.infer` learns them, with `slack`.
    """
    source = opened(frame, "frame")
    broken: dict[str, dict[str, Finding]] = defaultdict(dict)
    for finding in findings:
        for name in finding.columns:
            broken[name][finding.kind] = finding
    anew = {
        name for name, found in broken.items() if not found.keys().isdisjoint(("new-column", "type", "mixed-types"))
    }
    learned = {}
    if anew:
        learned = {own.name: own for own in infer(frame, label=None, key=None, slack=slack).columns if own.name in anew}
    columns = {
        own.name: learned.get(own.name) or _column(source, own, broken[own.name])
        for own in held.columns
        if own.name in source.names
    }
    columns |= learned
    moved = any(finding.kind in ("order", "new-column") for finding in findings)
    names = [name for name in source.names if name in columns] if moved else list(columns)
    rows: dict[str, Any] = {
        _OF_ROWS[found.kind]: _share(found.count, source.rows) for found in findings if found.kind in _OF_ROWS
    }
    return replace(
        held, columns=tuple(columns[name] for name in names), key=tuple(name for name in held.key if name in columns),
        label=held.label if held.label in columns else None, **rows,
    )  # fmt: skip


def _column(source: Source, own: ColumnContract, broken: Mapping[str, Finding]) -> ColumnContract:
    changed: dict[str, Any] = {_STRUCK[kind]: None for kind in broken if kind in _STRUCK}
    changed |= {_SHARES[kind]: _share(found.count, source.rows) for kind, found in broken.items() if kind in _SHARES}
    if "zone" in broken:
        changed["zone"] = source.zones.get(own.name, "") or "none"
    if "values" in broken:
        changed["values"] = _values(source, own)
    if "range" in broken:
        changed |= _range(source, own)
    return replace(own, **changed)


def _values(source: Source, own: ColumnContract) -> tuple[Any, ...] | None:
    """Return the categories with those that are new; None for so many that they are none any more."""
    assert own.values is not None
    found = {*own.values, *map(str, source.values(own.name, 2 * MOST_VALUES))}
    return tuple(sorted(found)) if len(found) <= MOST_VALUES else None


def _range(source: Source, own: ColumnContract) -> dict[str, Any]:
    """Return the ends that do not hold the values, moved to the outermost of them."""
    column = narwhals().col(own.name)
    column = finite(column) if source.sorts[own.name] == "number" else column
    found = source.aggregates({"min": column.min(), "max": column.max()})
    ends = {"min": found["min"], "max": found["max"]}
    return {
        name: _whole(name, end)
        for name, end in ends.items()
        if getattr(own, name) is not None and _beyond(own, name, end)
    }


def _whole(name: str, end: Any) -> Any:
    """Return a time to the second, no nearer: nobody edits microseconds."""
    if not isinstance(end, dt.datetime) or not end.microsecond:
        return end
    return end.replace(microsecond=0) + dt.timedelta(seconds=name == "max")


def _beyond(own: ColumnContract, name: str, end: Any) -> bool:
    try:
        return bool(end < own.min if name == "min" else end > own.max)
    except TypeError:  # a date and a time, or a zone and none
        return True


def _share(count: int, rows: int) -> float:
    """Return a share of two digits that is no less."""
    step = 10.0 ** (math.floor(math.log10(count / rows)) - 1)
    digits = math.floor(count / rows / step)
    share = float(f"{digits * step:.2g}")
    while share * rows < count:
        digits += 1
        share = float(f"{digits * step:.2g}")
    return share
