"""Checkpoints: how long each history was and what it ended in, to be kept where those who change goldens can't write.

A history shows edits, drops and swaps by itself. That its end was cut off, or that it was written anew from its start, shows only
against a note of what it was.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from .._canonical import canonical
from .._json import Json, json_text
from ..errors import GoldenError, UsageError
from ..golden.history import now
from .names import counted
from .stock import Holding

__all__ = ["Checkpoint", "Mark", "from_json", "loads", "taken", "to_json", "written"]

SCHEMA = 1
ALGORITHM = "blake3"


@dataclass(frozen=True, slots=True)
class Mark:
    """One golden as it was: the number of entries in its history, and the digest of the last."""

    folder: str
    test: str
    count: int
    head: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All goldens as they were at a time."""

    time: str
    marks: tuple[Mark, ...]

    @property
    def count(self) -> int:
        """Return the number of entries in all histories."""
        return sum(mark.count for mark in self.marks)

    @property
    def head(self) -> str:
        """Return the one digest that stands for all of it: short enough for a ticket or a sheet of paper."""
        return _digest([[mark.folder, mark.test, mark.count, mark.head] for mark in self.marks])

    def problems(
        self, held: list[Holding], *, unreadable: Collection[str] = (), made: str = "the checkpoint"
    ) -> Iterator[str]:
        """Yield what is not as it was, or has not grown from it.

        unreadable: folders of goldens that are there and damaged, of which that was said. made: what the note is called.
        """
        present = {one.folder: one for one in held}
        for mark in self.marks:
            one = present.get(mark.folder)
            if one is None and mark.folder in unreadable:
                continue
            if one is None:
                yield (
                    f"{mark.folder} ({mark.test}) is gone: {made} of {self.time} knows it, with {counted(mark.count, 'entry')}. "
                    "If it was pruned or its test renamed on purpose, make a new one"
                )
            elif one.count < mark.count:
                yield (
                    f"{mark.folder}/history.jsonl has {counted(one.count, 'entry')}, and had {mark.count} "
                    f"at {made} of {self.time}: its end was cut off"
                )
            elif one.digests[mark.count - 1] != mark.head:
                yield (
                    f"{mark.folder}/history.jsonl: entry {mark.count} is not the one that {made} of {self.time} knows: "
                    "the history was written anew"
                )

    def grown(self, held: list[Holding]) -> str:
        """Say how many goldens are new since, and how many entries were added to the others."""
        marks = {mark.folder: mark.count for mark in self.marks}
        new = [one for one in held if one.folder not in marks]
        more = sum(max(0, one.count - marks[one.folder]) for one in held if one.folder in marks)
        added = [f"{len(new)} new"] * bool(new) + [f"{counted(more, 'entry')} added to others"] * bool(more)
        return f"since then: {', '.join(added) or 'nothing was added'}"


def taken(held: list[Holding], time: str | None = None) -> Checkpoint:
    """Return the checkpoint of goldens as they are now, or were at a time."""
    return Checkpoint(time or now(), tuple(Mark(one.folder, one.test, one.count, one.digests[-1]) for one in held))


def to_json(point: Checkpoint) -> dict[str, Json]:
    """Return what JSON holds of a checkpoint; it carries its own digest, so that damage to it is told apart."""
    data: dict[str, Json] = {
        "algorithm": ALGORITHM,
        "count": point.count,
        "goldens": [
            {"count": mark.count, "folder": mark.folder, "head": mark.head, "test": mark.test} for mark in point.marks
        ],
        "head": point.head,
        "schema": SCHEMA,
        "time": point.time,
    }
    return {**data, "digest": _digest(data)}


def written(point: Checkpoint) -> str:
    """Return the text of a checkpoint: `loads(written(p)) == p`."""
    return json_text(to_json(point))


def loads(text: str, path: Path) -> Checkpoint:
    """Return the checkpoint that a text holds; GoldenError for one that is damaged, UsageError for something else."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GoldenError(f"the checkpoint {path} is damaged: it is not JSON ({error})") from None
    if not isinstance(data, dict) or "goldens" not in data:
        raise UsageError(f"{path} is no checkpoint: make one with  mlrepro checkpoint -o FILE")
    point = from_json(data, f"the checkpoint {path}")
    if text.replace("\r\n", "\n") != written(point):
        raise GoldenError(f"the checkpoint {path} was edited or is damaged: it is not as it was written")
    return point


def from_json(data: Json, place: str) -> Checkpoint:
    """Return the checkpoint of `to_json`; GoldenError for one that is not whole."""
    try:
        if data["schema"] != SCHEMA:
            raise GoldenError(
                f"{place} has schema {data['schema']!r}, this version knows {SCHEMA}: update pytest-mlrepro"
            )
        return Checkpoint(_text(data["time"]), tuple(map(_mark, data["goldens"])))
    except (KeyError, TypeError, ValueError) as error:
        raise GoldenError(f"{place} is damaged: {error}") from None


def _mark(data: Json) -> Mark:
    count = data["count"]
    if type(count) is not int or count < 1:
        raise ValueError(f"a count of {count!r}")
    return Mark(_text(data["folder"]), _text(data["test"]), count, _text(data["head"]))


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where text is expected")
    return value


def _digest(value: Json) -> str:
    return f"{ALGORITHM}:{blake3(canonical(value).encode()).hexdigest()}"
