"""`seed_everything`: a scope as a statement, a `with` block or a decorator."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from ..errors import UsageError
from .scope import SeedScope
from .stream import EntropyMode

__all__ = ["Seeded", "seed_everything"]

P = ParamSpec("P")
R = TypeVar("R")


class Seeded:
    """What `seed_everything` returns: the open scope, to be closed by `with` or `close`, or turned into a decorator."""

    def __init__(self, make: Callable[[], SeedScope]) -> None:
        self._make = make
        self.scope = make().enter()

    def close(self) -> None:
        """Put everything back; a second call does nothing."""
        self.scope.exit()

    def __enter__(self) -> SeedScope:
        # Open already, unless the same object is used a second time.
        return self.scope if self.scope.is_open else self.scope.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function or coroutine function: each call runs in a scope of its own."""
        self.close()
        if not callable(function) or inspect.isclass(function) or _yields(function):
            raise UsageError(
                f"seed_everything decorates functions and coroutine functions, not {function!r}: use a with block"
            )
        return (
            _seeded_coroutine(function, self._make)
            if inspect.iscoroutinefunction(function)
            else _seeded(function, self._make)
        )


def _yields(function: Callable[..., Any]) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _seeded(function: Callable[P, R], make: Callable[[], SeedScope]) -> Callable[P, R]:
    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with make():
            return function(*args, **kwargs)

    return run


def _seeded_coroutine(function: Callable[P, Any], make: Callable[[], SeedScope]) -> Callable[P, Any]:
    @wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> Any:
        with make():
            return await function(*args, **kwargs)

    return run


def seed_everything(seed: int = 0, *, entropy: EntropyMode = "seed", deterministic: bool = True) -> Seeded:
    """Seed every random source, from this call on; see `SeedScope` for what is seeded and what is out of reach.

    `with seed_everything(0): ...` puts everything back at the end of the block, also when it raises;
    `@seed_everything(0)` seeds each call of a function. The plain statement `seed_everything(0)` seeds too, as its
    name says, and stays until the `close()` of what it returns, the end of the scope around it (a seeded test), or
    the end of the process. Raises `UsageError` for a seed outside 0 to 2**64 - 1 and for an unknown mode.
    """
    return Seeded(partial(SeedScope, seed, entropy=entropy, deterministic=deterministic))
