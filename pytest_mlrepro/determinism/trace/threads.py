"""The streams of all threads and forked processes of a traced run."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

from .stream import Stream, Table

__all__ = ["Streams"]

CHILD_BLOCK = 512
"""Words that a forked process keeps before it writes: it may be ended at any moment."""
_open: list[Streams] = []
"""The traces that are open: fork hooks take no arguments."""


class Streams:
    """One stream for each thread, in files beside each other; a forked process goes on in files of its own."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.table = Table(file.with_name(f"{file.name}.names"))
        self.first = Stream(file, self.table)
        self._of_thread: dict[int, Stream] = {threading.get_ident(): self.first}
        self._lock = threading.Lock()
        self._forks = self._threads = 0

    def open(self) -> None:
        """Be told of forks from now on."""
        _watch_forks()
        _open.append(self)

    def current(self) -> Stream:
        """Return the stream of the calling thread."""
        found = self._of_thread.get(threading.get_ident())
        return self._new() if found is None else found

    def _new(self) -> Stream:
        with self._lock:
            self._threads += 1
            stream = Stream(self.file.with_name(f"{self.file.name}.t{self._threads}"), self.table)
            self._of_thread[threading.get_ident()] = stream
            return stream

    def close(self) -> None:
        """Write everything out; a second time, do nothing."""
        if self in _open:
            _open.remove(self)
            for stream in self._of_thread.values():
                stream.close()
            self.table.close()

    def _before_fork(self) -> None:
        self._forks += 1
        self.table.flush()  # or the child would write what is buffered once more

    def _in_child(self) -> None:
        """Go on in new files: what was not yet written belongs to the parent, which writes it."""
        self.file = self.file.with_name(f"{self.file.name}.f{self._forks}")
        self.table.move(self.file.with_name(f"{self.file.name}.names"))
        self.first = self.current()  # of the thread that forked, the only one that goes on
        self.first.move(self.file, CHILD_BLOCK)
        self._of_thread = {threading.get_ident(): self.first}
        self._lock, self._forks, self._threads = threading.Lock(), 0, 0
        _at_end(self)


def _at_end(streams: Streams) -> None:
    """Have the child write what is left before it ends: multiprocessing leaves by a way on which nothing else is called."""
    from multiprocessing import util

    def register(_: Any = None) -> None:
        util.Finalize(None, streams.close, exitpriority=0)

    util.register_after_fork(streams, register)  # multiprocessing forgets its finalizers right after a fork
    register()


@lru_cache(maxsize=1)
def _watch_forks() -> None:
    """Register the hooks, once in a process: they can't be unregistered, and do nothing while no trace is open."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before, after_in_child=_child)


def _before() -> None:
    for streams in _open:
        streams._before_fork()


def _child() -> None:
    for streams in _open:
        streams._in_child()
