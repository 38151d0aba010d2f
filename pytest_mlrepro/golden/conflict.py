"""A golden in the middle of a merge: what each branch accepted, and how to choose, in one message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .._json import Json
from ..provenance.git import ask_git

__all__ = ["conflict_text", "has_markers"]

_OURS: Final = "<<<<<<< "
_BASE: Final = "|||||||"
_BETWEEN: Final = "======="
_THEIRS: Final = ">>>>>>> "
_HISTORY: Final = "history.jsonl"


def has_markers(text: str) -> bool:
    """Tell whether git wrote both sides of a conflict into a file."""
    return any(line.startswith((_OURS, _THEIRS)) for line in text.splitlines())


def conflict_text(folder: Path) -> str:
    """Return what to say of the golden in `folder`, which two branches changed: who accepted what and why, and how to choose."""
    return "\n".join(
        [
            f"two branches changed the golden in {folder}, and git merged neither:",
            *_sides(folder),
            "Choose one of them, for all files of this golden at once:",
            f"  first:   git add -- '{folder}'",
            f"  ours:    git restore --source=HEAD --staged --worktree -- '{folder}'",
            f"  theirs:  git restore --source={_other(folder)} --staged --worktree -- '{folder}'",
            "Then run the test: if the merged code gives a value of its own, accept that",
        ]
    )


def _other(folder: Path) -> str:
    """Return what git calls the commit that is merged, picked or rebased; taking files of it alone leaves nothing unmerged."""
    names = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD", "REVERT_HEAD")
    return next((name for name in names if ask_git(folder, "rev-parse", "--verify", "--quiet", name)), "MERGE_HEAD")


def _sides(folder: Path) -> Iterator[str]:
    """Yield the entries that the history has on either side, as far as it can be read."""
    try:
        lines = (folder / _HISTORY).read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        return
    side, branch = "", {_OURS: "", _THEIRS: ""}
    found: list[tuple[str, Json]] = []
    for line in lines:
        if line.startswith((_OURS, _THEIRS)):
            branch[line[:8]] = _plain(line[8:])
            side = _OURS if line.startswith(_OURS) else ""
        elif line.startswith(_BASE):
            side = ""
        elif line.startswith(_BETWEEN):
            side = _THEIRS
        elif side and (entry := _entry(line)) is not None:
            found.append((side, entry))
    for side, entry in found:
        word = "ours  " if side == _OURS else "theirs"
        who, why = _plain(str(entry.get("author"))), _plain(str(entry.get("reason")))
        change = f" ({_plain(str(entry['change']))})" if entry.get("change") else ""
        yield f"  {word} {branch[side]}: {entry.get('action')} by {who}, {_plain(str(entry.get('time')))}: {why}{change}"


def _entry(line: str) -> dict[str, Json] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in text)[:200]
