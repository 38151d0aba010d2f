"""Places outside of the goldens where large arrays lie, each file named by its digest: what they can do, and the plain folder.

Names are the same everywhere (`ab/<64 hexadecimal digits>.npy`); what else lies there is nobody's business here.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ..errors import GoldenError
from .files import PIECE, TEMPORARY, copy_whole

__all__ = ["FolderStore", "Found", "GoneError", "Store", "is_ours", "object_name"]

NAME: Final = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})\.npy")
"""Of an object, seen from the top of a store."""
LEFT_OVER: Final = re.compile(rf"[0-9a-f]{{2}}/\..*{re.escape(TEMPORARY)}")


class GoneError(GoldenError):
    """An object that is not in its store."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that lies in a store."""

    name: str
    size: int
    modified: float | None
    """Seconds since 1970; None where the store doesn't tell."""

    @property
    def digest(self) -> str:
        """The digest that an object is named by; "" for the rest of a write that broke off."""
        match = NAME.fullmatch(self.name)
        return match[2] if match else ""


class Store(Protocol):
    """A place for objects. Every method raises GoldenError where the place doesn't answer, without secrets in its text."""

    shown: str
    """What people may see of its address."""
    is_remote: bool
    """Whether objects are to be kept on this machine too."""

    def size(self, name: str) -> int | None:
        """Return the size of an object; None where there is none."""

    def age(self, name: str) -> float | None:
        """Return how many seconds ago it was written; None where that isn't known."""

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield what an object holds, at most 4 MiB at a time; raises GoneError where there is none."""

    def write(self, name: str, path: Path, tell: Callable[[int], None]) -> None:
        """Put a file there: nobody ever sees a part of it under its name. `tell` hears of bytes that went up."""

    def found(self) -> Iterator[Found]:
        """Yield every object, and the rest of every write that broke off."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""


def object_name(digest: str) -> str:
    """Return where the object of a digest lies, seen from the top of its store."""
    return f"{digest[:2]}/{digest}.npy"


def is_ours(name: str) -> bool:
    """Tell whether a file is an object, or the rest of a write that broke off, by its way from the top of its store."""
    return NAME.fullmatch(name) is not None or LEFT_OVER.fullmatch(name) is not None


class FolderStore:
    """A folder of this machine or its network."""

    is_remote = False

    def __init__(self, folder: Path) -> None:
        self.folder, self.shown = folder, str(folder)

    def path(self, name: str) -> Path:
        """Return where an object lies."""
        return self.folder / name

    def size(self, name: str) -> int | None:
        """See `Store`."""
        with self._answering("look at", name):
            try:
                return self.path(name).stat().st_size
            except FileNotFoundError:
                return None

    def age(self, name: str) -> float | None:
        """See `Store`."""
        with self._answering("look at", name):
            return time.time() - self.path(name).stat().st_mtime

    def pieces(self, name: str) -> Iterator[bytes]:
        """See `Store`."""
        with self._answering("read", name), self.path(name).open("rb", buffering=0) as file:
            while data := file.read(PIECE):
                yield data

    def write(self, name: str, path: Path, tell: Callable[[int], None]) -> None:
        """See `Store`."""
        with self._answering("write", name):
            self.path(name).parent.mkdir(parents=True, exist_ok=True)
            copy_whole(path, self.path(name))
        tell(path.stat().st_size)

    def found(self) -> Iterator[Found]:
        """See `Store`."""
        with self._answering("list", ""):
            for path in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*")):
                name = path.relative_to(self.folder).as_posix()
                if is_ours(name) and path.is_file() and not path.is_symlink():
                    facts = path.stat()
                    yield Found(name, facts.st_size, facts.st_mtime)

    def remove(self, name: str) -> None:
        """See `Store`."""
        with self._answering("remove", name):
            self.path(name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _answering(self, what: str, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise GoneError(f"{name} is not in {self.shown}") from None
        except OSError as error:
            raise GoldenError(
                f"can't {what} {name or 'the objects'} in {self.shown}: {error.strerror or error}"
            ) from None
