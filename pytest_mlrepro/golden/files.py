"""Files that are whole at every moment: written beside their place, forced to disk, and put there in one step."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from blake3 import blake3

from ..errors import GoldenError

__all__ = [
    "PiecewiseDigest",
    "content_digest",
    "copy_whole",
    "file_digest",
    "read_start",
    "read_whole",
    "sweep",
    "sync_folder",
    "write_whole",
]

PIECE = 4 << 20
READ_PIECE = 64 << 10
READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)

TEMPORARY = ".tmp"
PROVENANCE = re.compile(r"provenance-[0-9a-f]{8}\.json")
"""Names of what checks were made from, by content: checks that were recorded together share one."""
STEPS = re.compile(r"steps-[0-9a-f]{8}\.json")
"""Names of what the steps of a pipeline were made of, by content."""
OURS = re.compile(
    rf"[a-z0-9_-]{{1,40}}-[0-9a-f]{{8}}\.npy|[0-9a-f]{{64}}\.npy|{PROVENANCE.pattern}|{STEPS.pattern}|\..{{1,40}}-\d+-\d+\.tmp"
)
"""Names of arrays (`layout.array_file`, `objects.object_file`), of provenances and of files on their way."""
_serial = itertools.count()


def write_whole(path: Path, text: str) -> None:
    """Put `text` (UTF-8, LF) at `path`: a reader sees the old file or the new one, also after a crash."""
    data = text.encode("utf-8")
    _whole(path, lambda file: file.write(data))


def copy_whole(source: Path, path: Path) -> None:
    """Copy a file to `path` in one step; the target is the old file or the new one at every moment."""
    with source.open("rb") as origin:
        _whole(path, lambda file: shutil.copyfileobj(origin, file, 1 << 20))


def _whole(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    temporary = path.with_name(f".{path.name[:40]}-{os.getpid()}-{next(_serial)}{TEMPORARY}")
    try:
        with temporary.open("xb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise GoldenError(f"can't write {path}: {error.strerror or error}. The golden is as it was") from error


def read_start(path: Path, size: int) -> bytes:
    """Return the first `size` bytes of a file, or all that it has.

    Done for each check, hence without a file object, which takes three times as long.
    """
    descriptor = os.open(path, READ)
    try:
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)


def read_whole(path: Path) -> bytes:
    """Return what a file holds."""
    data = read_start(path, READ_PIECE)
    return data if len(data) < READ_PIECE else path.read_bytes()


def content_digest(data: bytes) -> str:
    """Return the `file_digest` of a file that holds these bytes, at most 4 MiB of them."""
    return blake3(blake3(data).digest()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the BLAKE3 (hexadecimal) over the BLAKE3 digests of the file's 4 MiB pieces, made by two threads."""
    size = path.stat().st_size
    if size <= PIECE:
        return content_digest(path.read_bytes())
    with ThreadPoolExecutor(2) as pool:
        return blake3(b"".join(pool.map(lambda start: _piece_digest(path, start), range(0, size, PIECE)))).hexdigest()


class PiecewiseDigest:
    """The `file_digest` of bytes that come in pieces of any length."""

    def __init__(self) -> None:
        self.size = 0
        self._rest = bytearray()
        self._pieces: list[bytes] = []

    def add(self, data: bytes) -> None:
        """Take in what follows."""
        self.size += len(data)
        self._rest += data
        while len(self._rest) >= PIECE:
            self._pieces.append(blake3(self._rest[:PIECE]).digest())
            del self._rest[:PIECE]

    def hexdigest(self) -> str:
        """Return the digest of all that was taken in."""
        rest = [blake3(self._rest).digest()] if self._rest or not self._pieces else []
        return blake3(b"".join([*self._pieces, *rest])).hexdigest()


def _piece_digest(path: Path, start: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        return blake3(file.read(PIECE)).digest()


def sync_folder(folder: Path) -> None:
    """Force the folder's entries to disk, where the system can (Windows can't)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path, keep: set[str]) -> None:
    """Remove array files that nothing refers to and what a killed writer left behind; a file not named by us stays.

    Called only while a whole golden stands; another process that records the same test at this moment is not supported.
    """
    for path in folder.iterdir():
        if OURS.fullmatch(path.name) and path.name not in keep:
            path.unlink(missing_ok=True)
