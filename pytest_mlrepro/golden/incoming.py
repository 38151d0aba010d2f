"""Proposals from another machine, such as the artifact of a CI job: looked through and copied before any of it is believed.

The folder may hold anything. Only plain files with names that proposals have are taken, links are refused, and what is
accepted later comes from our copy, so that nothing can be exchanged in between.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from ..errors import GoldenError, UsageError
from ..records import TestId
from .configured import golden_dir_of
from .files import OURS
from .layout import golden_folder, is_leaf
from .pending import FACTS, Proposal, read_folder
from .record import FILE
from .timings import TIMINGS

__all__ = ["read_incoming"]

PLACES = (".mlrepro/pending", "pending", "")
"""Where proposals lie in what was downloaded: the root directory, `.mlrepro`, or the proposals themselves were packed."""
LARGEST = 64 * 2**20
"""Bytes of a JSON file beyond which it is none of ours."""


def read_incoming(folder: Path, scratch: Path, root: Path) -> list[Proposal]:
    """Return the proposals below a folder, by test, copied into `scratch`; each is for where its test's golden lies here.

    Raises UsageError where there is none, and GoldenError for what is no proposal: links, other files, hostile names.
    """
    if not folder.is_dir():
        raise UsageError(f"--from must be a folder that holds proposals of another machine, and {folder} is none")
    for place in PLACES:
        found = sorted(_proposals(folder / place))
        if found:
            for path in found:
                _copy(path, scratch / path.name)
            proposals = read_folder(scratch)
            for proposal in proposals:
                _require_place(proposal, root)
            return proposals
    raise UsageError(
        f"no proposal lies in {folder}: looked there, in pending/ and in .mlrepro/pending/ below it. "
        "Packers of artifacts leave hidden folders out unless told otherwise (GitHub: include-hidden-files: true)"
    )


def _require_place(proposal: Proposal, root: Path) -> None:
    """Raise GoldenError for a proposal that would be written anywhere else than where the test's golden lies in this project."""
    golden_dir = golden_dir_of(root)
    file, _, name = proposal.test.partition("::")
    try:
        test = TestId(Path(os.path.normpath(root / file)), name)
        place = golden_folder(test, root=root, golden_dir=golden_dir, variant=proposal.variant).relative_to(root)
    except (UsageError, ValueError):
        place = None
    if place is None or place.as_posix() != proposal.golden:
        raise GoldenError(
            f"the proposal of {proposal.title} is for {proposal.golden!r}, and here its golden lies in "
            f"{str(place) if place else 'no folder'!r} (mlrepro_golden_dir is {golden_dir!r}). Nothing was accepted"
        )


def _proposals(place: Path) -> Iterator[Path]:
    """Yield the folders that may be proposals; links are yielded too, to be refused by name."""
    if not place.is_dir() or place.is_symlink():
        return
    with os.scandir(place) as entries:
        for entry in entries:
            path = Path(entry.path)
            if entry.is_symlink():
                if is_leaf(entry.name):
                    yield path
            elif entry.is_dir() and os.path.lexists(path / FACTS):
                yield path


def _copy(source: Path, target: Path) -> None:
    if source.is_symlink() or not is_leaf(source.name):
        raise GoldenError(
            f"{source} is no proposal: it is a link, or no proposal has such a name. Nothing was accepted"
        )
    target.mkdir(parents=True)
    with os.scandir(source) as entries:
        for entry in entries:
            known = entry.name in (FACTS, FILE, TIMINGS) or (
                OURS.fullmatch(entry.name) and not entry.name.startswith(".")
            )
            if not known or not entry.is_file(follow_symlinks=False):
                what = "a link" if entry.is_symlink() else "no file of a proposal"
                raise GoldenError(f"{entry.path!r} is {what}. Nothing was accepted")
            _copy_file(Path(entry.path), target / entry.name)


def _copy_file(source: Path, target: Path) -> None:
    """Copy a plain file; a link that was put in its place since is refused by the system, where it can."""
    try:
        descriptor = os.open(source, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise GoldenError(f"can't read {source}: {error.strerror or error}. Nothing was accepted") from None
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or (source.suffix == ".json" and facts.st_size > LARGEST):
            raise GoldenError(f"{source} is no file of a proposal. Nothing was accepted")
        with target.open("xb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
