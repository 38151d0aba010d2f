"""Goldens as they were at a git revision, read from the objects of the repository: the work tree isn't touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import GoldenError
from ..provenance.git import read_git
from ..provenance.objects import Entry, Repository, is_lfs
from .layout import is_leaf
from .objects import Objects
from .record import FILE, Golden, loads, titled

__all__ = ["PastGolden", "extract", "goldens_at", "past_goldens"]


@dataclass(frozen=True, slots=True)
class PastGolden:
    """A golden of a commit, as far as its `golden.json` tells."""

    test: str
    """Node id as it was then, which tells a golden whose test file was renamed since; the folder, if it can't be read."""
    variant: Mapping[str, str]
    seal: str
    trouble: str = ""
    """Why it can't be read."""


def past_goldens(repository: Repository, commit: str, root: Path) -> Iterator[tuple[str, str]]:
    """Yield the title and the folder (from the top of the repository) of each golden of a commit below `root`.

    A golden that isn't whole is left out.
    """
    for folder, golden in goldens_at(repository, commit, root).items():
        if not golden.trouble:
            yield titled(golden.test, golden.variant), folder


def goldens_at(repository: Repository, commit: str, root: Path) -> dict[str, PastGolden]:
    """Return each golden of a commit below `root` by its folder, from the top of the repository."""
    found = [entry for entry in repository.entries(commit, repository.prefix.rstrip("/")) if _is_golden(entry)]
    goldens = {}
    for entry, data in zip(found, _contents(repository, found), strict=True):
        folder = PurePosixPath(entry.path).parent
        goldens[folder.as_posix()] = _past(data, repository.top, folder, root)
    return goldens


def _past(data: bytes, top: Path, folder: PurePosixPath, root: Path) -> PastGolden:
    try:
        golden = loads(data.decode("utf-8"), Path(folder) / FILE)
    except (GoldenError, UnicodeDecodeError) as error:
        return PastGolden(folder.as_posix(), {}, "", str(error))
    return PastGolden(golden.nodeid(top / folder, root), golden.variant, golden.seal)


def extract(repository: Repository, commit: str, folder: str, into: Path) -> Golden:
    """Write the files of a golden's folder at a commit into a folder of ours, and return the golden.

    Raises GoldenError for one that isn't whole, and for a pointer of Git LFS whose content isn't on this machine.
    """
    for entry in repository.entries(commit, folder):
        if PurePosixPath(entry.path).parent.as_posix() != folder or not entry.is_file:
            continue
        data = repository.content(entry)
        if data is None:
            raise GoldenError(
                f"{entry.path} at {commit[:10]} is not on this machine: if Git LFS keeps it, run\n"
                f"  git lfs fetch origin {commit}"
            )
        (into / PurePosixPath(entry.path).name).write_bytes(data)
    path = into / FILE
    return loads(path.read_bytes().decode("utf-8"), Path(folder) / FILE, Objects.near(repository.top / folder))


def _is_golden(entry: Entry) -> bool:
    path = PurePosixPath(entry.path)
    return path.name == FILE and is_leaf(path.parent.name) and entry.is_file


def _contents(repository: Repository, entries: list[Entry]) -> list[bytes]:
    """Return what files hold, asked of git in one go; those of Git LFS one by one."""
    if not entries:
        return []
    names = "".join(f"{entry.blob}\n" for entry in entries).encode("ascii")
    answer = read_git(repository.top, "cat-file", "--batch", given=names, seconds=60) or b""
    found: list[bytes] = []
    at = 0
    for entry in entries:
        end = answer.find(b"\n", at)
        facts = answer[at:end].split()
        if end < 0 or len(facts) != 3:  # a broken repository, or one that lacks this object
            found.append(b"")
            at = max(end + 1, at)
            continue
        size = int(facts[2])
        data = answer[end + 1 : end + 1 + size]
        found.append((repository.content(entry) or b"") if is_lfs(data) else data)
        at = end + 2 + size
    return found
