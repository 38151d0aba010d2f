"""An order of keys that depends on nothing but their content: not on insertion, hash seed or type of the process."""

from __future__ import annotations

import math
import struct
from typing import Any

from .node import Array, Group, Label, Node, Scalar

__all__ = ["sort_key"]


def sort_key(label: Label | Node) -> tuple[Any, ...]:
    """Return a tuple by which keys of any kinds sort, and which is equal only for keys of equal content.

    First by form (array, group, scalar), then by kind, then by value: text by code points, integers by size, floats by
    their bits.
    """
    if isinstance(label, str):
        return ("scalar", "str", str(label))
    if isinstance(label, int):
        return ("scalar", "int", label)
    if isinstance(label, Scalar):
        return ("scalar", label.kind, _sortable(label.value))
    if isinstance(label, Group):
        children = tuple((sort_key(name), sort_key(child)) for name, child in label.children)
        return ("group", label.kind, label.attrs, children)
    return ("array", label.kind, label.dtype, label.shape, _content(label))


def _sortable(value: Any) -> Any:  # one type per kind of scalar
    if value is None:
        return 0
    if isinstance(value, float):
        return _float_bytes(value)
    if isinstance(value, complex):
        return _float_bytes(value.real) + _float_bytes(value.imag)
    return value


def _float_bytes(value: float) -> bytes:
    return struct.pack(">d", value if value == value else math.nan)


def _content(array: Array) -> tuple[Any, ...]:
    valid = None if array.valid is None else array.valid.read(0, array.valid.size).tobytes()
    chunk = array.data.read(0, array.data.size)
    return (valid is not None, valid or b"", tuple(chunk.tolist()) if chunk.dtype == object else chunk.tobytes())
