"""A store at any address that fsspec knows; every library behind it has its own errors, and its own ways to tell secrets."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final
from uuid import uuid4

from .._lazy import require
from ..errors import GoldenError, MissingDependencyError, UsageError
from .addresses import scrubbed, shown
from .files import PIECE, TEMPORARY
from .stores import Found, GoneError, is_ours

__all__ = ["AddressStore"]

FLAT: Final = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "adl", "oss"})
"""Protocols that have no folders: making one would make a bucket."""
PARTS: Final = 9000
"""A file goes up in parts of 8 MiB, or of more where S3's 10,000 would not do."""


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
                if is_ours(name):
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
