"""Lists and tuples whose items are all of one plain type, held as one array instead of one node per item."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

import numpy as np

from .node import Array, Chunk
from .sources import FlatSource

__all__ = ["ListedTexts", "pack", "put_on_end", "text_objects"]

_DTYPES: Final[dict[type, str]] = {float: "float64", int: "int64", bool: "bool", str: "str"}


def pack(items: Sequence[Any], kind: str) -> Array | None:
    """Return the array of the items if all are exactly `float`, `bool`, `str`, or `int` within int64; else None.

    An empty sequence has no type and is not packed.
    """
    if not items:
        return None
    first = type(items[0])
    dtype = _DTYPES.get(first)
    if dtype is None or (len(items) > 1 and set(map(type, items)) != {first}):
        return None
    if first is str:
        return Array(kind, dtype, (len(items),), ListedTexts(list(items)))
    try:
        data = np.array(items, dtype=dtype)
    except OverflowError:
        return None
    return Array(kind, dtype, (len(items),), FlatSource(data))


@dataclass(frozen=True, slots=True)
class ListedTexts:
    """Strings of Python."""

    items: list[str]

    @property
    def size(self) -> int:
        """Number of strings."""
        return len(self.items)

    def read(self, start: int, stop: int) -> Chunk:
        """Return an object array."""
        return text_objects(self.items[start:stop])

    def packed(self, start: int, stop: int) -> tuple[Chunk, bytes]:
        """Return lengths and bytes; see `values.node.PackedSource`."""
        return put_on_end(self.items[start:stop])


def put_on_end(items: list[Any]) -> tuple[Chunk, bytes]:
    """Return the number of bytes of each string or byte string, and all of them as UTF-8 on end."""
    if isinstance(items[0], str):
        joined = "".join(items)
        if joined.isascii():  # each character is a byte
            return _lengths(items), joined.encode()
        items = list(map(str.encode, items, repeat("utf-8"), repeat("surrogatepass")))
    return _lengths(items), b"".join(items)


def _lengths(items: list[Any]) -> Chunk:
    """`array` takes them faster than numpy does."""
    try:
        return np.frombuffer(array("I", map(len, items)), np.uintc)
    except OverflowError:
        return np.frombuffer(array("Q", map(len, items)), np.ulonglong)


def text_objects(items: Sequence[Any]) -> Chunk:
    """Return an object array of strings or bytes; numpy itself would see a sequence of sequences."""
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out
