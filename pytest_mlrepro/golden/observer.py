"""Who else sees the values of a test: its runs are held against each other by a room above this one."""

from __future__ import annotations

from typing import Protocol

from ..compare.tolerance import Tolerances
from ..values.node import Node

__all__ = ["Observer"]


class Observer(Protocol):
    """Sees what one run of a test checks, steps through and gives as checkpoints, in order."""

    def observe(self, label: str, value: object, node: Node, tolerances: Tolerances | None) -> None:
        """Take in one value: what failures call it, itself, its description, and what its check allows (None: no check).

        Raises AssertionError where this run parts from an earlier one.
        """

    def end(self) -> None:
        """Take in that the body of the test has passed; AssertionError if an earlier run parts from it."""
