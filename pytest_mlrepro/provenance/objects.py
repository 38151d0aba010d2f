"""What a git repository holds at a commit, read from its objects: the work tree, the index and the branches stay as they are."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from .git import ask_git, read_git

__all__ = ["Entry", "Repository", "is_lfs", "repository"]

_LFS: Final = re.compile(rb"version https://git-lfs.github.com/spec/.*?^oid sha256:([0-9a-f]{64})$", re.DOTALL | re.M)
_SECONDS: Final = 600.0
"""A partial clone fetches what it lacks."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a commit."""

    mode: str
    path: str
    """From the top of the repository, with slashes."""
    blob: str

    @property
    def is_file(self) -> bool:
        """Tell whether it is a plain file: not a link, and not the commit of a submodule."""
        return self.mode.startswith("100")


@dataclass(frozen=True)
class Repository:
    """The repository that a folder lies in."""

    top: Path
    """The top of the work tree."""
    prefix: str
    """The way from there to the folder: "", or ending in a slash."""

    def commit(self, revision: str) -> str | None:
        """Return the full name of the commit that a revision means; None if there is none."""
        if not revision or revision.startswith("-"):
            return None
        return ask_git(self.top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") or None

    def merge_base(self, one: str, two: str) -> str | None:
        """Return the commit from which two commits parted; None if they have none in common."""
        return ask_git(self.top, "merge-base", one, two) or None

    def entries(self, commit: str, path: str = "") -> list[Entry]:
        """Return the files of a commit at and below a path; [] if there are none."""
        where = ["--", path] if path else []
        listed = read_git(self.top, "ls-tree", "-r", "-z", "--full-tree", commit, *where, seconds=_SECONDS)
        found = []
        for line in (listed or b"").split(b"\0"):
            facts, _, name = line.partition(b"\t")
            if name:
                mode, _, blob = facts.decode("ascii").split(" ")
                found.append(Entry(mode, name.decode("utf-8", "surrogateescape"), blob))
        return found

    def entry(self, commit: str, path: str) -> Entry | None:
        """Return one file of a commit; None if it isn't there."""
        return next((entry for entry in self.entries(commit, path) if entry.path == path), None)

    def content(self, entry: Entry) -> bytes | None:
        """Return what a file holds; of a Git LFS pointer what it points to, None if that isn't on this machine."""
        data = read_git(self.top, "cat-file", "blob", entry.blob, seconds=_SECONDS)
        if data is None or not is_lfs(data):
            return data
        return self._large(data)

    def log(self, path: str, limit: int) -> list[str]:
        """Return the commits that changed a file, the latest first, as far as the one that is checked out leads to."""
        found = ask_git(self.top, "log", f"--max-count={limit}", "--format=%H", "HEAD", "--", f":(top,literal){path}")
        return found.split() if found else []

    def _large(self, pointer: bytes) -> bytes | None:
        match = _LFS.match(pointer)
        if match is None or self._common is None:
            return None
        name = match[1].decode("ascii")
        try:
            data = (self._common / "lfs" / "objects" / name[:2] / name[2:4] / name).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == name else None

    @cached_property
    def _common(self) -> Path | None:
        """The folder of the repository itself, which linked worktrees share."""
        found = ask_git(self.top, "rev-parse", "--git-common-dir")
        return self.top / found if found else None


def repository(folder: Path) -> Repository | None:
    """Return the repository whose work tree a folder lies in; None outside of one, or if git doesn't answer."""
    found = ask_git(folder, "rev-parse", "--show-toplevel")
    prefix = ask_git(folder, "rev-parse", "--show-prefix")
    return Repository(Path(found), prefix) if found and prefix is not None else None


def is_lfs(data: bytes) -> bool:
    """Tell whether a file is a pointer of Git LFS."""
    return _LFS.match(data) is not None
