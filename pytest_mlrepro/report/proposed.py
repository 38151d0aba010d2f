"""A proposal as the failure that made it was shown: the conclusion, the difference, what changed; then pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..compare.explain import failure_text
from ..compare.tolerance import CALIBRATED
from ..errors import GoldenError
from ..golden.alike import Alike, is_distribution, metrics_in
from ..golden.apart import recorded_apart
from ..golden.checking import title
from ..golden.contracted import is_contract
from ..golden.pending import Proposal
from ..golden.reason import Why, since_recorded
from ..golden.record import CONTRACT, DRIFT, RATCHET, RATE, Recorded
from ..golden.rules import Judgement, Within
from ..golden.steps import step_key
from ..golden.store import provenance_of, verify_arrays
from ..golden.suite import metrics_recorded
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
        yield from _Changed(proposal, root, old, new, draw=draw).lines()
    if proposal.new:
        yield f"{'recorded with it' if proposal.changed else 'to be recorded'}:"
        yield from (f"  {line}" for line in contents(new.golden, new.folder, proposal.new))
    if old is None and new.golden.steps:
        yield from steps_of(new.golden)


class _Changed:
    """A golden beside what it would become."""

    def __init__(self, proposal: Proposal, root: Path, old: Side, new: Side, *, draw: bool) -> None:
        self._proposal, self._root, self._old, self._new, self._draw = proposal, root, old, new, draw
        parted = steps_parting(old, new)
        self._by_steps = {step_key(step.name) for step in (*parted.roots, *parted.consequences)}
        """Checks whose change the steps explain better."""

    def lines(self) -> Iterator[str]:
        """Yield the steps that part, then each check."""
        if self._proposal.steps:
            yield from reasons(self._old, self._new, ())
            yield ""
        for name in self._proposal.changed:
            one, two = self._old.golden.checks[name], self._new.golden.checks[name]
            yield from self._message(name, one, two).splitlines()
            yield ""
            if self._draw and name not in self._proposal.told:
                yield from self._drawn(one, two)
        if self._proposal.dropped:
            names = (repr(name) if name else "the unnamed check" for name in self._proposal.dropped)
            yield f"recorded, and no check of the run came to it: {', '.join(names)}"

    def _message(self, name: str, one: Recorded, two: Recorded) -> str:
        """Return the message that a check failed with."""
        why = self._why(name, one, two)
        if name in self._proposal.told:
            details = "\n".join(self._told(name, one, two))
            return failure_text(headline=self._proposal.why, details=details, why=why.evidence)
        found = self._judged(name, one, two)
        if not found.change:
            why = Why(f"{title(name)} is held to a looser tolerance than recorded")
        if name in self._by_steps:
            return failure_text(headline=f"{plain(name)}:", details=found.words)
        return failure_text(headline=why.conclusion, details=found.words, why=why.evidence)

    def _told(self, name: str, one: Recorded, two: Recorded) -> Iterator[str]:
        """Yield what the failure said of the data; of a contract also what accepting would make of it."""
        yield from (line for line in self._proposal.told[name].splitlines() if line != self._proposal.why)
        if is_contract(one) and is_contract(two):
            yield from ("", "accepted, the contract would change in")
            yield from (f"  {line}" for line in self._apart(one, two).splitlines())

    def _why(self, name: str, one: Recorded, two: Recorded) -> Why:
        subject = name or "the unnamed value"
        try:
            now = provenance_of(two, self._new.folder)
        except GoldenError as error:
            return Why(f"{subject} changed", (plain(str(error)),))
        return since_recorded(one, self._old.folder, now, subject=subject)

    def _judged(self, name: str, one: Recorded, two: Recorded) -> Judgement:
        """Return how a check differs, by the rule that it failed."""
        verify_arrays(one, self._old.folder)
        verify_arrays(two, self._new.folder)
        node = two.node(self._new.folder)
        if is_distribution(one) and is_distribution(two):
            return Alike(one.tolerance[RATE], self._metrics_beside(name)).judge(one, self._old.folder, node)
        if not OTHER_RULES.isdisjoint((*one.tolerance, *two.tolerance)):
            return Judgement("changed", self._apart(one, two))
        return Within(two.tolerances, two.tolerance.get(CALIBRATED)).judge(one, self._old.folder, node)

    def _apart(self, one: Recorded, two: Recorded) -> str:
        return recorded_apart(one, two, (self._old.folder, self._new.folder), width=WIDTH)

    def _metrics_beside(self, name: str) -> int:
        """Return how many metrics share the rate of false alarms with a distribution check."""
        elsewhere = sum(number for folder, number in metrics_recorded(self._root).items() if folder != self._old.folder)
        checks = self._old.golden.checks.items()
        return elsewhere + sum(metrics_in(check) for other, check in checks if other != name)

    def _drawn(self, one: Recorded, two: Recorded) -> Iterator[str]:
        lines = list(pictures(one.node(self._old.folder), two.node(self._new.folder)))
        yield from lines
        if lines:
            yield ""
