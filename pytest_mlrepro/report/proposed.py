"""A proposal as the failure that made it was shown: the conclusion, the difference, what changed; then pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..compare.explain import failure_text
from ..compare.tolerance import CALIBRATED
from ..errors import GoldenError
from ..golden.apart import recorded_apart
from ..golden.checking import title
from ..golden.contracted import is_contract
from ..golden.pending import Proposal
from ..golden.reason import Why, since_recorded
from ..golden.record import CONTRACT, DRIFT, RATCHET, RATE, Recorded
from ..golden.rules import Judgement, Within
from ..golden.steps import step_key
from ..golden.store import provenance_of, verify_arrays
from ..provenance.words import plain
from .blocks import pictures
from .contents import contents
from .reasons import Side, proposal_sides, reasons, steps_parting
from .steps import steps_of

__all__ = ["proposed"]

WIDTH = 76
OTHER_RULES = frozenset({RATE, RATCHET, DRIFT, CONTRACT})
"""What checks have in the place of tolerances."""


def proposed(proposal: Proposal, root: Path, *, draw: bool = True) -> Iterator[str]:
    """Yield what a person needs to see to decide: all that the failure said, but for what to do next.

    draw: whether arrays are shown as pictures too. Raises GoldenError if the golden has changed since, or a file is damaged.
    """
    old, new = proposal_sides(proposal, root)
    if old is None:
        yield "nothing is recorded yet" if not proposal.variant else "nothing is recorded for this variant yet"
    else:
        yield from _changes(proposal, old, new, draw=draw)
    if proposal.new:
        yield f"{'recorded with it' if proposal.changed else 'to be recorded'}:"
        yield from (f"  {line}" for line in contents(new.golden, new.folder, proposal.new))
    if old is None and new.golden.steps:
        yield from steps_of(new.golden)


def _changes(proposal: Proposal, old: Side, new: Side, *, draw: bool) -> Iterator[str]:
    parted = steps_parting(old, new)
    if proposal.steps:
        yield from reasons(old, new, ())
        yield ""
    told = {step_key(step.name) for step in (*parted.roots, *parted.consequences)}
    for name in proposal.changed:
        one, two = old.golden.checks[name], new.golden.checks[name]
        yield from _as_failed(proposal, name, one, two, old, new, alone=name not in told).splitlines()
        yield ""
        if draw and name not in proposal.told:
            yield from _drawn(one, two, old, new)
    if proposal.dropped:
        yield f"recorded, and no check of the run came to it: {', '.join(map(_title, proposal.dropped))}"


def _title(name: str) -> str:
    return repr(name) if name else "the unnamed check"


def _as_failed(
    proposal: Proposal, name: str, one: Recorded, two: Recorded, old: Side, new: Side, *, alone: bool
) -> str:
    """Return the message of a check that differs; `alone`: no step explains it better."""
    why = _why(name, one, two, old, new)
    if name in proposal.told:
        details = "\n".join(_told(proposal, name, one, two, old, new))
        return failure_text(headline=proposal.why, details=details, why=why.evidence)
    found = _judged(one, two, old, new)
    if not found.change:
        why = Why(f"{title(name)} is held to a looser tolerance than recorded")
    return failure_text(
        headline=why.conclusion if alone else f"{plain(name)}:",
        details=found.words,
        why=why.evidence if alone else (),
    )


def _told(proposal: Proposal, name: str, one: Recorded, two: Recorded, old: Side, new: Side) -> Iterator[str]:
    """Yield what the failure said; of a contract also what accepting would make of it."""
    yield from (line for line in proposal.told[name].splitlines() if line != proposal.why)
    if is_contract(one) and is_contract(two):
        yield from ("", "accepted, the contract would change in")
        yield from (
            f"  {line}" for line in recorded_apart(one, two, (old.folder, new.folder), width=WIDTH).splitlines()
        )


def _why(name: str, one: Recorded, two: Recorded, old: Side, new: Side) -> Why:
    try:
        now = provenance_of(two, new.folder)
    except GoldenError as error:
        return Why(f"{name or 'the unnamed value'} changed", (plain(str(error)),))
    return since_recorded(one, old.folder, now, subject=name or "the unnamed value")


def _judged(one: Recorded, two: Recorded, old: Side, new: Side) -> Judgement:
    """Return how a check differs."""
    verify_arrays(one, old.folder)
    verify_arrays(two, new.folder)
    if not OTHER_RULES.isdisjoint((*one.tolerance, *two.tolerance)):
        return Judgement("changed", recorded_apart(one, two, (old.folder, new.folder), width=WIDTH))
    rule = Within(two.tolerances, two.tolerance.get(CALIBRATED))
    return rule.judge(one, old.folder, two.node(new.folder))


def _drawn(one: Recorded, two: Recorded, old: Side, new: Side) -> Iterator[str]:
    lines = list(pictures(one.node(old.folder), two.node(new.folder)))
    yield from lines
    if lines:
        yield ""
