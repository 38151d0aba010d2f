"""What lies in a folder: listed level by level on all cores, links followed, and nothing opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple, TypeAlias

from ...errors import FingerprintError
from .pieces import Stamp, failure, shown, stamp_of
from .spread import cores, spread

__all__ = ["SKIPPED", "Entry", "Identity", "Tree", "identity", "look_at", "survey"]

SKIPPED: Final = frozenset(
    (
        *(".git", ".hg", ".svn", ".jj", ".cache", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db", "desktop.ini"),
        *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".mlrepro", "__golden__"),
    )
)
"""Entries of folders that never count: what tools leave beside the data, and what this package itself writes."""
MAX_DEPTH: Final = 200
_AT_ONCE: Final = 64

Identity: TypeAlias = tuple[int, int] | str
"""Which file or folder, by whatever path: device and inode; the path where the file system has no inodes."""


class Entry(NamedTuple):
    """One name in a folder and what it leads to."""

    name: str
    path: str
    stamp: Stamp
    is_folder: bool


@dataclass(slots=True)
class Tree:
    """All folders at and below one, each once, and the files in them."""

    top: Entry
    folders: dict[Identity, list[Entry]] = field(default_factory=dict)

    def files(self) -> dict[Identity, Entry]:
        """Return every file once, under whichever of its names came first."""
        found: dict[Identity, Entry] = {}
        for entry in chain.from_iterable(self.folders.values()):
            if not entry.is_folder:
                found.setdefault(identity(entry), entry)
        return found


def identity(entry: Entry) -> Identity:
    """Return what two names of one file have in common."""
    return (entry.stamp.device, entry.stamp.inode) if entry.stamp.inode else entry.path


def look_at(path: str) -> Entry:
    """Return what a path leads to; raises FingerprintError unless it is a file or a folder."""
    try:
        found = os.stat(path)  # noqa: PTH116  # strings, since there may be many
    except (OSError, ValueError) as error:
        raise _not_there(path, error) from error
    return _entry(os.path.basename(path), path, found)  # noqa: PTH119  # strings, since there may be many


def survey(top: Entry, executor: Executor | None = None) -> Tree:
    """List a folder and all folders below it. A folder that several links lead to is listed once, a cycle too."""
    tree, level, depth = Tree(top), {identity(top): top}, 0
    while level:
        if depth > MAX_DEPTH:
            raise FingerprintError(f"{shown(top.path)} nests more than {MAX_DEPTH} folders: declare a part of it")
        listings = _list_all([entry.path for entry in level.values()], executor)
        tree.folders.update(zip(level, listings, strict=True))
        below = [entry for entries in listings for entry in entries if entry.is_folder]
        level = {identity(entry): entry for entry in below if identity(entry) not in tree.folders}
        depth += 1
    return tree


def _list_all(paths: Sequence[str], executor: Executor | None) -> list[list[Entry]]:
    size = max(1, min(_AT_ONCE, len(paths) // (2 * cores())))
    batches = [paths[at : at + size] for at in range(0, len(paths), size)]
    return [entries for batch in spread(_list_some, batches, executor) for entries in batch]


def _list_some(paths: Sequence[str]) -> list[list[Entry]]:
    return [_list(path) for path in paths]


def _list(path: str) -> list[Entry]:
    """Return the entries of a folder, sorted by the bytes of their names."""
    entries: list[Entry] = []
    at = path
    try:
        with os.scandir(path) as found:
            for item in found:
                if item.name in SKIPPED:
                    continue
                at = item.path
                known = os.stat(at) if os.name == "nt" else item.stat()  # noqa: PTH116  # a listing has no inode there
                entries.append(_entry(item.name, at, known))
                at = path
    except OSError as error:
        raise _not_there(at, error, listed=True) from error
    entries.sort(key=lambda entry: os.fsencode(entry.name))
    return entries


def _entry(name: str, path: str, found: os.stat_result) -> Entry:
    is_folder = stat.S_ISDIR(found.st_mode)
    if not is_folder and not stat.S_ISREG(found.st_mode):
        kind = next((word for test, word in _SPECIAL if test(found.st_mode)), "something special")
        raise FingerprintError(f"{shown(path)} is {kind}, which has no content to fingerprint: leave it out")
    return Entry(name, path, stamp_of(found), is_folder)


_SPECIAL: Final = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _not_there(path: str, error: OSError | ValueError, *, listed: bool = False) -> FingerprintError:
    if isinstance(error, ValueError):
        return FingerprintError(f"{path!r} is no path: {error}")
    if listed and isinstance(error, FileNotFoundError) and not os.path.islink(path):  # noqa: PTH114
        return FingerprintError(
            f"{shown(path)} vanished while its folder was read: let whatever removes it finish first, or leave it out"
        )
    return failure(path, error)
