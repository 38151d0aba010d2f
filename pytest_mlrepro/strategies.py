"""Hypothesis strategies of what a threat allows, for tests that state a relation and have it searched for exceptions.

They shrink towards the sample itself: no element changed, then few, then by little. They are for relations, not for
attacks: among the corners of a ball chance finds few of the counterexamples that a gradient finds (`assert_robust`).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ._lazy import loaded, require
from .errors import UsageError
from .robustness.inputs import Floats, Form, read_inputs
from .robustness.space import Space
from .robustness.spaces import space_of
from .robustness.tables import TableForm, read_table
from .robustness.tabular import Tabular
from .robustness.threats import Ball

__all__ = ["perturbations", "rows"]

_FEW = 6
"""Elements that are drawn one by one, each to a value of its own."""
_CELLS = 64
"""Others move together, in so many cells at most: a draw for each pixel would be more than hypothesis keeps."""
_STILL, _EDGE = 2**13, 2**15
"""Cells draw two bytes each, since hypothesis draws bytes at once and lowers them one by one: below the first they stay
where they are, from the second on they go to the edge, and in between by their share."""
_STEPS = 1000
"""Into which the way to the edge is divided."""


def perturbations(x: Any, threat: Ball) -> Any:
    """Return a strategy of what the threat allows to become of one sample.

    Args:
        x: one sample of any shape (a float, an image), in floats: a numpy array, a torch tensor or a number.
        threat: `Linf`, `L2`, `L1` or `L0`.

    Returns:
        A strategy of objects of the kind, dtype and shape of `x` (a number gives an array of shape ()), each of them
        inside the ball and the bounds to a millionth of epsilon. The simplest is `x`.

    Raises:
        UsageError: `x` has no floats, or lies outside of the bounds; `threat` is none of these.
        MissingDependencyError: hypothesis is not installed.
    """
    _threat(threat)
    torch = loaded("torch")
    array = x if torch is not None and isinstance(x, torch.Tensor) else np.asarray(x)
    origin, form = read_inputs(array.reshape(1, -1))
    return _around(origin, form, threat).map(lambda found: form.restore(found)[0].reshape(array.shape))


def rows(frame: Any, threat: Ball | Tabular) -> Any:
    """Return a strategy of frames of one row: any row of the frame, changed as the threat allows.

    Args:
        frame: a pandas or polars frame. A ball is about its columns of floats; the others stay as they are, and so do
            missing values.
        threat: `Tabular`, or `Linf`, `L2`, `L1` or `L0`.

    Returns:
        A strategy of frames of the same kind, columns and dtypes, with one row. The simplest is the first row.

    Raises:
        UsageError: no frame, no rows, no column of floats, or values outside of the bounds.
        MissingDependencyError: hypothesis is not installed.
    """
    st = _hypothesis()
    if isinstance(threat, Tabular):
        table, form = read_table(frame, tuple(threat.categories or ()))
        space = space_of(threat, table, form)
        return st.integers(0, len(table) - 1).flatmap(lambda at: _cells(space, table[at : at + 1], form))
    _threat(threat)
    pandas, polars = loaded("pandas"), loaded("polars")
    if pandas is not None and isinstance(frame, pandas.DataFrame):
        names = [name for name, dtype in frame.dtypes.items() if getattr(dtype, "kind", "O") == "f"]
    elif polars is not None and isinstance(frame, polars.DataFrame):
        names = [name for name, dtype in frame.schema.items() if dtype.is_float()]
    else:
        raise UsageError(f"strategies.rows: a pandas or polars frame is expected, got {type(frame).__qualname__}")
    if not len(frame) or not names:
        missing = "no rows" if not len(frame) else f"no column of floats among {list(frame.columns)}"
        raise UsageError(f"strategies.rows: the frame has {missing}, so that there is nothing to change")
    return st.integers(0, len(frame) - 1).flatmap(partial(_row, frame, names, threat))


def _cells(space: Space, origin: Any, form: TableForm) -> Any:
    """Return a strategy of a row with some of its cells changed."""
    st = _hypothesis()
    low, high = space.edges(origin)
    choices = []
    for at in np.flatnonzero(space.numbers | space.categories | space.missable).tolist():
        kinds = []
        if space.numbers[at] and low[0, at] < high[0, at]:
            kinds.append(_part().map(partial(_between, float(low[0, at]), float(origin[0, at]), float(high[0, at]))))
        if space.categories[at]:
            kinds.append(st.sampled_from(space.levels[at].tolist()))
        if space.missable[at]:
            kinds.append(st.just(float("nan")))
        choices += [st.tuples(st.just(at), kind) for kind in kinds]
    if not choices:
        return st.just(form.restore(origin))
    return st.lists(st.one_of(choices), max_size=len(choices), unique_by=lambda cell: cell[0]).map(
        partial(_exchanged, space, origin, form)
    )


def _between(low: float, centre: float, high: float, part: float) -> float:
    return centre + part * (high - centre if part > 0 else centre - low)


def _exchanged(space: Space, origin: Any, form: TableForm, cells: list[tuple[int, float]]) -> Any:
    """Return the row with one cell after the other exchanged, but for those that would be too many."""
    row = origin.copy()
    for at, value in cells:
        trial = row.copy()
        trial[0, at] = value
        trial = form.rounded(np.where(space.whole, np.round(trial), trial))
        if space.contains(trial, origin)[0]:
            row = trial
    return form.restore(row)


def _row(frame: Any, names: list[Any], threat: Ball, at: int) -> Any:
    one = frame.iloc[[at]] if hasattr(frame, "iloc") else frame[at : at + 1]
    held = [name for name in names if not bool(np.isnan(float(_number(one[name]))))]
    if not held:
        return _hypothesis().just(one)
    origin, form = read_inputs(one[held])

    def placed(found: Floats) -> Any:
        changed = form.restore(found)
        if hasattr(one, "iloc"):
            return one.assign(**{}).pipe(_assigned, held, changed)
        return one.with_columns(changed)

    return _around(origin, form, threat).map(placed)


def _assigned(one: Any, names: list[Any], changed: Any) -> Any:
    one = one.copy()
    for name in names:
        one[name] = changed[name].to_numpy()
        one[name] = one[name].astype(changed[name].dtype)
    return one


def _number(column: Any) -> Any:
    value = column.iloc[0] if hasattr(column, "iloc") else column[0]
    return float("nan") if value is None or value != value or not isinstance(value, float | np.floating) else value


def _around(origin: Floats, form: Form, threat: Ball) -> Any:
    """Return a strategy of arrays (1, features) around one."""
    st = _hypothesis()
    if not threat.contains(origin, origin)[0]:
        low, high = threat.bounds or (0.0, 0.0)
        raise UsageError(
            f"strategies: x has values from {origin.min():.6g} to {origin.max():.6g}, outside of the bounds {low:g} and "
            f"{high:g} of {threat}"
        )
    size = origin.shape[1]
    cells = min(size, _CELLS)
    many = st.binary(min_size=2 * cells, max_size=2 * cells)
    side = st.sampled_from((0, 1, -1))
    seed = st.integers(0, 2**32 - 1) if cells < size else st.just(0)
    few = st.dictionaries(st.integers(0, size - 1), _part(), max_size=min(size, _FEW))
    drawn = st.tuples(st.one_of(st.just(b""), many, many, many), side, seed, few)
    return drawn.map(partial(_point, origin, form, threat))


def _part() -> Any:
    """Return a strategy of shares of the way to the edge, often all of it; they shrink to the least that will do.

    Whole numbers under it, since hypothesis takes 1.0 for a simpler float than 0.3.
    """
    return _hypothesis().integers(-2 * _STEPS, 2 * _STEPS).map(_share)


def _share(steps: int) -> float:
    return max(-1.0, min(1.0, steps / _STEPS))


def _point(origin: Floats, form: Form, threat: Ball, drawn: tuple[bytes, int, int, dict[int, float]]) -> Floats:
    many, side, seed, few = drawn
    parts = _spread(many, side, seed, origin.shape[1])
    for at, part in few.items():
        parts[at] = part
    if not parts.any():
        return origin
    moved = origin + parts * threat.epsilon
    if threat.norm == "l0":  # an element may become anything inside the bounds
        low, high = threat.bounds or (0.0, 0.0)
        moved = np.where(parts == 0, origin, low + (parts + 1) / 2 * (high - low))
    elif threat.norm != "linf":  # else a ball that is small beside the box swallows the shares
        room = float(threat.distance(moved, origin)[0])
        moved = origin + (moved - origin) * (threat.epsilon * float(np.abs(parts).max()) / room if room else 1.0)
    return threat.project(moved, origin, lambda x: read_inputs(form.restore(x))[0].astype(x.dtype))


def _spread(many: bytes, side: int, seed: int, size: int) -> Any:
    """Return for each element its share of the way to the edge, by its cell: odd ones up and even ones down, or all to one side."""
    parts = np.zeros(size)
    if not many:
        return parts
    for cell, high, low in zip(np.array_split(np.arange(size), len(many) // 2), many[::2], many[1::2], strict=True):
        share = max(0.0, min(1.0, (256 * high + low - _STILL) / (_EDGE - _STILL)))
        parts[cell] = share * (side or (1 if low % 2 else -1))
    return parts if side or not seed else parts * np.random.default_rng(seed).choice((-1.0, 1.0), size)


def _threat(threat: object) -> None:
    if not isinstance(threat, Ball):
        raise UsageError(f"strategies: a threat such as Linf(0.1) is expected, got {threat!r}")


def _hypothesis() -> Any:
    return require("hypothesis", extra="hypothesis").strategies
