"""A seeded stretch of a program: everything random follows one seed inside, and is as it was before outside."""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable, Collection
from functools import lru_cache, partial
from types import ModuleType, TracebackType

from .._imports import ImportWatch
from ..errors import UsageError
from .children import child_patches, watch_forks
from .entropy import REAL_URANDOM, entropy_patches
from .examples import join_hypothesis
from .patches import apply
from .rngs import (
    loaded_polars,
    numpy_random,
    refresh_numpy,
    save_numpy,
    save_polars,
    save_random,
    seed_numpy,
    seed_polars,
    seed_random,
    seeders,
)
from .stack import OPEN
from .stream import EntropyMode, EntropySite, EntropyStream, Position, Settings
from .torch_rngs import complete_torch, make_deterministic, save_torch, seed_torch, warm_up, when_initialised

__all__ = ["SeedScope"]

_LIBRARIES = ("numpy.random", "torch", "polars")
_WATCHED = frozenset(
    (
        *(*_LIBRARIES, "hypothesis"),
        *("multiprocessing.process", "concurrent.futures.thread", "concurrent.futures.process"),
    )
)
"""What is seeded or patched as soon as it has been imported."""
_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


class SeedScope:
    """Seeds `random`, numpy, torch and unseeded entropy from `enter` to `exit`, and then puts everything back.

    seed: 0 to 2**64 - 1. numpy and registered seeders take 32 bits: numpy gets larger ones as two words, seeders
    modulo 2**32.
    entropy: what generators made without a seed draw from; "seed": a stream of the seed; "forbid": nothing, they raise
        `UnseededEntropyError` where user code asks (libraries on their own account get the stream); "allow": the
        system.
    deterministic: torch's deterministic algorithms, and `CUBLAS_WORKSPACE_CONFIG` unless it is set.

    Scopes nest, last in first out; closing one closes those opened inside it that are still open. They are the whole
    process's: two threads can't hold different ones. A library that is imported inside is seeded when its import is
    done.

    Out of reach, as they draw outside Python: `torch.Generator().seed()`, `pyarrow.compute.random`,
    `_random.Random()`, the order of sets of strings (`PYTHONHASHSEED` is read when Python starts), clocks
    (`uuid.uuid1`), and programs started by `subprocess`. Names imported before the scope by `from os import urandom`
    are the system's own. Global generators that several threads share give values that depend on scheduling: give
    each thread a generator. The state of registered seeders can't be put back; polars gets fresh entropy.
    """

    def __init__(self, seed: int, *, entropy: EntropyMode = "seed", deterministic: bool = True) -> None:
        self.stream = EntropyStream(_settings(_valid_seed(seed), _valid_mode(entropy), deterministic))
        self._undo: list[Callable[[], object]] = []
        self._seeds: list[Callable[[int], object]] = []
        """What seeds each library that is loaded by now."""

    @classmethod
    def of(cls, settings: Settings) -> SeedScope:
        """Return the scope of a descendant: a child process, or a task in one."""
        scope = cls(settings.seed, entropy=settings.entropy, deterministic=settings.deterministic)
        scope.stream = EntropyStream(settings)
        return scope

    @property
    def is_open(self) -> bool:
        """Whether `enter` was called and `exit` was not."""
        return self in OPEN

    @property
    def sites(self) -> list[EntropySite]:
        """The lines of user code that drew without a seed, in order of file and line, since `enter`."""
        found = [EntropySite(kind, file, line, n) for (kind, file, line), n in list(self.stream.sites.items())]
        return sorted(found, key=lambda site: (site.file, site.line, site.kind))

    @property
    def violations(self) -> list[EntropySite]:
        """Each draw that "forbid" refused, also when the test swallowed the error. Child processes only raise."""
        return list(self.stream.violations)

    def enter(self, phase: str = "") -> SeedScope:
        """Save all states, patch, seed, and begin `phase`. After an error (`UsageError` if open) nothing is changed."""
        if self.is_open:
            raise UsageError("this SeedScope is open already: exit it first, or make another one")
        self.stream.begin(phase)
        OPEN.append(self)
        try:
            self._open()
        except BaseException:
            self.exit()
            raise
        return self

    def _open(self) -> None:
        watch_forks()
        join_hypothesis()
        self._undo.append(save_random())
        self._save_libraries(_LIBRARIES)
        self._patch()
        if not sys.modules.keys() >= _WATCHED:
            watch = ImportWatch(_WATCHED, _adopt)
            self._undo.append(watch.remove)
            watch.install()
        self._seed()

    def reseed(self, phase: str) -> None:
        """Give every global generator the same seed again, and begin the named phase of the entropy stream.

        Phases differ, so that set-up and call don't draw the same "unique" id; the same phase again repeats its draws.
        """
        if not self.is_open:
            raise UsageError(f"reseed({phase!r}) on a SeedScope that is not open: enter it first")
        self.stream.restart(phase)
        self._seed()

    def exit(self) -> None:
        """Put everything back, in reverse; a second call does nothing. All is tried, then the first error is raised."""
        while self.is_open:
            inner = OPEN[-1]
            if inner is not self:
                inner.exit()
                continue
            errors = self._put_back()
            OPEN.remove(self)
            if errors:
                raise errors[0]

    def _put_back(self) -> list[BaseException]:
        errors: list[BaseException] = []
        self._seeds.clear()
        while self._undo:
            try:
                self._undo.pop()()
            except BaseException as error:  # noqa: BLE001  # one state that can't be put back must not keep the others
                errors.append(error)
        return errors

    def __enter__(self) -> SeedScope:
        return self.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.exit()

    # What a scope does when something appears.

    def _patch(self) -> None:
        self._undo.append(apply(child_patches()))
        if self.stream.settings.entropy != "allow":
            self._undo.append(apply(entropy_patches()))

    def _save_libraries(self, names: Collection[str]) -> None:
        if "numpy.random" in names and (mtrand := numpy_random()) is not None:
            self._undo.append(save_numpy(mtrand))
            self._seeds.append(partial(seed_numpy, mtrand))
        if "polars" in names and (polars := loaded_polars()) is not None:
            self._undo.append(save_polars(polars, int.from_bytes(REAL_URANDOM(8))))
            self._seeds.append(partial(seed_polars, polars))
        if "torch" in names and (torch := complete_torch()) is not None:
            _prepare_torch()
            self._undo.append(save_torch(torch))
            self._seeds.append(partial(seed_torch, torch))
            if self.stream.settings.deterministic:
                self._undo.append(make_deterministic(torch))
                self._undo.append(_set_workspace())

    def _seed(self) -> None:
        number = self.stream.settings.generator_seed
        seed_random(number)
        for seeder in seeders():
            seeder(number % 2**32)
        for seed in self._seeds:
            seed(number)

    def adopt(self, name: str) -> None:
        """Take in a library whose import has just finished: save what it starts with, patch it, seed it."""
        known = len(self._seeds)
        self._save_libraries((name,))
        self._patch()
        for seed in self._seeds[known:]:
            seed(self.stream.settings.generator_seed)

    def become_child(self, path: str) -> None:
        """Go on as the descendant at `path`, in a process that has just been forked."""
        self.stream.move(path)
        self._seed()

    def begin_example(self, number: int) -> None:
        """Start the stream and torch's generators afresh, for hypothesis."""
        self.stream.restart(f"{self.stream.phase}\0example {number}")
        torch = complete_torch()
        if torch is not None:
            seed_torch(torch, self.stream.settings.generator_seed ^ number)

    def position(self) -> tuple[Position, Callable[[], object]]:
        """Return where the stream and torch's generators are, for `go_to`."""
        torch = complete_torch()
        return self.stream.position(), _nothing if torch is None else save_torch(torch)

    def go_to(self, position: tuple[Position, Callable[[], object]]) -> None:
        """Return to a position."""
        self.stream.go_to(position[0])
        position[1]()


