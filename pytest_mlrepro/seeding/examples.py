"""Hypothesis runs a test many times: each example starts our stream and torch afresh, so that a failing one replays."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

from .stack import OPEN, innermost

__all__ = ["join_hypothesis"]


class ExampleSeeds:
    """What `hypothesis.register_random` manages: seeded before each example, put back after it.

    Hypothesis already does so for `random` and `numpy.random`. Its own engine keeps real entropy (see `callers`), so
    it goes on exploring other examples in each run.
    """

    def seed(self, number: int) -> None:
        """Begin an example; `number` is 0, or what `st.random_module()` drew."""
        scope = innermost()
        if scope is not None:
            scope.begin_example(number)

    def getstate(self) -> Any:
        """Return the innermost scope with its position, or None without a scope."""
        scope = innermost()
        return None if scope is None else (scope, scope.position())

    def setstate(self, state: Any) -> None:
        """Put a position back, if its scope is still open."""
        if state is not None and any(scope is state[0] for scope in OPEN):
            state[0].go_to(state[1])


@lru_cache(maxsize=1)
def _seeds() -> ExampleSeeds:
    return ExampleSeeds()  # hypothesis keeps a weak reference only: the cache is what holds it


@lru_cache(maxsize=1)
def _register() -> None:
    sys.modules["hypothesis"].register_random(_seeds())


def join_hypothesis() -> None:
    """Register with hypothesis, once in a process, if the program has loaded it."""
    if hasattr(sys.modules.get("hypothesis"), "register_random"):
        _register()
