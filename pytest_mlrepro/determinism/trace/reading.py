"""A trace as it lies on disk, and the events in which two of them differ: read in blocks, so that length does not matter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .stream import KIND_SHIFT, NAME_SHIFT, PLACES, Kind, Place

__all__ = ["Event", "Line", "Pair", "Trace", "differing"]

ROWS: Final = 1 << 16
Words = NDArray[np.uint64]


class Line(NamedTuple):
    """What a line of code does."""

    calls: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


class Event(NamedTuple):
    """One event, with its strings."""

    kind: Kind
    name: str
    place: Place
    digest: int


@dataclass
class Trace:
    """All files of one traced run."""

    streams: dict[str, Words]
    """By suffix: "" for the thread that began, "t1" for one that it started, "f1" for a forked process."""
    names: dict[str, list[str]]
    places: dict[str, list[Place]]
    lines: dict[Place, Line] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path) -> Trace:
        """Return the trace that begins with this file; a stream that was cut off is read as far as it goes."""
        trace = cls({}, {}, {})
        for found in sorted(file.parent.glob(f"{file.name}*")):
            suffix = found.name[len(file.name) :].lstrip(".")
            if suffix == "names" or suffix.endswith(".names"):
                trace._read_table(found, suffix.removesuffix("names").rstrip("."))
            elif all(part[0] in "tf" and part[1:].isdigit() for part in suffix.split(".") if part):
                trace.streams[suffix] = _words(found)
        return trace

    def _read_table(self, file: Path, process: str) -> None:
        names, places = self.names.setdefault(process, []), self.places.setdefault(process, [])
        with file.open(encoding="utf-8") as rows:
            for text in rows:
                if not text.endswith("\n"):
                    return  # the process was ended while it wrote
                kind, *row = json.loads(text)
                if kind == "name":
                    names.append(row[0])
                elif kind == "place":
                    places.append(Place(*row))
                elif kind == "line":
                    number, *parts = row
                    self.lines[places[number]] = Line(*(tuple(part) for part in parts))
                else:
                    self.facts[row[0]] = row[1]

    def line(self, place: Place) -> Line:
        """Return what a line does, as far as it is known."""
        return self.lines.get(place, Line())

    def event(self, suffix: str, number: int) -> Event:
        """Return one event of a stream."""
        head, digest = (int(word) for word in self.streams[suffix][number])
        process = process_of(suffix)
        names, places = self.names.get(process, []), self.places.get(process, [])
        name, place = head >> NAME_SHIFT & PLACES, head & PLACES
        return Event(
            Kind(head >> KIND_SHIFT),
            names[name] if name < len(names) else "",
            places[place] if place < len(places) else Place("", 0, ""),
            digest,
        )

    def notes(self, suffix: str, number: int) -> dict[str, Any]:
        """Return the words on an event: those of the notes that follow it."""
        found: dict[str, Any] = {}
        while number + 1 < len(self.streams[suffix]):
            number += 1
            event = self.event(suffix, number)
            if event.kind is not Kind.NOTE:
                break
            found.update(json.loads(event.name))
        return found


def process_of(suffix: str) -> str:
    """Return the process that a stream belongs to: `f1` for `f1.t2`, "" for `t2`."""
    return ".".join(part for part in suffix.split(".") if part.startswith("f"))


def _words(file: Path) -> Words:
    whole = file.stat().st_size // 16
    if not whole:
        return np.empty((0, 2), np.uint64)
    return np.memmap(file, dtype="<u8", mode="r", shape=(whole, 2))


class Pair(NamedTuple):
    """An event in which two streams differ."""

    number: int
    same_head: bool
    """Whether both runs were doing the same thing here, and only what came of it differs."""


def differing(first: Trace, second: Trace, suffix: str) -> Iterator[Pair]:
    """Yield the events of a stream in which two traces differ, in order, to where they do different things or one ends."""
    one = first.streams.get(suffix, np.empty((0, 2), np.uint64))
    two = second.streams.get(suffix, np.empty((0, 2), np.uint64))
    names, places = _numbering(first.names, second.names, suffix), _numbering(first.places, second.places, suffix)
    length = min(len(one), len(two))
    for start in range(0, length, ROWS):
        a, b = one[start : start + ROWS], two[start : start + ROWS][: len(one) - start]
        a, b = a[: len(b)], b[: len(a)]
        yield from _in_block(a, b, names, places, start)
        if not _same_heads(a, b, names, places).all():
            return
    if len(one) != len(two):
        yield Pair(length, same_head=False)


def _in_block(a: Words, b: Words, names: Words, places: Words, start: int) -> Iterator[Pair]:
    heads = _same_heads(a, b, names, places)
    stop = len(heads) if heads.all() else int(heads.argmin())
    unlike = a[:stop, 1] != b[:stop, 1]
    noted = (a[:stop, 0] >> np.uint64(KIND_SHIFT)) == np.uint64(Kind.NOTE)
    for number in np.flatnonzero(unlike & ~noted):
        yield Pair(start + int(number), same_head=True)
    if stop < len(heads):
        yield Pair(start + stop, same_head=False)


def _same_heads(a: Words, b: Words, names: Words, places: Words) -> NDArray[np.bool_]:
    """Tell where both do the same: kind, name and place. Notes may have other words."""
    shift, mask = np.uint64(NAME_SHIFT), np.uint64(PLACES)
    one, two = a[:, 0], b[:, 0]
    kinds = (one >> np.uint64(KIND_SHIFT)) == (two >> np.uint64(KIND_SHIFT))
    notes = (one >> np.uint64(KIND_SHIFT)) == np.uint64(Kind.NOTE)
    same = (one >> shift & mask) == names[(two >> shift & mask).astype(np.intp)]
    same &= (one & mask) == places[(two & mask).astype(np.intp)]
    found: NDArray[np.bool_] = kinds & (same | notes)
    return found


def _numbering(first: dict[str, Any], second: dict[str, Any], suffix: str) -> Words:
    """Return for each number of the second trace that of the first, and one that the first doesn't have for what is new."""
    process = process_of(suffix)
    known = {value: number for number, value in enumerate(first.get(process, ()))}
    other = second.get(process, ())
    return np.array([known.get(value, PLACES - number) for number, value in enumerate(other)] or [0], np.uint64)