def _set_workspace() -> Callable[[], object]:
    # cuBLAS reads it when its first handle is made; torch tells a program that had used the GPU by then.
    before = os.environ.get(_CUBLAS)
    if before is not None:
        return partial(os.environ.__setitem__, _CUBLAS, before)
    os.environ[_CUBLAS] = ":4096:8"
    return partial(os.environ.pop, _CUBLAS, None)


def _nothing() -> None:
    pass


def _adopt(name: str) -> None:
    if name == "hypothesis":
        join_hypothesis()
    mtrand = numpy_random() if name == "numpy.random" else None
    if mtrand is not None:
        # It seeded itself from the scope's stream while it was imported; what is put back later must be the system's.
        refresh_numpy(mtrand, list(REAL_URANDOM(32)))
    for scope in list(OPEN):
        scope.adopt(name)


@lru_cache(maxsize=1)
def _prepare_torch() -> None:
    torch = sys.modules["torch"]
    warm_up(torch)
    when_initialised(torch, _device_started)


def _device_started(backend: ModuleType) -> None:
    if OPEN:
        for generator in backend.default_generators:
            generator.manual_seed(OPEN[-1].stream.settings.generator_seed)


_settings = lru_cache(maxsize=8)(Settings)


def _valid_seed(seed: object) -> int:
    try:
        number = operator.index(seed)  # type: ignore[arg-type]  # what it refuses is what we report
    except TypeError:
        number = -1
    if isinstance(seed, bool) or not 0 <= number < 2**64:
        raise UsageError(f"seed must be an integer from 0 to 2**64 - 1, not {seed!r}")
    return number


def _valid_mode(mode: object) -> EntropyMode:
    if mode == "seed" or mode == "forbid" or mode == "allow":
        return mode
    raise UsageError(f'entropy must be "seed", "forbid" or "allow", not {mode!r}')
