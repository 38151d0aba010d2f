"""What is in a store of goldens, in digests: what a checkpoint notes, a signature covers and an export carries."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..errors import GoldenError, UsageError
from ..golden import history, store
from ..golden.record import FILE, Golden
from ..golden.suite import golden_folders
from .names import clean

__all__ = ["File", "Holding", "holding", "holdings", "read_file", "require_whole"]

TEXTS = (".json", ".jsonl")


@dataclass(frozen=True, slots=True)
class File:
    """A file of a golden; text counts with LF line ends, as it lies in version control."""

    path: str
    """Seen from the root directory, with slashes."""
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Holding:
    """One golden: where it lies, which state it is in, and the digests of its history, oldest first."""

    folder: str
    """Seen from the root directory, with slashes."""
    test: str
    golden: Golden
    entries: tuple[history.Entry, ...]
    files: tuple[File, ...]

    @property
    def count(self) -> int:
        """Return how many entries its history has."""
        return len(self.entries)

    @property
    def digests(self) -> tuple[str, ...]:
        """Return the digests of its entries."""
        return tuple(str(entry["digest"]) for entry in self.entries)


def holdings(root: Path) -> list[Holding]:
    """Return all goldens below `root`, by folder; raise GoldenError for one that can't be read."""
    return sorted((holding(folder, root) for folder in golden_folders(root)), key=lambda held: held.folder)


def holding(folder: Path, root: Path) -> Holding:
    """Return the golden in a folder.

    An array that doesn't lie in the folder is left to `golden.json`, which has its digest.
    """
    golden = store.load(folder)
    if golden is None:
        raise GoldenError(f"{folder} holds no {FILE}: a recording was interrupted, record the test again")
    names = sorted({FILE, history.FILE, *(entry["file"] for entry in golden.files())})
    files = tuple(_file(folder / name, root) for name in names if (folder / name).exists())
    place = folder.relative_to(root).as_posix()
    if clean(place) != place:
        raise GoldenError(f"{place!r} is a path that is no Unicode: its golden can't be noted, signed or exported")
    return Holding(place, clean(golden.nodeid(folder, root)), golden, tuple(history.read(folder)), files)


def require_whole(root: Path, *, nothing: str) -> list[Holding]:
    """Return all goldens if each is as it was written; GoldenError else, UsageError where there is none.

    nothing: what wasn't done then, for the message.
    """
    folders = list(golden_folders(root))
    if not folders:
        raise UsageError(f"no golden under {root}: {nothing}. To record goldens:  pytest --golden=record")
    problems = [problem for folder in folders for problem in store.problems(folder)]
    if problems:
        more = f"\n… and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise GoldenError(f"{nothing}, as the store is not whole (see  mlrepro verify):\n{problems[0]}{more}")
    return holdings(root)


def read_file(path: Path) -> bytes:
    """Return what a file holds, text with LF line ends."""
    data = path.read_bytes()
    return data.replace(b"\r\n", b"\n") if path.suffix in TEXTS else data


def _file(path: Path, root: Path) -> File:
    name = path.relative_to(root).as_posix()
    try:
        if path.suffix in TEXTS:
            data = read_file(path)
            return File(name, len(data), hashlib.sha256(data).hexdigest())
        with path.open("rb") as file:
            return File(name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise GoldenError(f"can't read {path}: {error.strerror or error}") from error
