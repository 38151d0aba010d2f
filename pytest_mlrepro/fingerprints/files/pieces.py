"""The bytes of files as digests, read in ranges that can be spread over cores, and never of a file that changes."""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from io import FileIO
from typing import Final, NamedTuple

from blake3 import blake3

from ...errors import FingerprintError
from ..digest import PREFIX, Fingerprint
from .spread import spread

__all__ = [
    "Job",
    "Stamp",
    "combine",
    "entry_name",
    "failure",
    "jobs_over",
    "open_unchanged",
    "ranges",
    "run_jobs",
    "shown",
    "stamp_of",
]

CHUNK: Final = 4 * 2**20
_READ: Final = 2**18
"""Bytes read at once: they stay in the processor's cache until they are hashed."""
_BATCH_JOBS: Final = 32
_BATCH_BYTES: Final = CHUNK
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Without waiting: a path may have become a pipe since it was looked at."""
_pack_size: Final = struct.Struct("<Q").pack


class Stamp(NamedTuple):
    """What a file's `stat` says that changes when its content does."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Job(NamedTuple):
    """One digest: over `head` and the bytes `start:stop` of a file whose stamp is known."""

    path: str
    stamp: Stamp
    head: bytes
    start: int
    stop: int


def stamp_of(found: os.stat_result) -> Stamp:
    """Keep of a `stat` what tells files and their versions apart."""
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def jobs_over(path: str, stamp: Stamp, head: bytes, start: int, stop: int) -> list[Job]:
    """Return the jobs whose digests `combine` turns into the digest of `head` and the pieces of a range."""
    size = stop - start
    if size <= CHUNK:
        whole = head + (_pack_size(1) + _pack_size(size) if size else _pack_size(0))
        return [Job(path, stamp, whole, start, stop)]
    return [Job(path, stamp, b"", at, min(at + CHUNK, stop)) for at in range(start, stop, CHUNK)]


def combine(head: bytes, digests: Sequence[bytes]) -> bytes:
    """Return the digest of a range from those of its jobs."""
    if len(digests) == 1:
        return digests[0]
    return blake3(head + _pack_size(len(digests)) + b"".join(digests)).digest()


def ranges(digests: Sequence[bytes], size: int) -> tuple[tuple[str, Fingerprint], ...]:
    """Name the pieces of a range by their bytes; () if there is only one."""
    if len(digests) == 1:
        return ()
    return tuple(
        (f"[{at * CHUNK}:{min((at + 1) * CHUNK, size)}]", Fingerprint(PREFIX + raw.hex(), "chunk"))
        for at, raw in enumerate(digests)
    )


def run_jobs(jobs: Sequence[Job], executor: Executor | None) -> list[bytes]:
    """Return the digest of each job, on all cores."""
    return [raw for batch in spread(_digests, list(_batches(jobs)), executor) for raw in batch]


def _batches(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    """Small files go together, since handing one over takes as long as hashing it."""
    first, size = 0, 0
    for at, job in enumerate(jobs):
        if at > first and (size + job.stop - job.start > _BATCH_BYTES or at - first >= _BATCH_JOBS):
            yield jobs[first:at]
            first, size = at, 0
        size += job.stop - job.start
    if jobs:
        yield jobs[first:]


def _digests(jobs: Sequence[Job]) -> list[bytes]:
    return [_digest(job) for job in jobs]


def _digest(job: Job) -> bytes:
    descriptor = open_unchanged(job.path, job.stamp)
    try:
        size = job.stop - job.start
        if job.start:
            os.lseek(descriptor, job.start, os.SEEK_SET)
        if size < _READ:  # one byte more than there should be shows a file that grew, or whose size is no size (/proc)
            data = os.read(descriptor, size + (job.stop == job.stamp.size))
            raw, read = blake3(job.head + data).digest(), len(data)
        else:
            raw, read = _streamed(descriptor, job)
        if read != size:
            raise _changed(job.path)
        _require(job.path, job.stamp, os.fstat(descriptor))
    except OSError as error:
        raise failure(job.path, error) from error
    finally:
        os.close(descriptor)
    return raw


def _streamed(descriptor: int, job: Job) -> tuple[bytes, int]:
    hasher, left = blake3(job.head), job.stop - job.start
    buffer = memoryview(bytearray(_READ))
    with FileIO(descriptor, closefd=False) as file:
        while left and (got := file.readinto(buffer[:left])):
            hasher.update(buffer[:got])
            left -= got
    return hasher.digest(), job.stop - job.start - left


def open_unchanged(path: str, stamp: Stamp) -> int:
    """Open a file for reading and return its descriptor, if it is still the one that the stamp was taken of."""
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError as error:
        raise FingerprintError(f"{shown(path)} vanished while it was read: {_QUIET}") from error
    except OSError as error:
        raise failure(path, error) from error
    try:
        _require(path, stamp, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require(path: str, stamp: Stamp, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode) or stamp_of(found)[1:] != stamp[1:]:
        raise _changed(path)


def _changed(path: str) -> FingerprintError:
    return FingerprintError(f"{shown(path)} changed while it was read, so no fingerprint holds for it: {_QUIET}")


_QUIET: Final = "let whatever writes it finish first, or leave it out"


def failure(path: str, error: OSError) -> FingerprintError:
    """Word what the operating system says of a path."""
    name = shown(path)
    if isinstance(error, FileNotFoundError):
        if os.path.islink(path):  # noqa: PTH114  # also for names that are not UTF-8
            target = shown(os.readlink(path))  # noqa: PTH115
            return FingerprintError(
                f"{name} is a dangling link: {target} doesn't exist. Restore its target or remove the link"
            )
        return FingerprintError(f"{name} doesn't exist: create it, or correct the path")
    if isinstance(error, PermissionError):
        return FingerprintError(
            f"{name} may not be read ({error.strerror}): give this user the permission, or leave it out"
        )
    if error.errno == errno.ELOOP:
        return FingerprintError(f"{name} is a link that leads to itself: remove it")
    return FingerprintError(f"{name} can't be read: {error.strerror or error}")


def shown(path: str) -> str:
    """Return a path that can be printed and stored: bytes that are no UTF-8 as `\\xff`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def entry_name(name: str) -> str:
    """Return a file's name as the name of a part, in quotes where it would read as the way on inside of a value."""
    plain = shown(name)
    return f"'{plain}'" if plain.startswith(("[", ".")) else plain
