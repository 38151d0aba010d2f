"""From a `Tabular` and a table to what is allowed: spreads, ranges and categories of the reference, by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .columns import Column
from .space import Space
from .tables import TableForm, read_table
from .tabular import Tabular

__all__ = ["space_of"]

Matrix = NDArray[np.float64]


@dataclass(slots=True, eq=False)
class _Allowed:
    """What one column may become."""

    number: bool = False
    whole: bool = False
    category: bool = False
    missable: bool = False
    radius: float = 0.0
    low: float = -np.inf
    high: float = np.inf
    levels: Matrix = None  # type: ignore[assignment]  # set by __post_init__: arrays are no defaults

    def __post_init__(self) -> None:
        self.levels = np.empty(0)


def space_of(threat: Tabular, table: Matrix, form: TableForm) -> Space:
    """Return the threat around the rows of a table.

    Raises:
        UsageError: columns that the table or the reference doesn't have or that can't be what is asked of them, a
            reference of other columns, nothing that may change.
    """
    _known_names(threat, form)
    known = _reference(threat, table, form)
    columns = [_allowed(threat, column, known[:, at], table[:, at]) for at, column in enumerate(form.columns)]
    for at, column in enumerate(form.columns):
        _given_categories(threat, form, table, at, column)
    if threat.missing and not any(own.missable for own in columns):
        raise UsageError(
            "Tabular(missing): no column of the reference has a missing cell; missing_in=… names columns in which the model "
            "has to bear one"
        )

    def of(name: str) -> NDArray[Any]:
        return np.array([getattr(own, name) for own in columns])

    spread = np.array([column.spread for column in form.columns])
    space = Space(
        threat, of("number"), of("whole"), of("category"), of("missable"), of("radius"), spread, of("low"), of("high"),
        tuple(own.levels for own in columns),
    )  # fmt: skip
    low, high = space.edges(table)
    with np.errstate(invalid="ignore"):
        moving = space.numbers & ((low < table) | (high > table)).any(0)
    if not (moving | space.categories | space.missable).any():
        raise UsageError(f"threat: {threat} lets nothing of this table change: {_why(form, space)}")
    stuck = [str(form.columns[at].name) for at in np.flatnonzero(space.numbers & ~moving)]
    return replace(space, numbers=moving, notes=_notes(threat, known, stuck))


def _why(form: TableForm, space: Space) -> str:
    if not space.numbers.any():
        return f"its columns are {_listed(list(form.names))}"
    at = int(np.flatnonzero(space.numbers)[0])
    what = "which is less than a step of a whole number" if space.whole[at] else "and its range leaves no room"
    return f"{form.columns[at].name!r}, say, may move by {space.radius[at]:.3g}, {what}"


def _notes(threat: Tabular, known: Matrix, stuck: list[str]) -> tuple[str, ...]:
    of = f"the reference, {len(known)} rows" if threat.reference is not None else f"the {len(known)} inputs themselves"
    notes = [f"standard deviations, ranges and categories are those of {of}"]
    if stuck:
        notes.append(
            f"whole numbers that so little noise does not move: {', '.join(stuck[:8])}{', …' * (len(stuck) > 8)}"
        )
    return tuple(notes)


def _known_names(threat: Tabular, form: TableForm) -> None:
    """Raise for a column that is asked for and isn't there, or is none of numbers."""
    asked: dict[str, Any] = {
        "immutable": threat.immutable,
        "columns": threat.columns or (),
        "noise": threat.noise if isinstance(threat.noise, Mapping) else (),
        "categories": threat.categories or (),
        "missing_in": threat.missing_in or (),
        "bounds": threat.bounds if isinstance(threat.bounds, Mapping) else (),
        "integer": () if threat.integer == "auto" else threat.integer,
    }
    sorts = {column.name: column for column in form.columns if not column.hidden}
    for what, named in asked.items():
        for name in named:
            if name not in sorts:
                raise UsageError(
                    f"Tabular({what}): the table has no column {name!r}; it has {_listed(list(form.names))}"
                )
            if what in ("noise", "bounds", "integer") and sorts[name].coded:
                raise UsageError(
                    f"Tabular({what}): column {name!r} holds no numbers to be moved ({sorts[name].dtype}, taken as "
                    f"{'a category' if sorts[name].sort == 'category' else 'fixed'})"
                )


def _allowed(threat: Tabular, column: Column, known: Matrix, own: Matrix) -> _Allowed:
    allowed, held = _Allowed(), np.sort(known[~np.isnan(known)])  # sums of floats vary with their order
    given = _of_contract(threat, column.name)
    if column.hidden or column.sort == "fixed":
        return allowed
    if column.coded:
        allowed.levels = _levels(threat, column, held, given)
    else:
        column.spread = float(held.std()) if len(held) else 0.0
        noise = threat.noise.get(column.name, 0.0) if isinstance(threat.noise, Mapping) else threat.noise
        allowed.radius = noise * column.spread
        allowed.whole = _whole(threat, column, held, own)
        allowed.low, allowed.high = _range(threat, column, held, given)
    if column.name in threat.immutable or (threat.columns is not None and column.name not in threat.columns):
        return allowed
    allowed.number = allowed.radius > 0
    allowed.category = threat.categorical > 0 and len(allowed.levels) > 1
    allowed.missable = threat.missing > 0 and _goes_missing(threat, column, known)
    return allowed


