"""pandas' frames, series, indexes and scalars as trees; columns are in `pandas_columns`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._lazy import loaded
from .node import Array, Group, Label, Node, Scalar
from .pandas_columns import pandas_column
from .paths import axis
from .scalars import zone_name
from .sources import LazySource
from .walk import Foreign, Refused, Walk

__all__ = ["describe_pandas"]


def describe_pandas(value: Foreign, walk: Walk) -> Node | None:
    """Describe a frame, series, index, extension array or scalar of pandas; None for other things of it."""
    pd: Any = loaded("pandas")
    if isinstance(value, pd.DataFrame):
        return _frame(value, walk)
    if isinstance(value, pd.Series):
        parts = (_index_part(value.index, walk), walk.part(axis("values"), pandas_column, value, walk))
        return Group("pandas.Series", (("name", _name(value.name, walk)),), parts)
    if isinstance(value, pd.Index):
        return _index(value, walk)
    if isinstance(value, pd.api.extensions.ExtensionArray):
        return Group("pandas.array", (), (walk.part(axis("values"), pandas_column, pd.Series(value), walk),))
    return _scalar(value, pd, walk)


def _frame(frame: Foreign, walk: Walk) -> Group:
    """The index, then the columns in order; names may repeat. `attrs`, flags and the way the blocks lie don't count."""
    parts = [_index_part(frame.index, walk)]
    for position, name in enumerate(frame.columns):
        label = walk.key(name)
        parts.append(walk.part(label, pandas_column, frame.iloc[:, position], walk))
    names = tuple(frame.columns.names)
    attrs = (("columns", _name(names if len(names) > 1 else names[0], walk)),)
    return Group("pandas.DataFrame", attrs, tuple(parts))


def _index_part(index: Foreign, walk: Walk) -> tuple[Label, Node]:
    return walk.part(axis("index"), _index, index, walk)


def _index(index: Foreign, walk: Walk) -> Group:
    """An index by its values, level by level: a range is the integers that it stands for, unused levels don't count."""
    pd: Any = loaded("pandas")
    if isinstance(index, pd.MultiIndex):
        levels = [index.get_level_values(level) for level in range(index.nlevels)]
        parts = [walk.part(at, _level, level, walk) for at, level in enumerate(levels)]
        return Group("pandas.MultiIndex", (("names", _name(tuple(index.names), walk)),), tuple(parts))
    part = walk.part(axis("values"), _level, index, walk)
    return Group("pandas.Index", (("name", _name(index.name, walk)),), (part,))


def _level(index: Foreign, walk: Walk) -> Node:
    pd: Any = loaded("pandas")
    if isinstance(index, pd.RangeIndex):
        first, step = index.start, index.step
        return Array(
            "column",
            "int64",
            (len(index),),
            LazySource(
                len(index),
                lambda start, stop: np.arange(first + step * start, first + step * stop, step, dtype=np.int64),
            ),
        )
    return pandas_column(index.to_series(), walk)


def _name(name: Foreign, walk: Walk) -> str:
    """Write a name with its type: 1, "1" and None are three names."""
    return _typed(walk.key(name))


def _typed(label: Label | Node) -> str:
    if isinstance(label, Scalar):
        return f"{label.kind}:{label.value}"
    if isinstance(label, Group):
        inside = [_typed(child) for _, child in label.children]
        return f"{label.kind}:" + "".join(f"{len(text)}:{text}" for text in inside)
    return f"str:{label}"  # positions and arrays never come from a name


def _scalar(value: Foreign, pd: Foreign, walk: Walk) -> Node | None:
    """Timestamps and durations count to the nanosecond; their unit is an encoding and doesn't."""
    if value is pd.NaT:
        return Scalar("pandas.NaT", None)
    if value is pd.NA:
        return Scalar("pandas.NA", None)
    if isinstance(value, pd.Timestamp):
        zone = zone_name(value.tzinfo)
        return Scalar("pandas.Timestamp", value.isoformat(timespec="nanoseconds") + (f"[{zone}]" if zone else ""))
    if isinstance(value, pd.Timedelta):
        return Scalar("pandas.Timedelta", value.isoformat())
    if isinstance(value, pd.Period):
        return Scalar("pandas.Period", f"{value.ordinal}[{value.freqstr}]")
    if isinstance(value, pd.Interval):
        ends = walk.parts(value, ((axis("left"), value.left), (axis("right"), value.right)))
        return Group("pandas.Interval", (("closed", value.closed),), ends)
    if isinstance(value, pd.api.extensions.ExtensionDtype | pd.offsets.BaseOffset):
        raise Refused(value, "pass str(value)")
    return None
