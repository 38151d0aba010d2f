"""polars' frames and series as trees, without Arrow, which may not be installed beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .._lazy import loaded
from .categories import category_codes, sorted_categories
from .node import Array, Chunk, Group, Node, Source
from .paths import axis
from .sequences import text_objects
from .sources import FlatSource, LazySource
from .walk import Foreign, Refused, Walk

__all__ = ["describe_polars"]

_NUMBERS: Final = frozenset(
    {"Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float16", "Float32", "Float64"}
)


def describe_polars(value: Foreign, walk: Walk) -> Node | None:
    """Describe a frame or series; refuses lazy frames and expressions; None for other things of polars."""
    pl: Any = loaded("polars")
    if isinstance(value, pl.DataFrame):
        parts = [walk.part(column.name, _column, column, walk) for column in value.get_columns()]
        return Group("polars.DataFrame", (("rows", str(value.height)),), tuple(parts))
    if isinstance(value, pl.Series):
        return Group("polars.Series", (("name", value.name),), (walk.part(axis("values"), _column, value, walk),))
    if isinstance(value, pl.LazyFrame):
        raise Refused(value, "it is a plan and holds no rows yet; pass value.collect()")
    if isinstance(value, pl.Expr):
        raise Refused(value, "it is a plan and holds no rows yet; pass frame.select(value)")
    return None


def _column(series: Foreign, walk: Walk) -> Node:
    dtype = series.dtype
    name = dtype.base_type().__name__
    nested = _NESTED.get(name)
    if nested is not None:
        group: Group = nested(series, walk)
        return group
    if name == "Null":
        return Group("nulls", (("length", str(len(series))),), ())
    if name == "Object":
        return Group("polars.object", (), (walk.part(axis("items"), walk.describe, series.to_list()),))
    if name in _NUMBERS or name == "Boolean":
        return _leaf(series, "bool" if name == "Boolean" else name.lower(), "", False if name == "Boolean" else 0)
    if name == "String":
        return Array("column", "str", (len(series),), _Strings(series), _valid(series))
    if name == "Binary":
        return _texts(series, "bytes", b"")
    if name == "Decimal":
        return _texts(series, f"decimal({dtype.precision},{dtype.scale})", "")
    temporal = _temporal(dtype, name)
    if temporal is None:
        raise Refused(series, f"its type {dtype} has no canonical form; cast it to a plain type first")
    return _leaf(series.to_physical(), *temporal, 0)


def _temporal(dtype: Foreign, name: str) -> tuple[str, str] | None:
    """Return the canonical dtype, and the dtype as which numpy is to see the integers; "" if as they are."""
    if name == "Date":
        return "date", "datetime64[D]"
    if name == "Time":
        return "time[ns]", ""
    if name == "Duration":
        return (f"timedelta64[{dtype.time_unit}]",) * 2
    if name == "Datetime":
        zone = f", {dtype.time_zone}" if dtype.time_zone else ""
        return f"datetime64[{dtype.time_unit}{zone}]", f"datetime64[{dtype.time_unit}]"
    return None


def _leaf(series: Foreign, dtype: str, view: str, zero: Foreign) -> Array:
    def read(start: int, stop: int) -> Chunk:
        piece = series.slice(start, stop - start)
        array: Chunk = (piece.fill_null(zero) if piece.null_count() else piece).to_numpy()
        return array.astype(np.int64, copy=False).view(view) if view else array

    return Array("column", dtype, (len(series),), LazySource(len(series), read), _valid(series))


@dataclass(frozen=True, slots=True)
class _Strings:
    """The strings of a series, put on end by polars itself; nulls are empty."""

    series: Foreign

    @property
    def size(self) -> int:
        """Number of elements."""
        return len(self.series)

    def read(self, start: int, stop: int) -> Chunk:
        """Return Python strings."""
        return text_objects(self._range(start, stop).to_list())

    def packed(self, start: int, stop: int) -> tuple[Chunk, bytes]:
        """Return lengths and bytes; see `values.node.PackedSource`."""
        texts = self._range(start, stop)
        return texts.str.len_bytes().to_numpy(), texts.str.join("").item().encode()

    def _range(self, start: int, stop: int) -> Foreign:
        piece = self.series.slice(start, stop - start)
        return piece.fill_null("") if piece.null_count() else piece


def _texts(series: Foreign, dtype: str, empty: Foreign) -> Array:
    def read(start: int, stop: int) -> Chunk:
        items = series.slice(start, stop - start).to_list()
        if dtype.startswith("decimal"):
            return text_objects(["" if item is None else format(item, "f") for item in items])
        return text_objects([empty if item is None else item for item in items])

    return Array("column", dtype, (len(series),), LazySource(len(series), read), _valid(series))


def _valid(series: Foreign) -> Source | None:
    if series.null_count() == 0:
        return None
    return LazySource(len(series), lambda start, stop: series.slice(start, stop - start).is_not_null().to_numpy())


def _list(series: Foreign, walk: Walk) -> Group:
    """The length of each list, null where the list is, and all their items on end."""
    dtype = series.dtype
    width = getattr(dtype, "shape", None)
    form = "list" if width is None else f"fixed_size_list({dtype.size})"
    lists = series if width is None else series.arr.to_list()
    lengths = lists.list.len().fill_null(0).to_numpy().astype(np.int64)
    counts = Array("column", "int64", (len(series),), FlatSource(lengths), _valid(series))
    items = lists.filter(lists.list.len().fill_null(0) > 0).explode()
    part = walk.part(axis("items"), _column, items, walk)
    return Group("nested.list", (("of", form),), ((axis("lengths"), counts), part))


def _struct(series: Foreign, walk: Walk) -> Group:
    valid = _valid(series)
    parts: list[Any] = []
    if valid is not None:
        parts.append((axis("valid"), Array("column", "bool", (len(series),), valid)))
    for name in series.struct.fields:
        parts.append(walk.part(name, _column, series.struct.field(name), walk))
    return Group("nested.struct", (("length", str(len(series))),), tuple(parts))


def _enum(series: Foreign, walk: Walk) -> Group:
    categories = series.dtype.categories
    return _codes(series, categories, np.arange(len(categories)), categories.to_list(), ordered=True)


def _categorical(series: Foreign, walk: Walk) -> Group:
    """The numbers behind a categorical are the process's own: only the strings in use count, sorted."""
    pl: Any = loaded("polars")
    used = series.drop_nulls().unique()
    physical, texts = used.to_physical().to_list(), used.cast(pl.String).to_list()
    items: list[str | None] = [None] * (max(physical, default=-1) + 1)
    for code, text in zip(physical, texts, strict=True):
        items[code] = text
    order = sorted_categories(items, _physical(series), walk)
    return _codes(series, pl.Series([items[code] for code in order], dtype=pl.String), order, items, ordered=False)


def _codes(series: Foreign, categories: Foreign, order: Chunk, items: list[Any], *, ordered: bool) -> Group:
    node = Array("column", "str", (len(categories),), _Strings(categories))
    return category_codes(node, _physical(series), order, len(items), ordered=ordered)


def _physical(series: Foreign) -> Source:
    codes = series.to_physical()

    def read(start: int, stop: int) -> Chunk:
        piece = codes.slice(start, stop - start)
        old: Chunk = piece.fill_null(0).to_numpy().astype(np.int64)
        if piece.null_count():
            old[piece.is_null().to_numpy()] = -1
        return old

    return LazySource(len(series), read)


_NESTED: Final[dict[str, Any]] = {
    "List": _list,
    "Array": _list,
    "Struct": _struct,
    "Enum": _enum,
    "Categorical": _categorical,
}
