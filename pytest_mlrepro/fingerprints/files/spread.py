"""Work over all cores: on an executor that the caller gives, or on threads that no seeding scope knows of."""

from __future__ import annotations

import _thread
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from itertools import count
from typing import Final, TypeVar

__all__ = ["cores", "spread"]

_In = TypeVar("_In")
_Out = TypeVar("_Out")
MOST_THREADS: Final = 32


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(work: Callable[[_In], _Out], items: Sequence[_In], executor: Executor | None = None) -> list[_Out]:
    """Return `work` of each item, in order; raises what it raises, the first item's error first.

    `work` must be a function of a module if the executor is one of processes. Without an executor the calling thread
    works along with others that are gone when this returns. They are made by `_thread`, not by `threading` or a pool:
    in a seeded test each thread and task of those takes the next number of a count that seeds are derived from, and
    whether a file was in the cache must not change what the test draws.
    """
    if executor is not None:
        return [future.result() for future in [executor.submit(work, item) for item in items]]
    helpers = min(cores(), MOST_THREADS, len(items)) - 1
    if helpers < 1:
        return [work(item) for item in items]
    return _on_threads(work, items, helpers)


def _on_threads(work: Callable[[_In], _Out], items: Sequence[_In], helpers: int) -> list[_Out]:
    results: dict[int, _Out] = {}
    errors: dict[int, BaseException] = {}
    numbers = count()

    def take() -> None:
        # The lowest numbers are taken first, so that the first error in order is among those that are found.
        while not errors and (number := next(numbers)) < len(items):
            try:
                results[number] = work(items[number])
            except BaseException as error:  # noqa: BLE001  # raised by the caller's thread
                errors[number] = error

    def help_out(done: _thread.LockType) -> None:
        try:
            take()
        finally:
            done.release()

    running = []
    try:
        for _ in range(helpers):
            done = _thread.allocate_lock()
            done.acquire()
            _thread.start_new_thread(help_out, (done,))
            running.append(done)
        take()
    except BaseException as error:
        errors[-1] = error  # stops the others
        raise
    finally:
        for done in running:
            done.acquire()
    if errors:
        raise errors[min(errors)]
    return [results[number] for number in range(len(items))]
