"""Where the elements of an array come from: flat ranges of arrays of any layout, read without copying the whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .node import Chunk, Source

__all__ = ["FilledSource", "FlatSource", "LayoutSource", "LazySource", "array_source"]


class FlatSource:
    """A 1-D array in native byte order; reading gives views."""

    __slots__ = ("array", "size")

    def __init__(self, array: Chunk) -> None:
        self.array = array
        self.size: int = array.size

    def read(self, start: int, stop: int) -> Chunk:
        """Return a view."""
        return self.array[start:stop]


@dataclass(frozen=True, slots=True)
class LayoutSource:
    """An array of any strides and byte order, read in C order into a fresh native buffer of the range's size."""

    array: Chunk
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.array.size

    def read(self, start: int, stop: int) -> Chunk:
        """Return a copy of the range."""
        start, stop, _ = slice(start, stop).indices(self.array.size)
        out = np.empty(max(stop - start, 0), self.dtype)
        if out.size:
            _copy_range(self.array, start, stop, out)
        return out


@dataclass(frozen=True, slots=True)
class LazySource:
    """Elements that a function makes for each range."""

    size: int
    make: Callable[[int, int], Chunk]

    def read(self, start: int, stop: int) -> Chunk:
        """Return what the function makes for the range, cut to the size."""
        start, stop, _ = slice(start, stop).indices(self.size)
        return self.make(start, max(start, stop))


@dataclass(frozen=True, slots=True)
class FilledSource:
    """Another source with its null elements replaced, since what lies under a null is garbage."""

    data: Source
    valid: Source
    fill: Any

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.data.size

    def read(self, start: int, stop: int) -> Chunk:
        """Return the data, copied only where the range holds a null."""
        chunk, valid = self.data.read(start, stop), self.valid.read(start, stop)
        if valid.all():
            return chunk
        chunk = chunk.copy()
        chunk[~valid] = self.fill
        return chunk


def array_source(array: Chunk) -> Source:
    """Return the elements of an array of numbers or dates in C order."""
    if array.flags.c_contiguous and array.dtype.isnative:
        return FlatSource(array.reshape(-1))
    return LayoutSource(array, array.dtype.newbyteorder("="))


def _copy_range(array: Chunk, start: int, stop: int, out: Chunk) -> None:
    """Copy the flat range `start:stop`, not empty, as a part of a row, a block of whole rows and a part of a row.

    Blocks are copied by numpy's own loops, which is several times as fast as a buffered `nditer` over the range.
    """
    if array.ndim <= 1:
        out[:] = array.reshape(-1)[start:stop]
        return
    inner = math.prod(array.shape[1:])
    (first, head), (last, tail) = divmod(start, inner), divmod(stop, inner)
    if first == last:
        return _copy_range(array[first], head, tail, out)
    done = 0
    if head:
        done = inner - head
        _copy_range(array[first], head, inner, out[:done])
        first += 1
    block = out[done : done + (last - first) * inner]
    block.reshape(last - first, *array.shape[1:])[...] = array[first:last]
    if tail:
        _copy_range(array[last], 0, tail, out[done + block.size :])
