"""A hypothesis test whose runs are held against each other draws the same examples in each of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["same_examples", "tests_examples"]

SEED, SETTINGS = "_hypothesis_internal_use_seed", "_hypothesis_internal_use_settings"
"""Where `hypothesis.seed` and `hypothesis.settings` keep what they decorate with; a decorated test can't be decorated again."""


def tests_examples(item: pytest.Item) -> bool:
    """Tell whether the test is one of hypothesis."""
    return bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))


@contextmanager
def same_examples(item: pytest.Item, seed: int) -> Iterator[None]:
    """Draw by the seed and leave the database alone: an example that it holds would be tried in one run and not in the next."""
    if not tests_examples(item):
        yield
        return
    function: Any = getattr(item.obj, "__func__", item.obj)  # type: ignore[attr-defined]  # it has one, as was just checked
    before = {name: getattr(function, name, None) for name in (SEED, SETTINGS)}
    hypothesis: Any = sys.modules["hypothesis"]
    setattr(function, SETTINGS, hypothesis.settings(before[SETTINGS], database=None))
    if before[SEED] is None:
        setattr(function, SEED, seed)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(function, name, value)
