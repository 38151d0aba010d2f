"""What is asked: a test whose values differ from its golden, and what both were made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..provenance.record import Provenance

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """What is asked: a test with a proposal, what its golden was made from, and what it is made from now."""

    nodeid: str
    root: Path
    """The root directory of the tests."""
    golden: Path
    """The golden's folder."""
    old: Provenance
    new: Provenance
    expected: dict[str, str]
    """The digests of the values that differ, by check."""
    cwd: Path
    arguments: tuple[str, ...] = ()
    seconds: float = 600.0
