"""Lists and tuples whose items are all of one plain type, held as one array instead of one node per item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .node import Array, Chunk
from .sources import FlatSource

__all__ = ["pack", "text_objects"]

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
        return Array(kind, dtype, (len(items),), FlatSource(text_objects(items)))
    try:
        data = np.array(items, dtype=dtype)
    except OverflowError:
        return None
    return Array(kind, dtype, (len(items),), FlatSource(data))


def text_objects(items: Sequence[Any]) -> Chunk:
    """Return an object array of strings or bytes; numpy itself would see a sequence of sequences."""
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out
