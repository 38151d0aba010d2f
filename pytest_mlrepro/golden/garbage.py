"""Objects of a store that nothing refers to: found by what every golden that is known says, whatever its state.

What refers to an object is looked for in the text of each `golden.json`, not in its fields: one that is damaged, or in the middle
of a merge, keeps what it names. And where it can't be known what others refer to, nothing is called garbage at all.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import GoldenError
from ..provenance.git import ask_git, read_git
from ..provenance.objects import is_lfs
from .objects import Objects
from .record import FILE
from .stores import FolderStore, Found, Store
from .suite import golden_folders

__all__ = ["Garbage", "Uses", "garbage", "kept_here", "uses"]

REFERENCE: Final = re.compile(rb"(?<![0-9a-f])([0-9a-f]{64})\.npy")
_SECONDS: Final = 600.0
_EVERY_BRANCH: Final = re.compile(r"^\+?refs/heads/\*:", re.M)
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Uses:
    """Which objects are referred to, and by what."""

    here: frozenset[str]
    """Digests that goldens and proposals of this checkout, and of its other work trees, name."""
    git: frozenset[str]
    """Digests that a `golden.json` of any commit names that a branch, tag, stash or reflog of this clone leads to."""
    commits: int
    """How many files of the past were read for that."""
    in_git: bool

    def __contains__(self, digest: str) -> bool:
        return digest in self.here or digest in self.git


@dataclass(frozen=True, slots=True)
class Garbage:
    """What a store holds."""

    unused: tuple[Found, ...]
    """Nothing refers to them, and they are older than the grace."""
    young: int
    """How many nothing refers to that are younger, or whose age the store doesn't tell."""
    used: int


def garbage(store: Store, used: Uses, grace: float) -> Garbage:
    """Return what nothing refers to in a store, and was written more than `grace` seconds ago.

    The rests of writes that broke off count with it.
    """
    unused, young, kept, now = [], 0, 0, time.time()
    for found in store.found():
        if found.digest in used:
            kept += 1
        elif found.modified is None or now - found.modified < grace:
            young += 1
        else:
            unused.append(found)
    return Garbage(tuple(unused), young, kept)


def kept_here(objects: Objects) -> Store:
    """Return this checkout's copies of what lies at an address, as a store."""
    return FolderStore(objects.cache)


def uses(root: Path) -> Uses:
    """Return which objects are referred to by anything that this clone knows.

    GoldenError where that can't be told: a clone without its whole history or without all branches, a git that doesn't
    answer, a golden that can't be read.
    """
    top = ask_git(root, "rev-parse", "--show-toplevel")
    here = {digest for place in [root, *_other_trees(root, top)] for digest in _named_below(place)}
    if top is None:
        if any((place / ".git").exists() for place in (root, *root.parents)):
            raise GoldenError(
                f"git doesn't answer in {root}, so what other branches refer to isn't known: nothing is removed"
            )
        return Uses(frozenset(here), frozenset(), 0, in_git=False)
    _require_whole(root)
    named, count = _named_in_git(root)
    return Uses(frozenset(here), frozenset(named), count, in_git=True)


def _named_below(root: Path) -> Iterator[str]:
    """Yield the digests that goldens and proposals below a folder name."""
    files = [folder / FILE for folder in golden_folders(root)]
    files += (root / ".mlrepro" / "pending").glob(f"*/{FILE}")
    for path in files:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue  # a recording that was interrupted, before anything referred to it
        except OSError as error:
            raise GoldenError(
                f"can't read {path}, so what it refers to isn't known: {error.strerror or error}"
            ) from None
        yield from _named(data, str(path))


def _named(data: bytes, place: str) -> Iterator[str]:
    if is_lfs(data):
        raise GoldenError(f"{place} is a Git LFS pointer, so what it refers to isn't known: run  git lfs pull  first")
    yield from (match[1].decode("ascii") for match in REFERENCE.finditer(data))


def _other_trees(root: Path, top: str | None) -> Iterator[Path]:
    """Yield the same folder in the other work trees of the repository."""
    if top is None:
        return
    prefix = ask_git(root, "rev-parse", "--show-prefix") or ""
    for line in (ask_git(root, "worktree", "list", "--porcelain") or "").splitlines():
        if line.startswith("worktree ") and line[9:] != top and (Path(line[9:]) / prefix).is_dir():
            yield Path(line[9:]) / prefix


def _require_whole(root: Path) -> None:
    """Raise GoldenError in a clone that doesn't know what others refer to, as CI services make them."""
    if ask_git(root, "rev-parse", "--is-shallow-repository") != "false":
        raise GoldenError(
            "this clone has no whole history, so what its other commits refer to isn't known: nothing is removed. Run\n"
            "  git fetch --unshallow"
        )
    for remote in (ask_git(root, "remote") or "").split():
        if not _EVERY_BRANCH.search(ask_git(root, "config", "--get-all", f"remote.{remote}.fetch") or ""):
            raise GoldenError(
                f"this clone fetches some branches of {remote} only, so what the others refer to isn't known: nothing is "
                f"removed. Run\n  git remote set-branches {remote} '*'\n  git fetch {remote}"
            )


def _named_in_git(root: Path) -> tuple[set[str], int]:
    """Return the digests that a golden of any commit names, and how many files were read for that.

    Whatever a ref, a reflog (stashes are in one) or an index leads to counts, of all work trees. A path given to git would make
    it leave out branches whose file is another's too; so all objects are listed. One that has two names is listed by one of
    them, and copies of goldens may be called `golden.json.orig`.
    """
    listed = read_git(root, "rev-list", "--objects", "--all", "--reflog", "--indexed-objects", seconds=_SECONDS)
    if listed is None:
        raise GoldenError(
            "git can't list the goldens of its commits, so what they refer to isn't known: nothing is removed"
        )
    lines = (line.partition(b" ") for line in listed.splitlines())
    blobs = sorted({blob for blob, _, path in lines if FILE.encode() in path.rpartition(b"/")[2]})
    named: set[str] = set()
    for start in range(0, len(blobs), _BATCH):
        named |= _named_by(root, blobs[start : start + _BATCH])
    return named, len(blobs)


def _named_by(root: Path, blobs: list[bytes]) -> set[str]:
    answer = read_git(root, "cat-file", "--batch", given=b"".join(blob + b"\n" for blob in blobs), seconds=_SECONDS)
    if answer is None or b" missing\n" in answer:
        raise GoldenError("git lacks a golden of its commits, so what it refers to isn't known: nothing is removed")
    if b"version https://git-lfs.github.com/spec/" in answer:
        raise GoldenError(
            f"git keeps {FILE} of some commits in Git LFS, so what they refer to isn't known: nothing is removed"
        )
    return {match[1].decode("ascii") for match in REFERENCE.finditer(answer)}
