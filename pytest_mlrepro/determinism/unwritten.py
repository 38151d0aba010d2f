"""Memory that nobody wrote to: under the variation "malloc" it holds one byte, over and over, which no result does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from ..values.node import Array, Group, Node
from .vary import PERTURB

__all__ = ["holds_pattern"]

FILLED: Final = (int(PERTURB) ^ 0xFF, int(PERTURB))
"""What glibc writes into memory that it hands out, and into memory that it takes back."""
ENOUGH: Final = 4
"""Shorter elements may be so by chance."""
CHUNK: Final = 1 << 16


def holds_pattern(node: Node | None) -> bool:
    """Tell whether any number of a value consists of the byte that unwritten memory is filled with."""
    return node is not None and any(_filled(array) for array in _arrays(node))


def _arrays(node: Node) -> Iterator[Array]:
    if isinstance(node, Array):
        yield node
    elif isinstance(node, Group):
        for _, child in node.children:
            yield from _arrays(child)


def _filled(array: Array) -> bool:
    for start in range(0, array.data.size, CHUNK):
        chunk = np.ascontiguousarray(array.data.read(start, min(start + CHUNK, array.data.size)))
        if chunk.dtype.kind not in "iufc" or chunk.dtype.itemsize < ENOUGH:
            return False
        rows = chunk.view(np.uint8).reshape(-1, chunk.dtype.itemsize)
        if any((rows == byte).all(axis=1).any() for byte in FILLED):
            return True
    return False
