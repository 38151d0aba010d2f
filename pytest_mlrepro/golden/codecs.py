"""Values as JSON with their arrays in files beside it, and back; the inverse of `describe` as far as the tree goes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from .._json import Json
from ..errors import GoldenError
from ..values.dtypes import is_text, storage
from ..values.node import Array, Field, Group, Label, Node, Scalar, Source
from ..values.paths import path_text
from ..values.sources import FlatSource
from .npy import BINARY, open_source
from .sound import checked_entry, guarded

__all__ = ["Finder", "Writer", "array_files", "decode", "encode"]

Writer: TypeAlias = Callable[[str, Source, str, tuple[int, ...]], dict[str, Json]]
"""Takes the place inside the value, the elements, their dtype and shape; returns `{"file", "size", "blake3"}`."""

Finder: TypeAlias = Callable[[Json], Path]
"""Takes the `{"file", "size", "blake3"}` of an array; returns where it lies, brought here if need be."""

INLINE_KINDS = ("list", "tuple", "numpy.scalar")
INLINE_ITEMS = 64
DECIMAL_BITS = 1024
"""Longer integers are written in hexadecimal: Python refuses to read decimal ones of more than 4300 digits."""
FILE_NAME = re.compile(r"[a-z0-9_-]{1,80}\.npy")


def encode(node: Node, write: Writer, path: tuple[Label, ...] = ()) -> Json:
    """Return the JSON form of a value; arrays of any size go through `write`.

    Raises GoldenError, with the place inside the value, for what no golden may hold: arrays or columns of objects.
    """
    if isinstance(node, Scalar):
        return {node.kind: _scalar_json(node)}
    if isinstance(node, Array):
        return {"array": _array_json(node, write, path)}
    if "object" in node.kind:
        raise GoldenError(
            f"{path_text(path)} is {node.kind}: objects have no stable form and are never stored. "
            'Convert it first, for example with .astype("str") or .astype("float64")'
        )
    parts = [[_label_json(label), encode(child, write, (*path, label))] for label, child in node.children]
    return {"group": {"kind": node.kind, "attrs": dict(node.attrs), "parts": parts}}


def decode(data: Json, find: Finder) -> Node:
    """Return the tree that `encode` was given, its arrays to be read when somebody asks from where `find` says they lie.

    Raises GoldenError for what `encode` never gives.
    """
    return guarded(lambda: _decoded(data, find))


def _decoded(data: Json, find: Finder) -> Node:
    ((form, body),) = data.items()
    if form == "array":
        return _array(body, find)
    if form == "group":
        children = tuple((_label(label), _decoded(child, find)) for label, child in body["parts"])
        return Group(body["kind"], tuple(sorted(body["attrs"].items())), children)
    return Scalar(form, _scalar_value(form, body))


def array_files(data: Json) -> list[dict[str, Json]]:
    """Return the `{"file", "size", "blake3"}` entries of a value, in order; GoldenError for a name with a way in it."""
    return guarded(lambda: _files(data))


def _files(data: Json) -> list[dict[str, Json]]:
    ((form, body),) = data.items()
    if form == "array":
        return [_own(body[part]) for part in ("data", "valid") if part in body]
    if form == "group":
        return [entry for _, child in body["parts"] for entry in _files(child)]
    return []


def _label_json(label: Label) -> Json:
    if isinstance(label, Field):
        return {"field": str(label)}
    return label if isinstance(label, (str, int)) else encode(label, _no_arrays)


def _label(data: Json) -> Label:
    if isinstance(data, (str, int)):
        return data
    if "field" in data:
        return Field(data["field"])
    key = _decoded(data, _no_files)
    assert not isinstance(key, Array)  # keys are described as scalars and groups
    return key


def _no_files(entry: Json) -> Path:
    raise GoldenError("a key of a golden is an array in a file, which no golden writes")


def _no_arrays(path: str, source: Source, dtype: str, shape: tuple[int, ...]) -> dict[str, Json]:
    raise GoldenError(f"a key of more than {INLINE_ITEMS} items can't be stored")


def _array_json(node: Array, write: Writer, path: tuple[Label, ...]) -> Json:
    facts: dict[str, Json] = {"kind": node.kind, "dtype": node.dtype, "shape": list(node.shape)}
    if node.kind in INLINE_KINDS and node.valid is None and node.data.size <= INLINE_ITEMS:
        return {**facts, "values": [_item_json(item) for item in _plain(node.data.read(0, node.data.size))]}
    facts["data"] = write(path_text(path), node.data, node.dtype, node.shape)
    if node.valid is not None:
        facts["valid"] = write(path_text(path) + " valid", node.valid, "bool", node.shape)
    return facts


def _plain(chunk: np.ndarray[Any, Any]) -> list[Any]:
    """Return Python values that carry every bit: dates and times as integers, since Python's are coarser."""
    items: list[Any] = (chunk.view(np.int64) if chunk.dtype.kind in "mM" else chunk).tolist()
    return items


def _item_json(item: Any) -> Json:
    if isinstance(item, float):
        return item if math.isfinite(item) else str(item)
    if isinstance(item, complex):
        return [_item_json(item.real), _item_json(item.imag)]
    return item.hex() if isinstance(item, bytes) else item


def _array(body: Json, find: Finder) -> Array:
    dtype, shape = body["dtype"], tuple(body["shape"])
    if "values" in body:
        return Array(body["kind"], dtype, shape, FlatSource(_inline(body["values"], dtype)))
    valid = _opened(body["valid"], "bool", shape, find) if "valid" in body else None
    return Array(body["kind"], dtype, shape, _opened(body["data"], dtype, shape, find), valid)


def _opened(entry: Json, dtype: str, shape: tuple[int, ...], find: Finder) -> Source:
    return open_source(find(_own(entry)), dtype, shape)


def _own(entry: dict[str, Json]) -> dict[str, Json]:
    """Return the entry; a golden may come from another machine, so it may not point out of its folder."""
    if not FILE_NAME.fullmatch(checked_entry(entry)["file"]):
        raise GoldenError(f"a golden names a file that no golden writes: {entry['file']!r}")
    return entry


def _inline(values: list[Json], dtype: str) -> np.ndarray[Any, Any]:
    if is_text(dtype):
        chunk = np.empty(len(values), dtype=object)
        chunk[:] = [bytes.fromhex(value) for value in values] if dtype in BINARY else values
        return chunk
    stored = storage(dtype)
    if stored.kind in "mM":
        return np.array(values, dtype=np.int64).view(stored)
    if stored.kind == "c":
        return np.array([complex(float(re), float(im)) for re, im in values], dtype=stored)
    return np.array([float(value) for value in values] if stored.kind == "f" else values, dtype=stored)


def _scalar_json(node: Scalar) -> Json:
    if node.kind in ("float", "complex"):
        return _item_json(node.value)
    if node.kind == "int" and node.value.bit_length() > DECIMAL_BITS:
        return hex(node.value)
    return node.value.hex() if node.kind == "bytes" else node.value


def _scalar_value(kind: str, body: Json) -> Any:
    if kind == "float":
        return float(body)
    if kind == "int" and isinstance(body, str):
        return int(body, 16)
    if kind == "complex":
        return complex(float(body[0]), float(body[1]))
    return bytes.fromhex(body) if kind == "bytes" else body
