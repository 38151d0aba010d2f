"""Places outside of the goldens where large arrays lie, each file named by its digest: a folder, or an address of fsspec.

Names are the same everywhere (`ab/<64 hexadecimal digits>.npy`); what else lies there is nobody's business here.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, Protocol
from uuid import uuid4

from .._lazy import require
from ..errors import GoldenError, MissingDependencyError, UsageError
from .addresses import scrubbed, shown
from .files import PIECE, TEMPORARY, copy_whole

__all__ = ["AddressStore", "FolderStore", "Found", "GoneError", "Store", "object_name"]

NAME: Final = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})\.npy")
"""Of an object, seen from the top of a store."""
LEFT_OVER: Final = re.compile(rf"[0-9a-f]{{2}}/\..*{re.escape(TEMPORARY)}")
FLAT: Final = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "adl", "oss"})
"""Protocols that have no folders: making one would make a bucket."""
PARTS: Final = 9000
"""A file goes up in parts of 8 MiB, or of more where S3's 10,000 would not do."""


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
                if (NAME.fullmatch(name) or LEFT_OVER.fullmatch(name)) and path.is_file() and not path.is_symlink():
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


class AddressStore:
    """Any address that fsspec knows: `s3://…`, `file://…`, `memory://…`."""

    is_remote = True

    def __init__(self, address: str) -> None:
        self._address, self.shown = address.rstrip("/") if "://" in address[:-3] else address, shown(address)
        self._opened: tuple[int, Any, str] | None = None

    def size(self, name: str) -> int | None:
        """See `Store`."""
        with self._answering("look at", name) as (system, top):
            try:
                return int(system.info(f"{top}/{name}")["size"])
            except FileNotFoundError:
                return None

    def age(self, name: str) -> float | None:
        """See `Store`."""
        with self._answering("look at", name) as (system, top):
            modified = _modified(system.info(f"{top}/{name}"))
            return None if modified is None else time.time() - modified

    def pieces(self, name: str) -> Iterator[bytes]:
        """See `Store`."""
        with (
            self._answering("read", name) as (system, top),
            system.open(f"{top}/{name}", "rb", block_size=PIECE, cache_type="none") as file,
        ):
            while data := file.read(PIECE):
                yield data

    def write(self, name: str, path: Path, tell: Callable[[int], None]) -> None:
        """See `Store`."""
        size = path.stat().st_size
        with self._answering("write", name) as (system, top), path.open("rb") as origin:
            whole, block = f"{top}/{name}", max(8 << 20, size // PARTS)
            if not FLAT.isdisjoint(_protocols(system)):  # shows a file once all parts are there, by itself
                _fill(system.open(whole, "wb", block_size=block, autocommit=False), origin, tell)
                return
            folder = whole.rpartition("/")[0]
            temporary = f"{folder}/.{uuid4().hex}{TEMPORARY}"
            system.makedirs(folder, exist_ok=True)
            try:
                _fill(system.open(temporary, "wb", block_size=block, autocommit=False), origin, tell)
                system.mv(temporary, whole)
            except BaseException:
                with contextlib.suppress(Exception):
                    system.rm_file(temporary)
                raise

    def found(self) -> Iterator[Found]:
        """See `Store`."""
        with self._answering("list", "") as (system, top):
            for path, facts in sorted(system.find(top, detail=True).items()):
                name = path.removeprefix(top).lstrip("/")
                if NAME.fullmatch(name) or LEFT_OVER.fullmatch(name):
                    yield Found(name, int(facts["size"]), _modified(facts))

    def remove(self, name: str) -> None:
        """See `Store`."""
        with self._answering("remove", name) as (system, top), contextlib.suppress(FileNotFoundError):
            system.rm_file(f"{top}/{name}")

    @contextlib.contextmanager
    def _answering(self, what: str, name: str) -> Iterator[tuple[Any, str]]:
        """Give the file system and the way to the store in it; say what it said where it fails.

        The error that the library raised is not shown with ours: its text, and the values in its frames, may hold secrets.
        """
        opened = self._open()
        try:
            yield opened
        except (GoldenError, UsageError):
            raise
        except FileNotFoundError as error:
            said = scrubbed(str(error))
            why = (
                "" if name and name in said else f" ({said})"
            )  # of a bucket that isn't there, say, and not of the file
            raise GoneError(f"{name or 'the store'} is not at {self.shown}{why}") from None
        except Exception as error:  # noqa: BLE001  # each file system has errors of its own
            said = f"{type(error).__name__}: {scrubbed(str(error))}"
            raise GoldenError(f"can't {what} {name or 'the objects'} at {self.shown}: {said}") from None

    def _open(self) -> tuple[Any, str]:
        if self._opened is None or self._opened[0] != os.getpid():  # a forked process needs connections of its own
            self._opened = (os.getpid(), *self._system())
        return self._opened[1:]

    def _system(self) -> tuple[Any, str]:
        core = require("fsspec", extra="remote").core
        try:
            system, top = core.url_to_fs(self._address, skip_instance_cache=True, use_listings_cache=False)
        except ImportError as error:  # of the library behind the protocol
            raise MissingDependencyError(
                f"mlrepro_store is {self.shown}, and what reads such addresses is not installed: {scrubbed(str(error))}. "
                "For S3, run  pip install 'pytest-mlrepro[remote]'"
            ) from None
        except OSError as error:  # such as that of a server which every request needs
            raise GoldenError(f"can't reach {self.shown}: {type(error).__name__}: {scrubbed(str(error))}") from None
        except Exception as error:  # noqa: BLE001  # an unknown protocol, an address without a bucket, a broken configuration
            raise UsageError(
                f"mlrepro_store is {self.shown}, and fsspec can't open that: {scrubbed(str(error))}"
            ) from None
        return system, str(top).rstrip("/")


def _fill(file: Any, origin: IO[bytes], tell: Callable[[int], None]) -> None:
    """Write a file, which counts only once all of it was: closing one would be enough for fsspec, also after an error."""
    try:
        while data := origin.read(PIECE):
            file.write(data)
            tell(len(data))
        file.close()
    except BaseException:
        with contextlib.suppress(Exception):
            file.discard()
        with contextlib.suppress(Exception):
            try:
                file.closed = True  # else fsspec sends the rest of it when it is collected as garbage
            except AttributeError:
                file.close()
        raise
    file.commit()


def _protocols(system: Any) -> set[str]:
    return {system.protocol} if isinstance(system.protocol, str) else {*system.protocol}


def _modified(facts: dict[str, Any]) -> float | None:
    """Return when a file was last written, under whichever name a file system has it."""
    for name in ("LastModified", "mtime", "last_modified", "updated", "modified", "created"):
        value = facts.get(name)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value)
    return None
