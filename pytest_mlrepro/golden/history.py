"""Who changed a golden, when and why: one line a change, each holding its own digest and that of the line before it.

An entry is written before the change that it announces. So a change without an entry can't be, and an entry whose change a
crash prevented is told by the next one, which starts from the same golden (`old`) again.
"""

from __future__ import annotations

import getpass
import os
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from ..errors import GoldenError
from ..provenance.git import ask_git
from .conflict import conflict_text
from .entries import ALGORITHM, SCHEMA, Entry, digest, entry_line, is_whole, parsed, safe
from .files import write_whole

__all__ = ["Action", "Entry", "append", "digest", "problems", "read"]

FILE = "history.jsonl"
Action: TypeAlias = Literal["record", "update", "accept", "migrate"]


def append(
    folder: Path, *, action: Action, reason: str, change: str | None, old: str | None, new: str, root: Path
) -> None:
    """Add an entry; `old` and `new` are the seals of the golden, `change` is the greatest difference in words."""
    before = read(folder)
    entry: Entry = {
        "action": action,
        "algorithm": ALGORITHM,
        "author": safe(author(root)),
        "change": None if change is None else safe(change),
        "commit": commit(root),
        "new": new,
        "old": old,
        "previous": before[-1]["digest"] if before else None,
        "reason": safe(reason),
        "schema": SCHEMA,
        "time": now(),
    }
    entry["digest"] = digest(entry)
    write_whole(folder / FILE, "".join(f"{line}\n" for line in [*_lines(folder), entry_line(entry)]))


def read(folder: Path) -> list[Entry]:
    """Return the entries, oldest first; raise GoldenError for a line that is no entry."""
    return [_entry(line, number, folder) for number, line in enumerate(_lines(folder), start=1)]


def _entry(line: str, number: int, folder: Path) -> Entry:
    where = f"{folder / FILE}, line {number}"
    if line.startswith(("<<<<<<<", "|||||||", "=======", ">>>>>>>")):
        raise GoldenError(f"{where}: a merge conflict: {conflict_text(folder)}")
    return parsed(line, where)


def problems(folder: Path, seal: str | None) -> list[str]:
    """Return what is wrong with the history of a golden whose seal is `seal`: edits, drops, swaps, a missing end.

    Cutting off the tail together with putting back the older golden can't be seen from here: that takes a checkpoint kept
    elsewhere.
    """
    lines = _lines(folder)
    if not lines:
        return [f"{folder / FILE} is missing or empty: nobody can say who recorded this golden"]
    found: list[str] = []
    standing: Entry | None = None
    for number, line in enumerate(lines, start=1):
        entry = _entry(line, number, folder)
        where = f"{folder / FILE}, line {number}"
        if not is_whole(entry, line):
            found.append(f"{where}: this entry was edited")
        if entry["previous"] != (standing["digest"] if standing else None):
            found.append(f"{where}: does not follow the entry before it: one was dropped, swapped, inserted or edited")
        if entry["old"] not in _possible(standing):
            found.append(f"{where}: starts from a golden that no entry before it announced")
        standing = entry
    return [*found, *_end(folder, standing, seal)]


def _possible(standing: Entry | None) -> set[str | int | None]:
    """Return the seals that may stand after an entry: the announced one, or the old one if a crash came between."""
    return {None} if standing is None else {standing["new"], standing["old"]}


def _end(folder: Path, last: Entry | None, seal: str | None) -> list[str]:
    if last is None or seal == last["new"]:
        return []
    if seal == last["old"]:
        return [f"{folder}: the last change on record ({last['reason']}) was not carried out, or was undone by hand"]
    return [f"{folder / 'golden.json'} is not the golden that the last line of its history announces"]


def _lines(folder: Path) -> list[str]:
    try:
        content = (folder / FILE).read_bytes().decode("utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise GoldenError(f"can't read {folder / FILE}: {error}. Put it back from version control") from None
    lines = content.replace("\r\n", "\n").split("\n")  # not splitlines: a reason may hold U+2028
    if lines.pop():
        raise GoldenError(f"{folder / FILE} ends without a newline: it is not whole. Put it back from version control")
    return lines


def now() -> str:
    """Return the time in UTC; `SOURCE_DATE_EPOCH`, where set, stands in for the clock (reproducible-builds.org)."""
    epoch = float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="seconds")


@cache
def author(root: Path) -> str:
    """Return who git says is at work, else the name of the account."""
    name, mail = ask_git(root, "config", "user.name"), ask_git(root, "config", "user.email")
    if name:
        return f"{name} <{mail}>" if mail else name
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return "unknown"


@cache
def commit(root: Path) -> str | None:
    """Return the commit that is checked out, or None outside git."""
    return ask_git(root, "rev-parse", "HEAD") or None
