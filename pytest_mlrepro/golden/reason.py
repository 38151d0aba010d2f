"""What changed between the recording of a golden and now, in the words of `provenance`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import GoldenError
from ..fingerprints import Fingerprint
from ..fingerprints.combined import combined
from ..provenance.reason import conclusion, evidence
from ..provenance.record import Provenance
from ..provenance.suspects import suspects
from .record import Recorded
from .store import provenance_of

__all__ = ["Why", "recorded_provenance", "since_recorded", "so_far"]


@dataclass(frozen=True, slots=True)
class Why:
    """A conclusion in one line, and the lines that show it."""

    conclusion: str
    evidence: tuple[str, ...] = ()
    several: bool = False
    """Whether more than one thing changed, so that reruns can tell which of them carries the change."""


def recorded_provenance(check: Recorded, folder: Path) -> Provenance | None:
    """Return what a check was made from; None if that can't be read, which `since_recorded` tells."""
    try:
        return provenance_of(check, folder)
    except GoldenError:
        return None


def since_recorded(check: Recorded, folder: Path, now: Provenance, *, subject: str) -> Why:
    """Return what changed since a check of the golden in `folder` was recorded.

    A provenance that can't be read must not hide the failure that it should explain: it is unknown then, and said to be.
    """
    try:
        then = so_far(provenance_of(check, folder), now)
    except GoldenError as error:
        return Why(conclusion(Provenance(), now, subject), (str(error),))
    return Why(conclusion(then, now, subject), tuple(evidence(then, now)), len(suspects(then, now)) > 1)


def so_far(then: Provenance, now: Provenance) -> Provenance:
    """Return what was recorded without the files that this run has not come to: it stopped at the check that differs."""
    return replace(then, data=_known(then.data, now.data), artifacts=_known(then.artifacts, now.artifacts))


def _known(then: Fingerprint | None, now: Fingerprint | None) -> Fingerprint | None:
    if then is None or now is None:
        return then
    names = {name for name, _ in now.parts}
    kept = [(name, part) for name, part in then.parts if name in names]
    return then if len(kept) == len(then.parts) else combined(then.kind, kept)
