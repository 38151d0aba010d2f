"""Attributes replaced for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

__all__ = ["Patch", "apply"]


class Patch(NamedTuple):
    """`owner.name`, normally `real`, is to be `stand_in` while a scope is open."""

    owner: Any
    name: str
    real: Any
    stand_in: Any


def apply(patches: Iterable[Patch]) -> Callable[[], None]:
    """Install stand-ins and return what puts back exactly what was there.

    An attribute that is neither the real thing nor the stand-in is left alone: a fake is what its author wants.
    """
    before: list[tuple[Any, str, Any]] = []
    for owner, name, real, stand_in in patches:
        now = owner.__dict__.get(name)
        if now is real or now is stand_in:
            before.append((owner, name, now))
            setattr(owner, name, stand_in)
    before.reverse()
    return partial(_put_back, before)


def _put_back(before: list[tuple[Any, str, Any]]) -> None:
    for owner, name, value in before:
        setattr(owner, name, value)
