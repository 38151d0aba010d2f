"""Who is told what the checks of a test find, so that the run can be shown: there only if a record or a report is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..compare.difference import Comparison
from ..values.node import Node
from .record import Recorded
from .rules import Judgement

if TYPE_CHECKING:
    from ..drift import Profile

__all__ = ["Witness"]


class Witness(Protocol):
    """Takes what a check found beside its outcome; each method comes at most once for a check, and in this order."""

    def differs(self, key: str, recorded: Recorded, folder: Path, now: Node, found: Judgement) -> None:
        """Take in that a value is not what was recorded; it may be read now, and not later."""

    def near(self, key: str, found: Comparison) -> None:
        """Take in that a value has other bits than recorded, and is within what is allowed."""

    def drifts(self, key: str, then: Profile, now: Profile) -> None:
        """Take in the profiles of a reference and of the frame that left it."""

    def explained(self, key: str, headline: str, reasons: Sequence[str], commands: Sequence[str]) -> None:
        """Take in why a value is not what was recorded, and what to run next."""
