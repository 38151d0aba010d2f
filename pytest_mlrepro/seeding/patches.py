"""Attributes replaced for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["Patch", "apply"]


@dataclass(frozen=True, slots=True)
class Patch:
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
    for patch in patches:
        now = vars(patch.owner).get(patch.name)
        if now is patch.real or now is patch.stand_in:
            before.append((patch.owner, patch.name, now))
            setattr(patch.owner, patch.name, patch.stand_in)

    def put_back() -> None:
        for owner, name, value in reversed(before):
            setattr(owner, name, value)

    return put_back
