"""The folder of stored outputs: an entry appears whole or not at all, is checked as it is read, and the oldest go first."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from blake3 import blake3

from .._json import Json
from ..errors import FingerprintError
from ..fingerprints.values import fingerprint as fingerprint_value
from .stored import CannotStoreError, put_together, take_apart

__all__ = ["LIMIT", "Damaged", "Entries", "Stored"]

LIMIT: Final = 4 << 30
"""Bytes of all entries together, beyond which those that were used longest ago are removed."""
_FACTS: Final = "entry.json"
_ABANDONED: Final = 86_400
"""Seconds after which what a killed process left half-made is removed."""
_serial: Final = itertools.count()


class Damaged(Exception):  # noqa: N818  # never leaves this room: it is a miss, with a word
    """An entry that isn't what was stored."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored output."""

    value: Any
    output: str
    """Its digest."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Digests of the files that the step read, by whole path."""
    seconds: float = 0.0
    """How long the step took."""


class Entries:
    """Stored outputs by key. Several processes may use one folder."""

    def __init__(self, folder: Path, *, limit: int = LIMIT) -> None:
        self.folder, self._limit = folder, limit

    def load(self, key: str) -> Stored | None:
        """Return an entry, or None where there is none; raises Damaged."""
        place = self.folder / key
        try:
            text = (place / _FACTS).read_text("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise Damaged(str(error)) from None
        try:
            seal, _, body = text.partition("\n")
            if seal != _digest(body.encode()):
                raise Damaged("its facts were changed")
            facts = json.loads(body)
            value = put_together(facts["plan"], _Reading(place, facts["shelf"]))
            found = Stored(value, facts["output"], facts["files"], facts["seconds"])
        except Damaged:
            raise
        except Exception as error:
            raise Damaged(f"{type(error).__name__}: {error}") from error
        with contextlib.suppress(OSError):
            os.utime(place / _FACTS)  # it was used
        return found

    def save(self, key: str, step: str, stored: Stored) -> None:
        """Store an output; raises CannotStoreError for a value that would not come back the same. A full disk is no error."""
        place = self.folder / f".new-{os.getpid()}-{next(_serial)}"
        try:
            self._make_folder()
            place.mkdir()
            shelf = _Writing(place)
            plan = take_apart(stored.value, shelf)
            _require_same(plan, _Reading(place, shelf.digests), stored)
            facts = {
                **{"step": step, "plan": plan, "shelf": shelf.digests},
                **{"output": stored.output, "files": dict(stored.files), "seconds": stored.seconds},
            }
            body = json.dumps(facts, sort_keys=True)
            (place / _FACTS).write_text(f"{_digest(body.encode())}\n{body}", "utf-8")
            self.remove(key)
            place.rename(self.folder / key)
        except OSError:
            pass  # another process was faster, or there is no room: the next run makes it again
        finally:
            shutil.rmtree(place, ignore_errors=True)
        self._prune(keep=key)

    def remove(self, key: str) -> None:
        """Remove an entry, in one step for those who read."""
        gone = self.folder / f".old-{os.getpid()}-{next(_serial)}"
        with contextlib.suppress(OSError):
            (self.folder / key).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("# stored outputs of pipeline steps: may be removed at any time\n*\n", "utf-8")

    def _prune(self, keep: str) -> None:
        """Remove what was used longest ago until the rest fits, and what a killed process left."""
        with contextlib.suppress(OSError):
            places = [place for place in self.folder.iterdir() if place.is_dir()]
            for place in [place for place in places if place.name.startswith(".")]:
                if time.time() - place.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(place, ignore_errors=True)
            entries = sorted((_used(place), _size(place), place.name) for place in places if place.name[0] != ".")
            total = sum(size for _, size, _ in entries)
            for _, size, name in entries:
                if total > self._limit and name != keep:
                    self.remove(name)
                    total -= size


def _require_same(plan: Json, shelf: _Reading, stored: Stored) -> None:
    """Refuse a value whose like comes back otherwise, such as one of a library that drops a detail."""
    try:
        again = put_together(plan, shelf)
        same = fingerprint_value(again).digest == stored.output
    except (FingerprintError, ValueError, TypeError, KeyError) as error:
        raise CannotStoreError("", stored.value, str(error)) from error
    if not same:
        raise CannotStoreError("", stored.value, "it came back with another fingerprint")


def _used(place: Path) -> float:
    try:
        return (place / _FACTS).stat().st_mtime
    except OSError:
        return place.stat().st_mtime if place.exists() else 0.0


def _size(place: Path) -> int:
    try:
        return sum(path.stat().st_size for path in place.iterdir())
    except OSError:
        return 0


def _digest(data: bytes) -> str:
    return blake3(data).hexdigest()


class _Writing:
    """Files of an entry as it is made, with their digests in order."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.digests: list[str] = []

    def put_array(self, array: Any) -> int:
        with self._next().open("wb") as file:
            np.save(file, array, allow_pickle=False)
        return self._done()

    def put_bytes(self, data: bytes) -> int:
        self._next().write_bytes(data)
        return self._done()

    def _next(self) -> Path:
        return self._place / str(len(self.digests))

    def _done(self) -> int:
        self.digests.append(blake3().update_mmap(self._next()).hexdigest())
        return len(self.digests) - 1

    def array(self, number: int) -> Any:
        raise NotImplementedError  # nothing is read while it is written

    data = array


class _Reading:
    """Files of an entry, each checked as it is read."""

    def __init__(self, place: Path, digests: list[str]) -> None:
        self._place, self._digests = place, digests

    def array(self, number: int) -> Any:
        with self._checked(number).open("rb") as file:
            return np.load(file, allow_pickle=False)

    def data(self, number: int) -> bytes:
        return self._checked(number).read_bytes()

    def _checked(self, number: int) -> Path:
        path = self._place / str(int(number))
        if blake3().update_mmap(path).hexdigest() != self._digests[number]:
            raise Damaged(f"{path.name} is not what was stored")
        return path

    def put_array(self, array: Any) -> int:
        raise NotImplementedError  # nothing is written while it is read

    put_bytes = put_array
