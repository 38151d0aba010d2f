"""Which goldens and proposals are meant: found below the root directory, and by parts of their node ids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import GoldenError, UsageError
from ..golden import pending, store
from ..golden.record import FILE, Golden
from ..golden.suite import golden_folders

__all__ = ["find_root", "golden_folders", "listed", "loaded", "matching", "one_proposal", "title"]

ROOT_MARKS = (".mlrepro", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", ".git")


def find_root(start: Path) -> Path:
    """Return the nearest folder from `start` upwards that looks like the root directory of tests, else `start`."""
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in ROOT_MARKS):
            return folder
    return start


def loaded(folder: Path) -> Golden:
    """Return the golden in a folder; raise GoldenError if there is none."""
    golden = store.load(folder)
    if golden is None:
        raise GoldenError(f"{folder} holds no {FILE}: a recording was interrupted, record the test again")
    return golden


def title(folder: Path, root: Path) -> str:
    """Return the node id of the test that a golden belongs to and its variant, or its place if it can't be read."""
    try:
        golden = loaded(folder)
    except GoldenError:
        return folder.relative_to(root).as_posix()
    return golden.title(folder, root)


def matching(proposals: list[pending.Proposal], test: str) -> list[pending.Proposal]:
    """Return the proposal of exactly this test, else all with the text in their ids."""
    exact = [proposal for proposal in proposals if proposal.title == test]
    return exact or [proposal for proposal in proposals if test in proposal.title]


def one_proposal(root: Path, test: str) -> pending.Proposal:
    """Return the one proposal that is meant; raise UsageError for none, and for several."""
    found = matching(pending.read_all(root), test)
    if len(found) > 1:
        raise UsageError(
            f"{test!r} is in the ids of {len(found)} proposals: name one of\n{listed(p.title for p in found)}"
        )
    if found:
        return found[0]
    names = [title(folder, root) for folder in golden_folders(root)]
    known = [name for name in names if name == test] or [name for name in names if test in name]
    if not known:
        raise UsageError(f"no golden or proposal is of a test with {test!r} in its id: see  mlrepro status")
    raise UsageError(
        f"no run of {known[0]} has left a proposal: either it passes, or it wasn't run. Run it first:\n"
        f"  pytest '{known[0]}'"
    )


def listed(names: Iterator[str]) -> str:
    """Return some names, a line each."""
    shown = sorted(names)
    more = [f"  … and {len(shown) - 8} more"] if len(shown) > 8 else []
    return "\n".join([*(f"  {name}" for name in shown[:8]), *more])
