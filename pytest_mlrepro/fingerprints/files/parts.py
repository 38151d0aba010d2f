"""Named ranges of bytes inside a file, and a reader that never gives more than was asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Layout", "Part", "Reader", "separate"]

_WINDOW: Final = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """One tensor or member: how a path goes on to it, what it is, and where its bytes lie."""

    name: str
    kind: str
    facts: str
    """What belongs to it beside its bytes, such as dtype and shape; takes part in its digest."""
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The format that a file turned out to be of, and its parts in their order."""

    kind: str
    parts: tuple[Part, ...]


class Reader:
    """Reads ranges of an open file; small ones that lie close together with one call of the system."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor, self.size = descriptor, size
        self._window, self._window_at = b"", 0

    def read(self, start: int, length: int) -> bytes:
        """Return the bytes of a range, fewer where the file ends; raises ValueError for a range before the file."""
        if start < 0 or length < 0:
            raise ValueError(f"no such range: {length} bytes from {start} on")
        length = min(length, max(0, self.size - start))
        if length > _WINDOW:
            return self._fetch(start, length)
        at = start - self._window_at
        if at < 0 or at + length > len(self._window):
            self._window, self._window_at, at = self._fetch(start, min(_WINDOW, self.size - start)), start, 0
        return self._window[at : at + length]

    def _fetch(self, start: int, length: int) -> bytes:
        if length <= 0:
            return b""
        os.lseek(self._descriptor, start, os.SEEK_SET)
        data = os.read(self._descriptor, length)
        while len(data) < length and (more := os.read(self._descriptor, length - len(data))):
            data += more
        return data


def separate(parts: Sequence[Part], size: int) -> bool:
    """Tell whether ranges lie inside a file of that size and none overlaps another; empty ones may lie anywhere."""
    end = 0
    for start, stop in sorted((part.start, part.stop) for part in parts if part.start != part.stop):
        if start < end:
            return False
        end = stop
    return all(0 <= part.start <= part.stop <= size for part in parts)
