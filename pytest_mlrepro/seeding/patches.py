"""Attributes replaced for a while."""

from __future__ import annotations

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


def apply(patch: Patch) -> tuple[Any, str, Any] | None:
    """Install a stand-in and return the arguments of the `setattr` that puts back what was there.

    None if neither the real thing nor the stand-in was there: a test's own fake (monkeypatch) is what its author wants.
    """
    before = vars(patch.owner)[patch.name]
    if before != patch.real and before != patch.stand_in:
        return None
    setattr(patch.owner, patch.name, patch.stand_in)
    return patch.owner, patch.name, before
