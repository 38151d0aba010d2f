"""A large array of a golden, read while somebody is told how far the reading is: comparing one takes as long as that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from ..values.node import Array, Chunk, Group, Node, Source

__all__ = ["telling"]

LARGE: Final = 1 << 22
"""Elements, below which there is nothing to tell."""


class Telling:
    """A source that tells how many of its elements were read; only in the thread that made it, since others can't write."""

    def __init__(self, source: Source, tell: Callable[[str], None]) -> None:
        self._source, self._tell, self._thread = source, tell, threading.get_ident()
        self.size, self._read = source.size, 0

    def read(self, start: int, stop: int) -> Chunk:
        """See `values.node.Source`."""
        self._read += stop - start
        if threading.get_ident() == self._thread and self._read <= self.size:
            self._tell(f"compared {self._read:,} of {self.size:,} elements with the golden")
        return self._source.read(start, stop)


def telling(node: Node, tell: Callable[[str], None]) -> Node:
    """Return the same value, whose large arrays tell how far they were read."""
    if isinstance(node, Group):
        return Group(node.kind, node.attrs, tuple((label, telling(child, tell)) for label, child in node.children))
    if isinstance(node, Array) and node.data.size >= LARGE:
        return Array(node.kind, node.dtype, node.shape, Telling(node.data, tell), node.valid)
    return node
