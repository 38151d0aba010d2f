"""Who else sees the values of a test: its runs are held against each other by a room above this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from .._json import Json
from ..compare.tolerance import Tolerances
from ..values.node import Node

__all__ = ["Allowed", "Observer"]

Allowed: TypeAlias = Tolerances | Mapping[str, Json] | None
"""What a check allows, as it is or as `golden.json` would hold it; None for a value that has no check."""


class Observer(Protocol):
    """Sees what one run of a test checks, steps through and gives as checkpoints, in order."""

    def observe(self, label: str, value: object, node: Node, allowed: Allowed) -> None:
        """Take in one value: what failures call it, itself, its description, and what its check allows (None: no check).

        Raises AssertionError where this run parts from an earlier one.
        """

    def others(self) -> list[tuple[str, Node | None]]:
        """Return what each earlier run gave in the place of the last value, under the name of what was varied ("" for nothing).

        None where a run came to no such value.
        """

    def end(self) -> None:
        """Take in that the body of the test has passed; AssertionError if an earlier run parts from it."""
