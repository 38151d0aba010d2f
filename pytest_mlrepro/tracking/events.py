"""The audit hook: opens are noted in the logs that are on, and cost next to nothing while none is.

A hook can't be removed from a process, so there is one for all trackers, and it is switched by the tuple of logs.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, NamedTuple

__all__ = ["Log", "Seen", "is_on", "listen", "note_path", "switch_off", "switch_on"]

_on: tuple[Log, ...] = ()
"""The logs of the stretches that are being tracked, outermost first; replaced as a whole, so that threads see one or the
other."""

_WRITES: Final = os.O_WRONLY | os.O_RDWR
_GOLDENS: Final = f"{os.sep}__golden__{os.sep}"
"""Read by every check, and no data: left out here already, since it is for every test."""
_NO_FILE: Final = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", 0)


class Seen(NamedTuple):
    """When a path was first opened for reading and for writing, on a clock that children share; None for never."""

    read: int | None
    written: int | None


class Log:
    """Paths as they were opened, each with the folder that it was relative to; also by forked children."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str | bytes, str], Seen] = {}
        self._spool: int | None = None
        self._is_child = False

    def add(self, path: str | bytes, folder: str, *, read: bool, written: bool) -> None:
        """Note one open; what a forked child notes goes to the parent as well."""
        key = (path, folder)
        before = self.seen.get(key)
        if before is not None and (before.read is not None or not read) and (before.written is not None or not written):
            return
        number = _now()
        first_read, first_written = before or (None, None)
        self.seen[key] = Seen(
            number if read and first_read is None else first_read,
            number if written and first_written is None else first_written,
        )
        if self._is_child and self._spool is not None:
            marks = f"{number} {read:d}{written:d}".encode("ascii")
            os.write(self._spool, b"%s\0%s\0%s\0" % (marks, os.fsencode(path), os.fsencode(folder)))

    def prepare_fork(self) -> None:
        """Open what children write to: memory that both hold, so that nothing lies on disk."""
        if self._spool is None and hasattr(os, "memfd_create"):
            self._spool = os.memfd_create("mlrepro")

    def become_child(self) -> None:
        """Report to the parent from now on."""
        self._is_child = True

    def gather(self) -> dict[tuple[str | bytes, str], Seen]:
        """Return what was seen here and, so far, in children that were forked."""
        found = dict(self.seen)
        if self._spool is None or self._is_child:
            return found
        fields = os.pread(self._spool, os.fstat(self._spool).st_size, 0).split(b"\0")
        for marks, path, folder in zip(fields[:-1:3], fields[1::3], fields[2::3], strict=True):
            number, _, modes = marks.decode("ascii").partition(" ")
            key: tuple[str | bytes, str] = (path, os.fsdecode(folder))
            old = found.get(key, Seen(None, None))
            found[key] = Seen(
                _first(old.read, int(number) if modes[0] == "1" else None),
                _first(old.written, int(number) if modes[1] == "1" else None),
            )
        return found

    def close(self) -> None:
        """Let go of the memory shared with children."""
        if self._spool is not None:
            os.close(self._spool)
            self._spool = None


def _now() -> int:
    """The order of opens: of a clock that no test freezes."""
    if hasattr(time, "CLOCK_MONOTONIC"):
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    return time.monotonic_ns()


def _first(one: int | None, other: int | None) -> int | None:
    return min(one, other) if one is not None and other is not None else one if other is None else other


def switch_on(log: Log) -> None:
    """Note opens in this log from now on, beside those that are on."""
    global _on
    listen()
    _on = (*_on, log)


def switch_off(log: Log) -> None:
    """Note nothing more in this log, nor in those that were switched on after it."""
    global _on
    if log in _on:
        _on = _on[: _on.index(log)]


def is_on() -> bool:
    """Tell whether any log is on."""
    return bool(_on)


@lru_cache(maxsize=1)
def listen() -> None:
    """Install the hooks, once in a process."""
    sys.addaudithook(_hook)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _on:
        return
    note = _NOTED.get(event)
    if note is not None:
        with suppress(Exception):  # whatever goes wrong here must not keep the program from its file
            note(*arguments)


def _open(path: object, mode: object, flags: int, *_: object) -> None:
    if flags & _NO_FILE:
        return
    if isinstance(path, int):
        path = os.readlink(f"/proc/self/fd/{path}")  # noqa: PTH115  # raises where there is no /proc
        if not path.startswith("/"):
            return
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if isinstance(path, str) and not path.endswith((".py", ".pyc")) and _GOLDENS not in path:
        updated = flags & os.O_RDWR and not flags & os.O_TRUNC
        _note(path, read=not flags & _WRITES or (updated and _exists(path)), written=bool(flags & _WRITES))


def _exists(path: str) -> bool:
    """Of an old file that is opened for both something may be read, of a new one nothing."""
    return os.path.exists(path)  # noqa: PTH110  # runs when files are opened


def _arrive(_: object, target: object, *_more: object) -> None:
    """A file is renamed or linked: from now on something else lies at the target."""
    note_path(target, read=False, written=True)


def _connect(database: object, *_: object) -> None:
    """SQLite opens by itself; a database that is not there yet is made by this program."""
    path = os.fsdecode(database) if isinstance(database, (str, bytes, os.PathLike)) else ""
    path = path.removeprefix("file:").partition("?")[0]
    if path and path != ":memory:":
        old = _exists(path)
        _note(path, read=old, written=not old)


_NOTED: Final[dict[str, Callable[..., None]]] = {
    "open": _open,
    "os.rename": _arrive,
    "os.link": _arrive,
    "os.symlink": _arrive,
    "sqlite3.connect": _connect,
}


def note_path(path: object, *, read: bool, written: bool) -> None:
    """Note a path that something other than Python opens; nothing for what is no path. Both means: to update it."""
    if isinstance(path, (str, bytes, os.PathLike)) and _on:
        name = os.fsdecode(path)
        _note(name, read=read and (not written or _exists(name)), written=written)


def _note(path: str, *, read: bool | int, written: bool) -> None:
    folder = "" if os.path.isabs(path) else os.getcwd()  # noqa: PTH117, PTH109  # runs at every open
    for log in _on:
        log.add(path, folder, read=bool(read), written=written)


def _before_fork() -> None:
    for log in _on:
        log.prepare_fork()


def _after_fork() -> None:
    for log in _on:
        log.become_child()
