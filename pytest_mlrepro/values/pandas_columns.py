"""One column of pandas as a tree, whichever of its array types holds it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._lazy import loaded
from .arrays import describe_ndarray, object_array
from .arrow_tables import arrow_column
from .categories import category_codes
from .node import Array, Chunk, Group, Node, Source
from .paths import axis
from .scalars import zone_name
from .sources import FilledSource, LazySource, array_source
from .walk import Foreign, Refused, Walk

__all__ = ["pandas_column"]


def pandas_column(series: Foreign, walk: Walk) -> Node:
    """Describe the values of a series.

    Columns that numpy holds, and `str`, are of kind `column`; masked ones and `string` of kind `pandas.nullable`;
    those of an Arrow dtype `pandas.arrow`. NaT and NaN are values, NA is a null, as is what
    misses in a `str` column.
    """
    pd: Any = loaded("pandas")
    dtype, values = series.dtype, series.array
    if isinstance(dtype, np.dtype):
        return _numpy(series, walk)
    if isinstance(dtype, pd.CategoricalDtype):
        return _categorical(values, walk)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _instants(values, dtype)
    if isinstance(dtype, pd.StringDtype):
        return _strings(values, dtype, walk)
    if isinstance(dtype, pd.ArrowDtype):
        return arrow_column(values.__arrow_array__(), "pandas.arrow", walk)
    if isinstance(dtype, pd.PeriodDtype):
        return _periods(values, dtype)
    if isinstance(dtype, pd.IntervalDtype):
        return _intervals(series, dtype, walk)
    if isinstance(dtype, pd.SparseDtype):
        return _sparse(values, dtype)
    if hasattr(values, "_mask") and hasattr(values, "_data"):
        return _masked(values)
    raise Refused(series, f"its dtype {dtype} has no canonical form; convert it with .astype() first")


def _numpy(series: Foreign, walk: Walk) -> Node:
    array: Chunk = series.to_numpy()
    if array.dtype == object:
        return object_array(array, "pandas.object", walk)
    node = describe_ndarray(array, walk)
    return Array("column", node.dtype, node.shape, node.data, node.valid) if isinstance(node, Array) else node


def _categorical(values: Foreign, walk: Walk) -> Group:
    """Categories count in their order, the unused ones too; -1 is null."""
    codes = array_source(values.codes)
    wide = LazySource(codes.size, lambda start, stop: codes.read(start, stop).astype(np.int64))
    _, categories = walk.part("categories", pandas_column, values.categories.to_series(), walk)
    count = len(values.categories)
    return category_codes(categories, wide, np.arange(count), count, ordered=bool(values.ordered))


def _instants(values: Foreign, dtype: Foreign) -> Array:
    zone = zone_name(dtype.tz) or str(dtype.tz)
    array = np.asarray(values.asi8).view(f"datetime64[{dtype.unit}]")
    return Array("column", f"datetime64[{dtype.unit}, {zone}]", array.shape, array_source(array))


def _strings(values: Foreign, dtype: Foreign, walk: Walk) -> Node:
    """The same whether Python or Arrow keeps them; `str` (missing is NaN) and `string` (missing is NA) differ."""
    pd: Any = loaded("pandas")
    kind = "pandas.nullable" if dtype.na_value is pd.NA else "column"
    if dtype.storage == "pyarrow":
        return arrow_column(values.__arrow_array__(), kind, walk)
    data = LazySource(len(values), lambda start, stop: _text_range(values[start:stop]))
    valid = LazySource(len(values), lambda start, stop: ~np.asarray(values[start:stop].isna(), dtype=bool))
    if not _any_null(values):
        return Array(kind, "str", (len(values),), data)
    return Array(kind, "str", (len(values),), data, valid)


def _text_range(values: Foreign) -> Chunk:
    array: Chunk = values.to_numpy(dtype=object, na_value="")
    return array


def _any_null(values: Foreign) -> bool:
    return bool(np.asarray(values.isna(), dtype=bool).any())


def _periods(values: Foreign, dtype: Foreign) -> Group:
    """Ordinals of the frequency; NaT is null."""
    ordinals = np.asarray(values.asi8)
    leaf = _with_nulls("column", "int64", array_source(ordinals), ordinals == np.iinfo(np.int64).min)
    return Group("pandas.period", (("freq", dtype.freq.freqstr),), ((axis("ordinals"), leaf),))


def _with_nulls(kind: str, dtype: str, data: Source, null: Chunk) -> Array:
    if not null.any():
        return Array(kind, dtype, (data.size,), data)
    valid = array_source(~null)
    return Array(kind, dtype, (data.size,), FilledSource(data, valid, 0), valid)


def _intervals(series: Foreign, dtype: Foreign, walk: Walk) -> Group:
    pd: Any = loaded("pandas")
    values = series.array
    ends = [
        walk.part(axis(name), pandas_column, pd.Series(end), walk)
        for name, end in (("left", values.left), ("right", values.right))
    ]
    return Group("pandas.interval", (("closed", dtype.closed),), tuple(ends))


def _sparse(values: Foreign, dtype: Foreign) -> Group:
    """All elements, read in pieces; the fill value is part of the dtype, which elements are stored is not."""
    stored = dtype.subtype
    if stored.kind == "O":
        raise Refused(values, "a sparse column of objects has no canonical form; use a dtype of numbers")
    data = LazySource(len(values), lambda start, stop: np.asarray(values[start:stop], dtype=stored))
    leaf = Array("column", stored.name, (len(values),), data)
    return Group("pandas.sparse", (("fill", f"{float(dtype.fill_value)!r}"),), ((axis("values"), leaf),))


def _masked(values: Foreign) -> Array:
    data: Chunk = values._data
    return _with_nulls("pandas.nullable", data.dtype.name, array_source(data), np.asarray(values._mask))
