"""Arrays that lie outside of their golden's folder: where each is found, fetched, checked, and put before anything refers to it.

An array whose file is named by its whole digest (`<64 hexadecimal digits>.npy`) may lie beside `golden.json`, in the store, or
in this checkout's copy of what is in the store. Whatever arrives from elsewhere is digested before it gets its name here.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Final
from uuid import uuid4

from .._json import Json
from ..errors import GoldenError
from ..seeding import SeedScope
from ..seeding.stack import innermost
from .address_store import AddressStore
from .addresses import is_address
from .configured import LIMIT, configured, read_size
from .files import TEMPORARY, PiecewiseDigest, copy_whole, file_digest, write_whole
from .object_words import altered, amount, gone, needed
from .stores import FolderStore, GoneError, Store, object_name

__all__ = ["Objects", "is_object", "object_file"]

DIGEST: Final = re.compile(r"[0-9a-f]{64}")
RENEWED: Final = 24 * 3600.0
"""Seconds after which an object that is there already is written again: `mlrepro gc` goes by when it was last written."""
Tell = Callable[[str], None]


def object_file(digest: str) -> str:
    """Return the name of the file of an array that may lie in a store."""
    return f"{digest}.npy"


def is_object(entry: Json) -> bool:
    """Tell whether an array (`{"file", "size", "blake3"}`) may lie in a store: then its name is its digest."""
    digest = entry["blake3"]
    return entry["file"] == f"{digest}.npy" and DIGEST.fullmatch(digest) is not None


class Objects:
    """The large arrays of one project.

    root: the root directory, below which copies of what lies at an address are kept. store: a folder (relative to the root
    directory) or an address of fsspec; "" for none. limit: bytes, above which a new array goes to the store.
    """

    def __init__(self, root: Path, store: str, limit: int = read_size(LIMIT), tell: Tell = lambda _: None) -> None:
        self.root, self._setting, self._limit, self.tell = root, store, limit, tell

    @cached_property
    def cache(self) -> Path:
        """Where copies of what lies at an address are kept."""
        return self.root / ".mlrepro" / "objects"

    @classmethod
    def near(cls, folder: Path, tell: Tell = lambda _: None) -> Objects:
        """Return those of the project that a folder lies in, as its configuration says."""
        root, store, limit = configured(folder)
        return cls(root, store, limit, tell)

    @cached_property
    def store(self) -> Store | None:
        """Where they lie; None where the project has no store."""
        if not self._setting:
            return None
        if is_address(self._setting):
            return AddressStore(self._setting)
        return FolderStore(Path(os.path.normpath(self.root / Path(self._setting).expanduser())))

    def takes(self, size: int) -> bool:
        """Tell whether a new array of this many bytes goes to the store."""
        return bool(self._setting) and size > self._limit

    def here(self, folder: Path, entry: Json) -> Path | None:
        """Return where an array lies on this machine; None where it would have to be fetched first."""
        beside = folder / str(entry["file"])
        if not is_object(entry) or beside.exists():
            return beside
        kept = self._kept(entry["blake3"])
        return kept if kept.exists() else None

    def path(self, folder: Path, entry: Json) -> Path:
        """Return where an array lies, fetched if need be; GoldenError where that can't be."""
        return self.here(folder, entry) or self.fetch(entry)

    def checked(self, folder: Path, entry: Json) -> Path:
        """Return where an array lies whose bytes are those recorded; a copy here that is damaged is fetched again."""
        path = self.here(folder, entry)
        if path is None:
            return self.fetch(entry)
        if is_object(entry) and path.parent != folder and not _is(path, entry):
            if isinstance(self.store, FolderStore):
                raise GoldenError(altered(entry, self.store))
            path.unlink(missing_ok=True)
            return self.fetch(entry)
        return path

    def fetch(self, entry: Json) -> Path:
        """Bring an object here and return where it lies; GoldenError says what is missing, where, and what to do."""
        with _aside():
            store, name = self._require(entry), object_name(entry["blake3"])
            try:
                if not store.is_remote:
                    raise GoneError(f"{name} is not in {store.shown}")
                whole = self._bring(store, name, entry)
            except GoneError as error:
                raise GoldenError(gone(entry, store, str(error))) from None
            except GoldenError as error:
                raise GoldenError(f"{error}\n{needed(entry)}") from None
            if not whole:
                raise GoldenError(altered(entry, store))
        return self._kept(entry["blake3"])

    def _bring(self, store: Store, name: str, entry: Json) -> bool:
        """Write what the store has beside its place here, and give it its name only if it is what was recorded; tell if it is."""
        kept, size = self._kept(entry["blake3"]), int(entry["size"])
        temporary = kept.with_name(f".{uuid4().hex}{TEMPORARY}")
        try:
            self._make_cache(kept.parent)
            with temporary.open("xb") as file:
                done = PiecewiseDigest()
                for data in store.pieces(name):
                    done.add(data)
                    if done.size > size:
                        break
                    file.write(data)
                    self.tell(f"fetching {amount(done.size)} of {amount(size)} from {store.shown}")
                file.flush()
                os.fsync(file.fileno())
            if done.size != size or done.hexdigest() != entry["blake3"]:
                return False
            _named(temporary, kept)
            return True
        except OSError as error:
            raise GoldenError(f"can't keep a copy of {name} in {self.cache}: {error.strerror or error}") from None
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def put(self, path: Path, entry: Json) -> None:
        """Put an array into the store, and keep a copy here; afterwards a golden may refer to it.

        Many may put the same object at once: each writes the same bytes under the same name, in one step. What lies there
        is read before it is relied on; other bytes under this name are replaced.
        """
        with _aside():
            store, name = self._require(entry), object_name(entry["blake3"])
            if not self._is_there(store, name, entry):
                sent = _Count(lambda n: self.tell(f"storing {amount(n)} of {amount(entry['size'])} at {store.shown}"))
                store.write(name, path, sent)
                if store.size(name) != entry["size"]:
                    raise GoldenError(f"{name} is not whole at {store.shown} after it was written")
            if store.is_remote and not self._kept(entry["blake3"]).exists():
                self._make_cache(self._kept(entry["blake3"]).parent)
                copy_whole(path, self._kept(entry["blake3"]))

    def _is_there(self, store: Store, name: str, entry: Json) -> bool:
        """Tell whether the store has these very bytes, lately written: an old object may be on the list of a `gc` elsewhere."""
        if store.size(name) != entry["size"]:
            return False
        age = store.age(name)
        return age is not None and age < RENEWED and _digest_of(store, name) == entry["blake3"]

    def _require(self, entry: Json) -> Store:
        if self.store is None:
            raise GoldenError(
                f"the golden needs the array {object_file(entry['blake3'])}, which lies in a store, and the configuration of "
                "pytest has no mlrepro_store: set it to where the arrays lie"
            )
        return self.store

    def _kept(self, digest: str) -> Path:
        """Return where an object lies on this machine, or would."""
        if isinstance(self.store, FolderStore):
            return self.store.path(object_name(digest))
        return self.cache / object_name(digest)

    def _make_cache(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = self.root / ".mlrepro" / ".gitignore"
        if not ignore.exists():
            write_whole(ignore, "# made by pytest-mlrepro: proposals and copies are for this checkout alone\n*\n")


class _Count:
    """Tells the sum of the numbers that it is told."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._sum, self._tell = 0, tell

    def __call__(self, number: int) -> None:
        self._sum += number
        self._tell(self._sum)


@contextlib.contextmanager
def _aside() -> Iterator[None]:
    """Leave a seeded test as it is: what talks to a store starts threads and draws numbers, and may not have to do either."""
    if innermost() is None:
        yield
    else:
        with SeedScope(0, entropy="allow", deterministic=False):
            yield


def _digest_of(store: Store, name: str) -> str:
    done = PiecewiseDigest()
    for data in store.pieces(name):
        done.add(data)
    return done.hexdigest()


def _is(path: Path, entry: Json) -> bool:
    try:
        return path.stat().st_size == int(entry["size"]) and file_digest(path) == str(entry["blake3"])
    except OSError:
        return False


def _named(temporary: Path, kept: Path) -> None:
    """Give a file its name; another process may have been first, and on Windows hold the file open."""
    try:
        temporary.replace(kept)
    except PermissionError:
        if not kept.exists():
            raise
