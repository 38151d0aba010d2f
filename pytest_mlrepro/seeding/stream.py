"""The entropy that a seeded scope hands out instead of the system's: a hash, so that no draw disturbs another."""

from __future__ import annotations

import hashlib
import itertools
import threading
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from .callers import Caller

__all__ = ["EntropyKind", "EntropyMode", "EntropySite", "EntropyStream", "Position", "Settings", "UnseededEntropyError"]

EntropyMode: TypeAlias = Literal["seed", "forbid", "allow"]
EntropyKind: TypeAlias = Literal["numpy", "random", "secrets", "uuid", "urandom", "torch"]

_INSTEAD: dict[EntropyKind, str] = {
    "numpy": "give the generator a seed: np.random.default_rng(0), or take the fixture's repro.rng",
    "random": "give the generator a seed: random.Random(0)",
    "secrets": "draw from a seeded generator: random.Random(0)",
    "uuid": "build it from a seeded generator: uuid.UUID(int=random.Random(0).getrandbits(128), version=4)",
    "urandom": "draw bytes from a seeded generator: random.Random(0).randbytes(n)",
    "torch": "give the generator a seed: torch.manual_seed(0)",
}

Position: TypeAlias = "tuple[str, dict[str, itertools.count[int]], dict[str, itertools.count[int]]]"


class UnseededEntropyError(AssertionError):
    """A test that forbids unseeded entropy drew some: the check failed, at this line."""


@dataclass(frozen=True, slots=True)
class EntropySite:
    """A line of user code that made or used a generator without a seed."""

    kind: EntropyKind
    file: str
    line: int
    count: int
    """How often it drew."""

    def __str__(self) -> str:
        times = "" if self.count == 1 else f" ({self.count} times)"
        return f"{self.file}:{self.line}: unseeded {self.kind}{times}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a child process needs to know in order to go on as its parent would have."""

    seed: int
    entropy: EntropyMode
    deterministic: bool
    path: str = ""
    """Which descendant of the test this is; "" is the test itself."""

    @property
    def generator_seed(self) -> int:
        """The seed of the global generators: the test's own, or one derived from it and the path."""
        if not self.path:
            return self.seed
        return int.from_bytes(_hash(f"generators\0{self.seed}\0{self.path}", 8))


class EntropyStream:
    """Bytes as a function of (seed, path, phase, kind, drawing function, thread, n) and of nothing else.

    *Thread* is "" for the thread that entered the scope, (starting thread, n-th start there) for threads started
    inside it, (submitting thread, n-th submit there) inside a task of a thread pool, and the name for threads that are
    older than the scope or not Python's. So values don't depend on scheduling as long as each thread's own draws
    and starts don't; two threads with one name that are older than the scope share a sequence, without repeats.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.owner = 0
        self.lock = threading.Lock()
        self.sites: dict[tuple[EntropyKind, str, int], int] = {}
        self.violations: list[EntropySite] = []

    def begin(self, phase: str) -> None:
        """Start as the running thread's, with nothing drawn or noticed."""
        self.owner = threading.get_ident()
        self.sites, self.violations = {}, []
        self.restart(phase)

    def restart(self, phase: str) -> None:
        """Begin the named phase from its start; what has been noticed so far stays on record."""
        self.phase = phase
        self.counters: dict[str, itertools.count[int]] = {}
        self.children: dict[str, itertools.count[int]] = {}
        self._prefix = f"{self.settings.seed}\0{self.settings.path}\0{phase}"

    def position(self) -> Position:
        """Return where the stream is; `restart` leaves it untouched."""
        return self.phase, self.counters, self.children

    def go_to(self, position: Position) -> None:
        """Go on where `position` was taken."""
        self.restart(position[0])
        _, self.counters, self.children = position

    def move(self, path: str) -> None:
        """Become the stream of a descendant, in a forked child."""
        self.settings = self.settings_at(path)
        self.owner = threading.get_ident()
        self.lock = threading.Lock()  # another thread may have held it when the process was forked
        self.restart(self.phase)

    def settings_at(self, path: str) -> Settings:
        """Return the settings of the descendant at `path`."""
        return replace(self.settings, path=path)

    def draw(self, kind: EntropyKind, size: int, caller: Caller) -> bytes:
        """Return `size` bytes; under "forbid" and when user code asks, record it and raise `UnseededEntropyError`."""
        if caller.file is not None:
            self._note(kind, caller.file, caller.line)
        key = f"{kind}\0{caller.key}\0{thread_key(self)}"
        n = next(self.counters.setdefault(key, itertools.count()))  # one atomic step each: threads can't share an n
        return _hash(f"{self._prefix}\0{n}\0{key}", size)

    def child(self, kind: str) -> str:
        """Return the path of the next child (process, thread or task) of the running thread."""
        key = f"{kind}\0{thread_key(self)}"
        n = next(self.children.setdefault(key, itertools.count()))
        return _hash(f"child\0{self._prefix}\0{n}\0{key}", 16).hex()

    def _note(self, kind: EntropyKind, file: str, line: int) -> None:
        with self.lock:
            self.sites[kind, file, line] = self.sites.get((kind, file, line), 0) + 1
        if self.settings.entropy == "forbid":
            self.violations.append(EntropySite(kind, file, line, 1))
            raise UnseededEntropyError(
                f"unseeded entropy ({kind}) is forbidden in this test and was drawn at {file}:{line}\n"
                f'{_INSTEAD[kind]}; or allow it: @pytest.mark.repro(entropy="seed") draws it from the seed'
            )


def _hash(text: str, size: int) -> bytes:
    return hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(size)


task = threading.local()
"""`.key`: the (stream, path) of the pool task that the thread is in. Module level, as threads are the process's."""


def thread_key(stream: EntropyStream) -> str:
    """Return which thread (or pool task) is running, in words that are the same in the next run."""
    owner, key = getattr(task, "key", (None, ""))
    if owner is stream:
        return str(key)
    if threading.get_ident() == stream.owner:
        return ""
    thread = threading.current_thread()
    owner, key = getattr(thread, "_mlrepro_key", (None, ""))
    return str(key) if owner is stream else f"name:{thread.name}"
