"""Arrow's tables, arrays and scalars as trees: chunks, slices, offsets and what lies under a null leave no trace."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import numpy as np

from .._lazy import loaded
from .arrow_texts import ArrowTexts, arrow_range
from .categories import category_codes, sorted_categories
from .dtypes import is_text
from .node import Array, Chunk, Group, Label, Node, Source
from .paths import axis
from .sequences import text_objects
from .sources import FilledSource, FlatSource, LazySource
from .walk import Foreign, Refused, Walk

__all__ = ["arrow_column", "describe_arrow"]

_LISTS: Final = ("list", "large_list", "fixed_size_list", "map")


def describe_arrow(value: Foreign, walk: Walk) -> Node | None:
    """Describe a table, record batch, array or scalar; None for what is none of them. Schema metadata doesn't count."""
    pa: Any = loaded("pyarrow")
    if isinstance(value, pa.Table | pa.RecordBatch):
        names = value.schema.names
        parts = [walk.part(name, arrow_column, value.column(at), "column", walk) for at, name in enumerate(names)]
        return Group(f"arrow.{_base(value, pa)}", (("rows", str(value.num_rows)),), tuple(parts))
    if isinstance(value, pa.Array | pa.ChunkedArray):
        return _whole(value, "arrow.Array" if isinstance(value, pa.Array) else "arrow.ChunkedArray", walk)
    if isinstance(value, pa.Scalar):
        return _whole(pa.array([value.as_py()] if value.is_valid else [None], value.type), "arrow.Scalar", walk)
    if isinstance(value, pa.Schema | pa.DataType | pa.Field):
        raise Refused(value, "pass str(value)")
    return None


def _base(value: Foreign, pa: Foreign) -> str:
    return "Table" if isinstance(value, pa.Table) else "RecordBatch"


def _whole(value: Foreign, kind: str, walk: Walk) -> Group:
    return Group(kind, (), (walk.part(axis("values"), arrow_column, value, "column", walk),))


def arrow_column(column: Foreign, kind: str, walk: Walk) -> Node:
    """Describe an Arrow array, chunked or not; flat types become an array of the given kind, nested ones groups."""
    pa: Any = loaded("pyarrow")
    types, dtype = pa.types, column.type
    if isinstance(column, pa.Array):
        column = pa.chunked_array([column])
    if types.is_null(dtype):
        return Group("nulls", (("length", str(len(column))),), ())
    if types.is_dictionary(dtype):
        return _dictionary(column, kind, walk, pa)
    if isinstance(dtype, pa.BaseExtensionType):
        plain = pa.chunked_array([chunk.storage for chunk in column.chunks], dtype.storage_type)
        part = walk.part(axis("storage"), arrow_column, plain, kind, walk)
        return Group("arrow.extension", (("name", dtype.extension_name),), (part,))
    if types.is_struct(dtype):
        return _struct(column, kind, walk, pa)
    if types.is_nested(dtype) or types.is_fixed_size_list(dtype):
        return _list(column, kind, walk, pa)
    valid = _valid(column, pa)
    text = _text_name(dtype)
    if text is not None:
        return Array(kind, text, (len(column),), ArrowTexts(column, binary=text == "bytes"), valid)
    flat = _flat(dtype, types)
    if flat is None:
        raise Refused(column, f"its type {dtype} has no canonical form; cast it to a plain type first")
    name, convert = flat
    source: Source = LazySource(len(column), lambda start, stop: convert(arrow_range(column, start, stop)))
    if valid is not None and is_text(name):
        source = FilledSource(source, valid, "")
    return Array(kind, name, (len(column),), source, valid)


def _valid(column: Foreign, pa: Foreign) -> Source | None:
    if column.null_count == 0:
        return None
    return LazySource(
        len(column), lambda start, stop: arrow_range(column, start, stop).is_valid().to_numpy(zero_copy_only=False)
    )


def _text_name(dtype: Foreign) -> str | None:
    name = str(dtype)
    if name in ("string", "large_string", "string_view"):
        return "str"
    return "bytes" if "binary" in name else None


def _flat(dtype: Foreign, types: Foreign) -> tuple[str, Callable[[Any], Chunk]] | None:
    """Return the canonical dtype of a flat Arrow type, and how to read an array of it with zeros for nulls."""
    text = str(dtype)
    if types.is_boolean(dtype):
        return "bool", lambda array: array.fill_null(False).to_numpy(zero_copy_only=False)
    if types.is_integer(dtype) or types.is_floating(dtype):
        name = {"halffloat": "float16", "float": "float32", "double": "float64"}.get(text, text)
        return name, lambda array: _bits(array).view(name)
    if types.is_date(dtype):
        return "date", _days
    if types.is_time(dtype):
        return f"time[{dtype.unit}]", lambda array: _bits(array).view(f"int{dtype.bit_width}").astype(np.int64)
    if types.is_timestamp(dtype):
        zone = f", {dtype.tz}" if dtype.tz else ""
        return f"datetime64[{dtype.unit}{zone}]", lambda array: _bits(array).view(f"datetime64[{dtype.unit}]")
    if types.is_duration(dtype):
        return f"timedelta64[{dtype.unit}]", lambda array: _bits(array).view(f"timedelta64[{dtype.unit}]")
    if types.is_decimal(dtype):
        return f"decimal({dtype.precision},{dtype.scale})", _decimals
    return None


