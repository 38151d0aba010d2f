"""What changed between the recording of a golden and now, in the words of `provenance`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import GoldenError
from ..provenance.reason import conclusion, evidence
from ..provenance.record import Provenance
from .record import Recorded
from .store import provenance_of

__all__ = ["Why", "since_recorded"]


@dataclass(frozen=True, slots=True)
class Why:
    """A conclusion in one line, and the lines that show it."""

    conclusion: str
    evidence: tuple[str, ...] = ()


def since_recorded(check: Recorded, folder: Path, now: Provenance, *, subject: str) -> Why:
    """Return what changed since a check of the golden in `folder` was recorded.

    A provenance that can't be read must not hide the failure that it should explain: it is unknown then, and said to be.
    """
    try:
        then = provenance_of(check, folder)
    except GoldenError as error:
        return Why(conclusion(Provenance(), now, subject), (str(error),))
    return Why(conclusion(then, now, subject), tuple(evidence(then, now)))
