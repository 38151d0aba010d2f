"""Why the values of two goldens differ, check by check: each conclusion first, then the evidence, told once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import GoldenError
from ..golden.pending import Proposal
from ..golden.reason import so_far
from ..golden.record import Golden, Recorded
from ..golden.store import load, provenance_of
from ..provenance.reason import conclusion, evidence
from ..provenance.record import Provenance
from ..provenance.words import plain

__all__ = ["Side", "proposal_sides", "reasons"]

_NAMED: Final = (("with the golden", "with A"), ("in the golden's run", "with A"), ("in this run", "with B"))
"""Words for a golden and a run, and what they are where two goldens are held against each other."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two goldens."""

    title: str
    golden: Golden
    folder: Path
    partial: bool = False
    """Whether it is of a run that stopped at the check which differs, and so has not come to all files."""


def proposal_sides(proposal: Proposal, root: Path) -> tuple[Side | None, Side]:
    """Return the golden that a proposal would replace, None where there is none, and what it would become.

    Raises GoldenError if either is damaged, or if the golden has changed since.
    """
    folder = root / proposal.golden
    old, new = load(folder), load(proposal.folder)
    if new is None:
        raise GoldenError(f"the proposal of {proposal.test} is damaged: run the test again")
    if (old.seal if old else None) != proposal.base:
        raise GoldenError(f"the golden of {proposal.test} has changed since this proposal was made: run the test again")
    before = None if old is None else Side(f"golden    {proposal.test}", old, folder)
    return before, Side(f"proposal  of {proposal.time}", new, proposal.folder, partial=True)


def reasons(old: Side, new: Side, names: Collection[str]) -> Iterator[str]:
    """Yield the conclusion of each check of these names, then what shows it; checks with the same evidence share it."""
    told: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        first, shown = _reason(old, new, name)
        told.setdefault(shown, []).append(first)
    for shown, conclusions in told.items():
        yield from conclusions
        yield from (f"  {line}" for line in shown)


def _reason(old: Side, new: Side, name: str) -> tuple[str, tuple[str, ...]]:
    one, two = old.golden.checks[name], new.golden.checks[name]
    subject = name or "the unnamed value"
    if one.digest == two.digest:
        return f"{plain(subject)} is the same, and held to another tolerance", ()
    before, after = _made_from(one, old.folder), _made_from(two, new.folder)
    trouble = tuple(plain(side) for side in (before, after) if isinstance(side, str))
    then = before if isinstance(before, Provenance) else Provenance()
    now = after if isinstance(after, Provenance) else Provenance()
    if new.partial:
        then = so_far(then, now)
        return conclusion(then, now, subject), (*evidence(then, now), *trouble)
    return _between(conclusion(then, now, subject)), (*map(_between, evidence(then, now)), *trouble)


def _made_from(check: Recorded, folder: Path) -> Provenance | str:
    """Return the provenance of a check; or what is wrong with it, which must not hide the values."""
    try:
        return provenance_of(check, folder)
    except GoldenError as error:
        return str(error)


def _between(text: str) -> str:
    for words, instead in _NAMED:
        text = text.replace(words, instead)
    return text