def _bits(array: Foreign) -> Chunk:
    pa: Any = loaded("pyarrow")
    unsigned = getattr(pa, f"uint{array.type.bit_width}")()
    bits = array.view(unsigned)
    filled: Chunk = (bits.fill_null(0) if bits.null_count else bits).to_numpy(zero_copy_only=False)
    return filled


def _days(array: Foreign) -> Chunk:
    if array.type.bit_width == 32:
        return _bits(array).view(np.int32).astype("datetime64[D]")
    return (_bits(array).view(np.int64) // 86_400_000).view("datetime64[D]")


def _decimals(array: Foreign) -> Chunk:
    """Fixed-point text with all digits of the scale."""
    return text_objects([format(item, "f") if isinstance(item, Decimal) else "" for item in array.to_pylist()])


def _dictionary(column: Foreign, kind: str, walk: Walk, pa: Foreign) -> Group:
    """A dictionary is an encoding: values in use count, sorted, unless the type says that their order has meaning."""
    chunks = column.unify_dictionaries().chunks
    values = chunks[0].dictionary if chunks else pa.array([], column.type.value_type)
    indices = pa.chunked_array([chunk.indices for chunk in chunks], column.type.index_type)
    codes = LazySource(len(indices), lambda start, stop: _indices(arrow_range(indices, start, stop)))
    items = values.to_pylist()
    order = np.arange(len(items)) if column.type.ordered else sorted_categories(items, codes, walk)
    categories = arrow_column(values.take(pa.array(order)), kind, walk)
    return category_codes(categories, codes, order, len(items), ordered=bool(column.type.ordered))


def _indices(array: Foreign) -> Chunk:
    """Return indices as int64, -1 for null."""
    indices = _bits(array).view(str(array.type)).astype(np.int64)
    indices[~array.is_valid().to_numpy(zero_copy_only=False)] = -1
    return indices


def _struct(column: Foreign, kind: str, walk: Walk, pa: Foreign) -> Group:
    """Fields take over the nulls of the whole, so that what lies under them doesn't count."""
    flat = [chunk.flatten() for chunk in column.chunks]
    valid = _valid(column, pa)
    parts: list[tuple[Label, Node]] = []
    if valid is not None:
        parts.append((axis("valid"), Array("column", "bool", (len(column),), valid)))
    for at in range(column.type.num_fields):
        field = column.type.field(at)
        inner = pa.chunked_array([arrays[at] for arrays in flat], field.type)
        parts.append(walk.part(field.name, arrow_column, inner, kind, walk))
    return Group("nested.struct", (("length", str(len(column))),), tuple(parts))


def _list(column: Foreign, kind: str, walk: Walk, pa: Foreign) -> Group:
    """The length of each list, null where the list is, and all their items on end."""
    form = next((name for name in _LISTS if str(column.type).startswith(name + "<")), None)
    form = "map" if pa.types.is_map(column.type) else form
    if form is None:
        raise Refused(column, f"its type {column.type} has no canonical form; cast it to a list or struct first")
    lengths = np.concatenate([np.zeros(0, np.int64), *(_lengths(chunk, form) for chunk in column.chunks)])
    items = [_items(chunk) for chunk in column.chunks]
    inner = pa.chunked_array(items, _item_type(column.type, pa))
    attrs = (("of", f"{form}({column.type.list_size})" if form == "fixed_size_list" else form.removeprefix("large_")),)
    counts = Array("column", "int64", (len(column),), FlatSource(lengths), _valid(column, pa))
    part = walk.part(axis("items"), arrow_column, inner, kind, walk)
    return Group("nested.list", attrs, ((axis("lengths"), counts), part))


def _item_type(dtype: Foreign, pa: Foreign) -> Foreign:
    if not pa.types.is_map(dtype):
        return dtype.value_type
    return pa.struct([("key", dtype.key_type), ("value", dtype.item_type)])


def _lengths(array: Foreign, form: str) -> Chunk:
    if form == "fixed_size_list":
        lengths = np.full(len(array), array.type.list_size, np.int64)
    else:
        lengths = np.diff(array.offsets.to_numpy().astype(np.int64))
    lengths[~array.is_valid().to_numpy(zero_copy_only=False)] = 0
    return lengths


def _items(array: Foreign) -> Foreign:
    """Return the items of all lists that are not null, without those under a null or outside a slice."""
    pa: Any = loaded("pyarrow")
    array = array.drop_null() if array.null_count else array
    if not pa.types.is_map(array.type):
        return array.flatten()
    pairs = pa.StructArray.from_arrays([array.keys, array.items], fields=list(_item_type(array.type, pa)))
    first, last = (array.offsets[at].as_py() for at in (0, -1))
    return pairs.slice(first, last - first)
