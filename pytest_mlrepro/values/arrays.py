"""numpy's arrays and scalars as trees, whatever their layout, byte order or width of strings."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .dtypes import NATIVE, canonical_name
from .generators import describe_numpy_random
from .node import Array, Chunk, Field, Group, Node, Scalar, Source
from .paths import axis
from .sources import FilledSource, FlatSource, LazySource, array_source
from .walk import Foreign, Refused, Walk

__all__ = ["NUMPY_SCALARS", "describe_ndarray", "describe_numpy", "object_array"]

NUMPY_SCALARS: Final[tuple[type, ...]] = tuple({np.dtype(char).type for char in NATIVE})
_ADVICE: Final = {
    "g": "its width depends on the machine; use .astype('float64')",
    "G": "its width depends on the machine; use .astype('complex128')",
}


def describe_ndarray(value: Chunk, walk: Walk) -> Node:
    """Describe an exact `numpy.ndarray`; the common case first."""
    dtype = value.dtype
    name = NATIVE.get(dtype.char)
    if name is not None:
        if value.flags.c_contiguous and dtype.isnative:
            return Array("numpy.ndarray", name, value.shape, FlatSource(value.reshape(-1)))
        return Array("numpy.ndarray", name, value.shape, array_source(value))
    return _any_dtype(value, "numpy.ndarray", walk)


def describe_scalar(value: Foreign, walk: Walk) -> Node:
    """Describe a numpy scalar: an array of shape () and a kind of its own."""
    array = np.asarray(value)
    if array.dtype.names is not None:
        return _structured(array, "numpy.scalar", walk)
    return _any_dtype(array, "numpy.scalar", walk)


def describe_numpy(value: Foreign, walk: Walk) -> Node | None:
    """Describe what is numpy's or a subclass of it; None if it is neither array, scalar nor dtype."""
    if isinstance(value, np.generic):
        return describe_scalar(value, walk)
    if isinstance(value, np.dtype):
        return Scalar("numpy.dtype", canonical_name(value) or value.str)
    if type(value).__module__.startswith("numpy.random"):
        return describe_numpy_random(value, walk)
    if isinstance(value, np.ma.MaskedArray):
        return _masked(value, walk)
    if isinstance(value, np.ndarray):
        plain = describe_ndarray(value.view(np.ndarray), walk)
        return plain if type(value).__module__.partition(".")[0] == "numpy" else _foreign(value, plain, walk)
    return None


def _foreign(value: Foreign, plain: Node, walk: Walk) -> Node:
    """A user's subclass: its type and its own attributes count, since a unit may live there."""
    state = getattr(value, "__dict__", {})
    parts = walk.parts(value, ((Field(name), state[name]) for name in sorted(state)))
    return Group("numpy.subclass", (("type", type(value).__qualname__),), ((axis("array"), plain), *parts))


def _any_dtype(value: Chunk, kind: str, walk: Walk) -> Node:
    dtype = value.dtype
    if dtype.names is not None:
        return _structured(value, kind, walk)
    if dtype.hasobject and dtype.kind == "O":
        return object_array(value, "numpy.object", walk)
    name = canonical_name(dtype)
    if name is None:
        advice = _ADVICE.get(dtype.char, "convert it to a dtype of numbers, strings or dates first")
        raise Refused(value, f"its dtype {dtype} has no canonical form; {advice}")
    if dtype.kind == "T":
        return _variable_strings(value, kind)
    return Array(kind, name, value.shape, elements(value, name))


def elements(value: Chunk, name: str) -> Source:
    """Return the elements of any numpy array but objects, in the storage dtype of the canonical name."""
    dtype = value.dtype
    if name == "void":
        raw = array_source(value)
        return LazySource(value.size, lambda start, stop: _objects([x.tobytes() for x in raw.read(start, stop)]))
    if dtype.kind in "US":
        fixed = array_source(value)
        return LazySource(value.size, lambda start, stop: fixed.read(start, stop).astype(object))
    if dtype.kind in "biufcmM":
        return array_source(value)
    return array_source(value.view(f"uint{dtype.itemsize * 8}"))  # bfloat16 and float8 of ml_dtypes


def _objects(items: list[Any]) -> Chunk:
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out


def _variable_strings(value: Chunk, kind: str) -> Array:
    """Strings of any length; what stands for a missing one, if the dtype has it, becomes a null."""
    objects = value.reshape(-1).astype(object)
    missing = getattr(value.dtype, "na_object", "")
    valid = np.fromiter((isinstance(item, str) for item in objects), bool, objects.size)
    if isinstance(missing, str) or valid.all():
        return Array(kind, "str", value.shape, FlatSource(objects))
    objects[~valid] = ""
    return Array(kind, "str", value.shape, FlatSource(objects), FlatSource(valid))


def object_array(value: Chunk, kind: str, walk: Walk) -> Group:
    """Describe an array of Python objects: its shape, and its elements as a list of them."""
    items = value.reshape(-1).tolist()
    shape = ",".join(map(str, value.shape))
    walk.enter(value)
    child = walk.part(axis("items"), walk.describe, items)
    walk.leave(value)
    return Group(kind, (("shape", shape),), (child,))


def _structured(value: Chunk, kind: str, walk: Walk) -> Group:
    """One array per field, its own dimensions behind those of the whole; padding and offsets don't count."""
    shape = ",".join(map(str, value.shape))
    parts = [walk.part(name, _any_dtype, value[name], kind, walk) for name in value.dtype.names or ()]
    return Group("numpy.structured", (("of", kind), ("shape", shape)), tuple(parts))


def _masked(value: Foreign, walk: Walk) -> Node:
    """A masked array is its data with nulls where the mask is; fill values don't count."""
    data, mask = np.ma.getdata(value).view(np.ndarray), np.ma.getmaskarray(value)
    if data.dtype.names is not None:
        names = data.dtype.names
        parts = [walk.part(name, _masked, value[name], walk) for name in names]
        shape = ",".join(map(str, data.shape))
        return Group("numpy.structured", (("of", "numpy.MaskedArray"), ("shape", shape)), tuple(parts))
    if data.dtype == object:
        return _masked_objects(data, mask, walk)
    plain = _any_dtype(data, "numpy.MaskedArray", walk)
    if not isinstance(plain, Array):
        raise Refused(value, "it has no canonical form; use .filled()")
    if not mask.any():
        return plain
    valid = array_source(~mask)
    fill = _zero(plain)
    return Array(plain.kind, plain.dtype, plain.shape, FilledSource(plain.data, valid, fill), valid)


def _masked_objects(data: Chunk, mask: Chunk, walk: Walk) -> Node:
    """Objects with None where the mask is, and the mask."""
    plain = data.copy()
    plain[mask] = None
    whole = object_array(plain, "numpy.object", walk)
    masked = Array("numpy.ndarray", "bool", mask.shape, array_source(mask))
    return Group(whole.kind, (("of", "numpy.MaskedArray"), *whole.attrs), (*whole.children, (axis("mask"), masked)))


def _zero(array: Array) -> Any:  # the null element of any dtype
    if array.dtype == "str":
        return ""
    return b"" if array.dtype in ("bytes", "void") else 0
