"""Where the old content of a file comes from: a commit, chosen so that it is what the golden was made from, if that can be told.

A golden is mostly recorded with its code not committed yet, and both are committed together. So the commit that the
provenance names may be the one before; digests tell which of them had the code and the data of then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from ..provenance.objects import Entry, Repository
from .dvc import cached

__all__ = ["Fits", "OldFile", "OldFiles"]

Fits: TypeAlias = Callable[[bytes | None], bool | None]
"""Tells whether some content is what was recorded; None if that can't be told."""
HISTORY: Final = 50


@dataclass(frozen=True, slots=True)
class OldFile:
    """What a file was."""

    data: bytes | None
    """None if there was no such file."""
    commit: str
    known: bool | None = None
    """Whether it is what the golden was made from, by its digest; None if that can't be told."""
    trouble: str = ""
    """Why it can't be had."""


@dataclass(frozen=True)
class OldFiles:
    """The files of some commits, the likeliest first."""

    repository: Repository
    commits: Sequence[str]
    _trees: dict[str, dict[str, Entry]] = field(default_factory=dict)

    def find(self, path: str, fits: Fits) -> OldFile:
        """Return a file (by its path from the top) as the golden had it, as well as that can be told.

        The history of the file is searched if none of the commits has what was recorded.
        """
        first: OldFile | None = None
        later = (commit for commit in self.repository.log(path, HISTORY) if commit not in self.commits)
        for commits in (self.commits, later):
            for commit in commits:
                found = self.at(commit, path)
                known = None if found.trouble else fits(found.data)
                if known:
                    return OldFile(found.data, commit, True)
                first = first or OldFile(found.data, commit, known, found.trouble)
            if first is not None and first.known is None and not first.trouble:
                return first  # no commit can be told from another
        assert first is not None  # there is a commit, or nobody would have come here
        return first

    def at(self, commit: str, path: str) -> OldFile:
        """Return a file of one commit."""
        if commit not in self._trees:
            self._trees[commit] = {entry.path: entry for entry in self.repository.entries(commit)}
        entry = self._trees[commit].get(path)
        if entry is None:
            return self._of_dvc(commit, path)
        if not entry.is_file:
            return OldFile(None, commit, trouble="git holds a link or a submodule there")
        data = self.repository.content(entry)
        lacking = f"git has only its LFS pointer: git lfs fetch origin {commit[:10]}"
        return OldFile(data, commit, trouble="" if data is not None else lacking)

    def below(self, commit: str, folder: str) -> list[str]:
        """Return the paths of the files of a commit in a folder."""
        self.at(commit, folder)
        return [path for path in self._trees[commit] if path.startswith(f"{folder}/")]

    def _of_dvc(self, commit: str, path: str) -> OldFile:
        """Return a file that DVC keeps, if its cache has it; without a pointer there was no such file."""
        entry = self._trees[commit].get(f"{path}.dvc")
        pointer = self.repository.content(entry) if entry is not None else None
        if pointer is None:
            return OldFile(None, commit)
        data = cached(pointer, self.repository.top)
        lacking = f"git has only its DVC pointer: dvc get --rev {commit[:10]} . {path}"
        return OldFile(data, commit, trouble="" if data is not None else lacking)
