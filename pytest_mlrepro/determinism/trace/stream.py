"""What a run did, in order, as fixed-size events on disk: a long run needs no more memory than a short one.

A trace is several files: `NAME` holds the events of the thread that began, `NAME.t1`, `NAME.t2` … those of threads that
it started, `NAME.f1` … those of forked processes (whose threads are `NAME.f1.t1` …), and each process has one `.names`
beside its first file: the strings and places that its events refer to by number.
"""

from __future__ import annotations

import json
import sys
import threading
from array import array
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

__all__ = ["KIND_SHIFT", "NAME_SHIFT", "PLACES", "Kind", "Place", "Stream", "Table"]

KIND_SHIFT: Final = 56
NAME_SHIFT: Final = 28
PLACES: Final = (1 << NAME_SHIFT) - 1
BLOCK: Final = 16_384
"""Words that are kept in memory before they are written: 128 KiB."""


class Kind(IntEnum):
    """What an event tells. The digest is of what the name says."""

    VALUE = 1
    """The result of an operation."""
    INPUT = 2
    """A value that came from outside of what is traced, where an operation first uses it."""
    LOCAL = 3
    """A local variable (its name is the event's) after the line that set or changed it."""
    DRAW = 4
    """The state of a generator before an operation draws from it."""
    UNWRITTEN = 5
    """What an operation reads from memory that was handed out and not filled; the place is where it was made."""
    CHECKED = 6
    """A value that the test checked; the name is its label."""
    NOTE = 7
    """Words on the event before, which may differ: its name is a JSON text."""


class Place(NamedTuple):
    """A line of code."""

    file: str
    line: int
    function: str


class Table:
    """The strings and places of one process, numbered as they appear, and written as they appear."""

    def __init__(self, file: Path) -> None:
        self._file: IO[str] = file.open("w", encoding="utf-8", newline="\n")
        self._lock = threading.Lock()
        self._names: dict[str, int] = {}
        self._places: dict[Place, int] = {}

    def name(self, name: str) -> int:
        """Return the number of a string."""
        found = self._names.get(name)
        return self._add(self._names, name, ["name", name]) if found is None else found

    def place(self, place: Place) -> int:
        """Return the number of a place."""
        found = self._places.get(place)
        return self._add(self._places, place, ["place", *place]) if found is None else found

    def line(self, place: Place, *, calls: Sequence[str], reads: Sequence[str], writes: Sequence[str]) -> None:
        """Tell once what a line does: the full names of what it calls or hands on, and the locals that it reads and sets."""
        number = self.place(place)
        with self._lock:
            self._write(["line", number, list(calls), list(reads), list(writes)])

    def fact(self, key: str, value: str | int | float | bool | None) -> None:
        """Tell something about the whole process, such as a setting of a library."""
        with self._lock:
            self._write(["fact", key, value])

    def move(self, file: Path) -> None:
        """Go on in another file, in a forked process; all numbers so far go on meaning the same."""
        self._lock = threading.Lock()
        self._file = file.open("w", encoding="utf-8", newline="\n")
        for name in self._names:
            self._write(["name", name])
        for place in self._places:
            self._write(["place", *place])

    def _add(self, known: dict[Any, int], key: Any, row: list[Any]) -> int:
        with self._lock:
            if key not in known:
                known[key] = len(known)
                self._write(row)
            return known[key]

    def _write(self, row: list[Any]) -> None:
        self._file.write(json.dumps(row, ensure_ascii=True) + "\n")

    def flush(self) -> None:
        """Write out what is buffered."""
        with self._lock:
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()


class Stream:
    """The events of one thread. Two 64-bit words each: kind, name and place; and a digest."""

    def __init__(self, file: Path, table: Table, *, block: int = BLOCK) -> None:
        self.file, self.table = file, table
        self._out = file.open("wb")
        self._words = array("Q")
        self._block = block
        self._written = 0
        self.kept: object = None
        self.wanted = -1
        """The event whose value is to be kept, counted from 0; none: -1."""

    def __len__(self) -> int:
        """Return how many events there are by now."""
        return (self._written + len(self._words)) // 2

    def put(self, head: int, digest: int) -> None:
        """Add an event whose first word is known: the fast way."""
        words = self._words
        words.append(head)
        words.append(digest)
        if len(words) >= self._block:
            self.flush()

    def head_of(self, kind: Kind, name: str) -> int:
        """Return the first word of such an event, to which the number of its place is added."""
        return kind << KIND_SHIFT | self.table.name(name) << NAME_SHIFT

    def event(self, kind: Kind, name: str, place: Place, digest: int) -> None:
        """Add an event. digest: 64 bits, not negative."""
        self.put(self.head_of(kind, name) | self.table.place(place), digest)

    def note(self, **words: str | int | float | None) -> None:
        """Add words on the event before."""
        text = json.dumps(words, sort_keys=True)
        self.put(self.head_of(Kind.NOTE, text), 0)

    def flush(self) -> None:
        """Write out what is buffered."""
        words, self._words = self._words, array("Q")
        self._written += len(words)
        if sys.byteorder == "big":
            words.byteswap()
        self._out.write(words.tobytes())
        self._out.flush()
        self.table.flush()

    def move(self, file: Path, block: int) -> None:
        """Go on in another file, in a forked process; what is not yet written is the parent's."""
        self.file, self._block = file, block
        self._out, self._words, self._written = file.open("wb"), array("Q"), 0

    def keep(self, value: object) -> None:
        """Keep the value of the event that was just added, as somebody asked for it."""
        self.wanted = -1
        self.kept = value

    def close(self) -> None:
        """Write what is left."""
        self.flush()
        self._out.close()
