"""Why the values of two goldens differ, check by check: each conclusion first, then the evidence, told once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import GoldenError
from ..golden.contracted import is_contract
from ..golden.pending import Proposal
from ..golden.reason import so_far
from ..golden.record import Golden, Recorded
from ..golden.step_details import Details
from ..golden.step_words import changes, headline, lines, reasons_of
from ..golden.steps import step_key
from ..golden.store import details_of, load, provenance_of
from ..pipeline.parting import Parting, parting
from ..provenance.reason import conclusion, evidence
from ..provenance.record import Provenance
from ..provenance.words import plain

__all__ = ["Side", "proposal_sides", "reasons", "steps_parting"]

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
    standing: Path | None = None
    """Of a proposal, the folder of the golden, where what it keeps lies."""


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
    return before, Side(f"proposal  of {proposal.time}", new, proposal.folder, partial=True, standing=folder)


def reasons(old: Side, new: Side, names: Collection[str]) -> Iterator[str]:
    """Yield the conclusion of each check of these names, then what shows it; checks with the same evidence share it."""
    yield from _of_steps(old, new)
    parted = steps_parting(old, new)
    told_by_steps = {step_key(step.name) for step in (*parted.roots, *parted.consequences)}
    told: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        if name in told_by_steps:
            continue
        first, shown = _reason(old, new, name)
        told.setdefault(shown, []).append(first)
    for shown, conclusions in told.items():
        yield from conclusions
        yield from (f"  {line}" for line in shown)


def _of_steps(old: Side, new: Side) -> Iterator[str]:
    """Yield where the pipelines of both part, if they do: what follows from that says more than the whole test can."""
    found = steps_parting(old, new)
    before, after = _details(old), _details(new)
    first = headline(found, before, after)
    if first:
        yield first
        yield from (f"  {line}" for line in lines(found, before, after, {}))
        yield from (f"  {line}" for line in map(_between, reasons_of(found, before, after)))
    elif found.added or found.removed:
        yield from changes(found)


def steps_parting(old: Side, new: Side) -> Parting:
    """Return where the steps of two goldens part."""
    return parting(old.golden.steps, new.golden.steps)


def _details(side: Side) -> Details:
    """Return what the steps were made of; nothing of what can't be read, which must not hide the values."""
    try:
        folder = side.folder if side.golden.details is None else _where(side)
        return details_of(side.golden, folder)
    except GoldenError:
        return Details()


def _where(side: Side) -> Path:
    """Return the folder that holds the details: what a proposal keeps lies with the golden."""
    file = side.golden.files()[-1]["file"]
    return side.folder if side.standing is None or (side.folder / file).exists() else side.standing


def _reason(old: Side, new: Side, name: str) -> tuple[str, tuple[str, ...]]:
    one, two = old.golden.checks[name], new.golden.checks[name]
    subject = name or "the unnamed value"
    if one.digest == two.digest:
        return f"{plain(subject)} is the same, and held to another tolerance", ()
    if is_contract(one) and is_contract(two):  # made from a table and from what people know of it: any cause is a guess
        return f"the contract {plain(subject)} is another one", ()
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