def _whole(threat: Tabular, column: Column, held: Matrix, own: Matrix) -> bool:
    if column.sort == "whole":
        return True
    if threat.integer != "auto":
        return column.name in threat.integer
    values = np.concatenate([held, own[~np.isnan(own)]])
    return bool(len(values)) and bool((values == np.round(values)).all())


def _levels(threat: Tabular, column: Column, held: Matrix, contract: Any) -> Matrix:
    """Return the codes that a column may become, in an order of their own: those given, else those of the reference."""
    given = (threat.categories or {}).get(column.name)
    if given is None and contract is not None:
        given = getattr(contract, "values", None) or getattr(contract, "categories", None)
    codes = np.unique(held if given is None else column.codes(given))
    named = getattr(column.dtype, "categories", None)  # a cell of such a dtype can't be anything else
    if named is not None:
        names = {*named}
        codes = np.array([code for code in codes.tolist() if column.levels[int(code)] in names], np.float64)
    return column.in_order(codes[~np.isnan(codes)])


def _given_categories(threat: Tabular, form: TableForm, table: Matrix, at: int, column: Column) -> None:
    """Raise for a category that a cell of this dtype can't be: asked for by name, it would silently be another."""
    for value in (threat.categories or {}).get(column.name, ()):
        row = table[:1].copy()
        row[0, at] = column.code(value)
        try:
            again, read = read_table(form.restore(row), tuple(threat.categories or ()))
            (back,) = read.columns[at].values(again[:, at])
        except Exception:  # noqa: BLE001  # whatever the frame's library says of it
            back = None
        if back != value or back is None:
            raise UsageError(f"Tabular(categories): column {column.name!r} is {column.dtype}, which has no {value!r}")


def _goes_missing(threat: Tabular, column: Column, held: Matrix) -> bool:
    if threat.missing_in is None:
        return column.missable and bool(np.isnan(held).any())
    if column.name in threat.missing_in and not column.missable:
        raise UsageError(f"Tabular(missing_in): column {column.name!r} is {column.dtype}, which has no missing value")
    return column.name in threat.missing_in


def _reference(threat: Tabular, table: Matrix, form: TableForm) -> Matrix:
    """Return the reference as numbers in the columns and codes of the table."""
    if threat.reference is None:
        return table
    try:
        other, read = read_table(threat.reference, tuple(threat.categories or ()))
    except UsageError as problem:
        raise UsageError(str(problem).replace("inputs:", "Tabular(reference):", 1)) from None
    lost = [name for name in form.names if name not in read.names]
    if lost:
        raise UsageError(f"Tabular(reference): it has no column {lost[0]!r}; it has {_listed(list(read.names))}")
    out = np.full((len(other), len(form.columns)), np.nan)
    for at, column in enumerate(form.columns):
        if column.hidden:
            continue
        place = read.names.index(column.name)
        own = read.columns[place]
        if column.sort != "fixed" and own.coded != column.coded:
            raise UsageError(
                f"Tabular(reference): column {column.name!r} is {own.dtype} there and {column.dtype} in the inputs"
            )
        if column.sort == "category":
            out[:, at] = column.codes(None if value is own.gap else value for value in own.values(other[:, place]))
        elif not column.coded:
            out[:, at] = other[:, place]
    return out


def _of_contract(threat: Tabular, name: Any) -> Any:
    if threat.bounds is None or isinstance(threat.bounds, Mapping):
        return None
    return next((column for column in threat.bounds.columns if getattr(column, "name", None) == name), None)


def _range(threat: Tabular, column: Column, held: Matrix, contract: Any) -> tuple[float, float]:
    given = threat.bounds.get(column.name) if isinstance(threat.bounds, Mapping) else None
    if contract is not None:
        given = (getattr(contract, "min", None), getattr(contract, "max", None))
    least, most = given or (None, None)
    seen = (held[0], held[-1]) if len(held) else (-np.inf, np.inf)
    low, high = float(seen[0] if least is None else least), float(seen[1] if most is None else most)
    if not low <= high:
        raise UsageError(
            f"Tabular(bounds): the least and the greatest of {column.name!r} in order are expected, got {low:g} and {high:g}"
        )
    if column.sort == "whole":
        low, high = max(low, column.range[0]), min(high, column.range[1])
    return low, high


def _listed(names: list[Any]) -> str:
    return ", ".join(map(repr, names[:12])) + (", …" if len(names) > 12 else "")
