"""A function run once per seed, each run seeded as a test is and everything put back: here, or where an executor runs it."""

from __future__ import annotations

import inspect
import pickle
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import Any, Final

from ..errors import UsageError
from ..seeding import SeedScope
from ..seeding.stack import innermost
from ..seeding.stream import EntropyMode
from .metric import Metrics, metrics_of

__all__ = ["MOST_SEEDS", "sampled", "valid_seeds"]

MOST_SEEDS: Final = 1000
CHECK: Final = "golden.check_distribution"
_ALONE: Final = threading.RLock()
"""Seeds are the whole process's, so threads that share one take turns. Reentrant: a function may run another in itself."""


def valid_seeds(seeds: object) -> tuple[int, ...]:
    """Return the seeds that are meant: so many from 0 on, or those named; UsageError for what can't be right."""
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        if not 2 <= seeds <= MOST_SEEDS:
            raise UsageError(f"{CHECK}: seeds must be from 2 to {MOST_SEEDS}, or a list of seeds, got {seeds}")
        return tuple(range(seeds))
    if not isinstance(seeds, Collection) or isinstance(seeds, str | bytes):
        raise UsageError(f"{CHECK}: seeds must be how many, or a list of seeds, got {seeds!r}")
    named = tuple(seeds)
    for seed in named:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**64:
            raise UsageError(f"{CHECK}: seeds holds {seed!r}: whole numbers from 0 to 2**64 - 1 are expected")
    if len(set(named)) < len(named):
        raise UsageError(f"{CHECK}: seeds holds a seed twice: each run must be a run of its own")
    if not 2 <= len(named) <= MOST_SEEDS:
        raise UsageError(f"{CHECK}: seeds must be from 2 to {MOST_SEEDS} of them, got {len(named)}")
    return named


def sampled(fn: Callable[[int], object], seeds: Sequence[int], executor: Executor | None) -> list[Metrics]:
    """Return what `fn(seed)` gives for each seed, in their order.

    Each run is seeded with its seed as `@repro` seeds a test, with the entropy and the determinism of the seeded test
    around it (without one: the defaults), and every state is put back. An executor (any `concurrent.futures.Executor`)
    gets one task for each seed, and so the same values; its processes must be able to import `fn`. Threads of one
    process take turns. Raises UsageError for a function that can't be called with a seed, can't be sent, or gives no
    metric; what the function itself raises goes on, with a note of the seed.
    """
    __tracebackhide__ = True
    _require_callable(fn, executor)
    scope = innermost()
    settings: tuple[EntropyMode, bool] = ("seed", True)
    if scope is not None:
        settings = scope.stream.settings.entropy, scope.stream.settings.deterministic
    runs = _here(fn, seeds, settings) if executor is None else _there(fn, seeds, settings, executor)
    found: list[Metrics] = []
    for seed, metrics in zip(seeds, runs, strict=True):
        if found and metrics.keys() != found[0].keys():
            raise UsageError(
                f"{CHECK}: seed {seed} gave {_names(metrics)} and seed {seeds[0]} gave {_names(found[0])}: "
                "every seed must give the same metrics"
            )
        found.append(metrics)
    return found


def _require_callable(fn: object, executor: object) -> None:
    if not callable(fn):
        raise UsageError(f"{CHECK}: fn must be a function of a seed, got {fn!r}")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise UsageError(f"{CHECK}: executor must be a concurrent.futures.Executor, got {executor!r}")
    try:
        inspect.signature(fn).bind(0)
    except TypeError as error:
        raise UsageError(f"{CHECK}: fn must take one argument, the seed: {error}") from None
    except ValueError:  # a builtin that tells no signature
        pass


def one_run(fn: Callable[[int], object], seed: int, entropy: EntropyMode, deterministic: bool) -> Metrics:
    """Return what one seed gives; in whichever thread or process runs it."""
    __tracebackhide__ = True
    with _ALONE, SeedScope(seed, entropy=entropy, deterministic=deterministic):
        return metrics_of(fn(seed), f"{CHECK}: seed {seed}")


def _here(fn: Callable[[int], object], seeds: Sequence[int], settings: tuple[EntropyMode, bool]) -> Iterator[Metrics]:
    __tracebackhide__ = True
    for seed in seeds:
        try:
            yield one_run(fn, seed, *settings)
        except Exception as error:
            _note(error, seed)
            raise


def _there(
    fn: Callable[[int], object], seeds: Sequence[int], settings: tuple[EntropyMode, bool], executor: Executor
) -> Iterator[Metrics]:
    __tracebackhide__ = True
    futures: list[Future[Metrics]] = [executor.submit(one_run, fn, seed, *settings) for seed in seeds]
    try:
        for seed, future in zip(seeds, futures, strict=True):
            yield _result(fn, seed, future)
    finally:
        for future in futures:  # of a run that failed: what has not begun need not
            future.cancel()


def _result(fn: Callable[[int], object], seed: int, future: Future[Metrics]) -> Metrics:
    __tracebackhide__ = True
    try:
        return future.result()
    except Exception as error:
        if _unsendable(error):
            raise UsageError(
                f"{CHECK}: the executor can't send {getattr(fn, '__qualname__', fn)!r} to its workers ({error}): define it "
                "at the top of a module that they can import, or use an executor of threads"
            ) from None
        _note(error, seed)
        raise


def _unsendable(error: Exception) -> bool:
    """Tell an error of pickle's from one of the function's: what pickle raises, and says, differs between Pythons."""
    if isinstance(error, pickle.PicklingError):
        return True
    said = str(error).lower()
    return isinstance(error, AttributeError | TypeError) and ("pickle" in said or "can't get local object" in said)


def _note(error: Exception, seed: int) -> None:
    if not isinstance(error, UsageError):
        error.add_note(f"{CHECK}: raised in the run of seed {seed}")


def _names(metrics: Any) -> str:
    return ", ".join(name or "one number" for name in metrics)
