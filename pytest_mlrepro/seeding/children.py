"""Threads, processes and pool tasks that a scope's test starts: each gets a seed of its own, derived from the scope's.

Forks are noticed by `os.register_at_fork`. A spawned or forkserver process gets a `Carrier` inside its pickled
process object; unpickling it there, after the path is set and before the target's arguments arrive, opens a scope for
good. Tasks of `concurrent.futures` pools carry their own seed, as which worker takes which task is a matter of
scheduling. Not covered: programs started by `subprocess`, tasks (not workers) of `multiprocessing.Pool`, and
executors of other packages.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from .patches import Patch
from .rngs import numpy_random
from .stack import OPEN, innermost
from .stream import EntropyStream, Settings, task
from .torch_rngs import complete_torch

__all__ = ["child_patches", "watch_forks"]

_CONFIG_KEY = "pytest_mlrepro"
_forking: dict[int, list[str]] = {}
"""Per thread, the path in each open scope of the child that it starts: fork hooks take no arguments."""

_held: dict[int, Any] = {}
"""Per thread, the lock of numpy's generator that it holds while it forks."""

_real_thread_start = threading.Thread.start


def _thread_start(self: threading.Thread) -> None:
    scope = innermost()
    if scope is not None:
        self._mlrepro_key = (scope.stream, scope.stream.child("thread"))  # type: ignore[attr-defined]  # our own mark on a thread
    _real_thread_start(self)


def _next_paths() -> list[str]:
    return [scope.stream.child("process") for scope in OPEN]


@lru_cache(maxsize=1)
def watch_forks() -> None:
    """Register the hooks, once in a process: they can't be unregistered, and do nothing while no scope is open."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_here, after_in_child=_after_fork_there)


def _before_fork() -> None:
    if OPEN:
        if threading.get_ident() not in _forking:
            _forking[threading.get_ident()] = _next_paths()
        _hold_generators()


def _after_fork_here() -> None:
    if _forking.pop(threading.get_ident(), None) is not None:
        _release_generators()


def _after_fork_there() -> None:
    # Runs after random's own hook, which gives the child real entropy, as that was registered first.
    paths = _forking.pop(threading.get_ident(), None)
    _forking.clear()
    if paths is not None:
        _release_generators()
        for scope, path in zip(OPEN, paths, strict=False):
            scope.become_child(path)


def _hold_generators() -> None:
    """Wait until no other thread draws: a child in which a vanished thread holds a generator could never seed it."""
    if (mtrand := numpy_random()) is not None:
        lock = mtrand._rand._bit_generator.lock
        lock.acquire()
        _held[threading.get_ident()] = lock
    if (torch := complete_torch()) is not None:
        torch.default_generator.get_state()  # takes and frees its lock, which Python can't hold


def _release_generators() -> None:
    if (lock := _held.pop(threading.get_ident(), None)) is not None:
        lock.release()
    # Locks that other threads hold stay theirs in the parent; in a child those threads, and their forks, are gone.


class Carrier:
    """Opens a scope where it is unpickled."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __reduce__(self) -> tuple[Callable[[Settings], None], tuple[Settings]]:
        return _open_for_good, (self.settings,)


def _open_for_good(settings: Settings) -> None:
    from .scope import SeedScope  # scope builds on this module; only a child comes here

    SeedScope.of(settings).enter()


@lru_cache(maxsize=1)
def _real_process_start() -> Callable[[Any], None]:
    return sys.modules["multiprocessing.process"].BaseProcess.start  # type: ignore[no-any-return]  # looked up by name


def _process_start(self: Any) -> None:
    if not OPEN:
        return _real_process_start()(self)
    paths = _next_paths()
    _forking[threading.get_ident()] = paths
    self._config[_CONFIG_KEY] = Carrier(OPEN[-1].stream.settings_at(paths[-1]))
    try:
        _real_process_start()(self)
    finally:
        _forking.pop(threading.get_ident(), None)
        self._config.pop(_CONFIG_KEY, None)


class ThreadTask:
    """A pool's function, run under the identity of its submission."""

    def __init__(self, function: Callable[..., Any], stream: EntropyStream) -> None:
        self.function, self.key = function, (stream, stream.child("task"))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outer = getattr(task, "key", (None, ""))
        task.key = self.key
        try:
            return self.function(*args, **kwargs)
        finally:
            task.key = outer


class ProcessTask:
    """A pool's function, run in a scope of its own in whichever worker takes it."""

    def __init__(self, function: Callable[..., Any], settings: Settings) -> None:
        self.function, self.settings = function, settings

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from .scope import SeedScope  # as above

        with SeedScope.of(self.settings):
            return self.function(*args, **kwargs)


@lru_cache(maxsize=2)
def _real_submit(kind: str) -> Callable[..., Any]:
    module = sys.modules[f"concurrent.futures.{kind}"]
    return getattr(module, f"{kind.title()}PoolExecutor").submit  # type: ignore[no-any-return]  # looked up by name


def _submit_thread(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    scope = innermost()
    job = fn if scope is None else ThreadTask(fn, scope.stream)
    return _real_submit("thread")(self, job, *args, **kwargs)


def _submit_process(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    scope = innermost()
    job = fn if scope is None else ProcessTask(fn, scope.stream.settings_at(scope.stream.child("task")))
    return _real_submit("process")(self, job, *args, **kwargs)


def child_patches() -> tuple[Patch, ...]:
    """Return the stand-ins for every way to start a child that is loaded by now."""
    find = sys.modules.get
    return _patches(
        getattr(find("multiprocessing.process"), "BaseProcess", None),
        getattr(find("concurrent.futures.thread"), "ThreadPoolExecutor", None),
        getattr(find("concurrent.futures.process"), "ProcessPoolExecutor", None),
    )


@lru_cache(maxsize=8)
def _patches(process: type | None, threads: type | None, processes: type | None) -> tuple[Patch, ...]:
    found = [Patch(threading.Thread, "start", _real_thread_start, _thread_start)]
    if process is not None:
        found.append(Patch(process, "start", _real_process_start(), _process_start))
    if threads is not None:
        found.append(Patch(threads, "submit", _real_submit("thread"), _submit_thread))
    if processes is not None:
        found.append(Patch(processes, "submit", _real_submit("process"), _submit_process))
    return tuple(found)
