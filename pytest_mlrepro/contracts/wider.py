"""A contract that two tables keep: what one was held to, loosened as far as the other needs."""

from __future__ import annotations

from typing import Any

from .contract import ColumnContract, Contract

__all__ = ["wider"]


def wider(old: Contract, new: Contract) -> Contract:
    """Return the contract with the columns of `new`, in which ranges, shares and categories reach as far as either's."""
    known = {column.name: column for column in old.columns}
    columns = [_column(known[own.name], own) if own.name in known else own for own in new.columns]
    names = {column.name for column in columns}
    return Contract(
        tuple(columns), ordered=old.ordered, extra=old.extra, key=tuple(name for name in old.key if name in names),
        label=old.label if old.label in names else None, duplicates=_most(old.duplicates, new.duplicates),
        near_duplicates=_most(old.near_duplicates, new.near_duplicates),
        contradictions=_most(old.contradictions, new.contradictions),
    )  # fmt: skip


def _column(old: ColumnContract, new: ColumnContract) -> ColumnContract:
    alike = old.type == new.type
    other = None if old.format != new.format else _most(old.other_formats, new.other_formats)
    return ColumnContract(
        new.name, type=new.type, zone=new.zone, nulls=_most(old.nulls, new.nulls),
        min=_end(min, old.min, new.min) if alike else new.min, max=_end(max, old.max, new.max) if alike else new.max,
        values=_values(old.values, new.values), format=old.format if old.format == new.format else None, other_formats=other,
        stripped=_both(old.stripped, new.stripped), unique=_both(old.unique, new.unique),
        constant=old.constant if old.constant == new.constant else None, varies=_both(old.varies, new.varies),
    )  # fmt: skip


def _most(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None else max(one, two)


def _both(one: bool | None, two: bool | None) -> bool | None:
    return True if one and two else None


def _end(choose: Any, one: Any, two: Any) -> Any:
    if one is None or two is None:
        return None
    try:
        return choose(one, two)
    except TypeError:  # a date and a number
        return two


def _values(one: tuple[Any, ...] | None, two: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    return None if one is None or two is None else tuple(sorted({*one, *two}))
