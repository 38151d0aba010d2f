"""The observers of a test's runs: one notes what a run comes to, one holds the run that counts against those before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..compare.difference import Comparison
from ..compare.walk import compare
from ..golden.observer import Allowed
from ..values.node import Node
from .kept import EXACT
from .runs import Apart, Run, at, at_end, told
from .spread import spread_text
from .words import not_reproducible

__all__ = ["NOTHING", "Blind", "Holding", "Noting", "message"]

NOTHING: Final = (
    "the test gives nothing to compare: its runs can't be held against each other.\n"
    "Ask for `golden`, `repro` or `pipeline`, and give what must repeat to golden.check(value, name), "
    "repro.checkpoint(name, value) or pipeline.step(name, fn)"
)


class Noting:
    """Observes a run that does not count."""

    def __init__(self, run: Run, recorder: Any = None) -> None:  # a Recorder of the trace, or nothing
        self.run = run
        self._recorder = recorder

    def observe(self, label: str, value: object, node: Node, allowed: Allowed) -> None:
        """Note a value, and tell the trace that it was checked here."""
        self.run.note(label, node, allowed)
        if self._recorder is not None:
            self._recorder.checked(label, value)

    def others(self) -> list[tuple[str, Node | None]]:
        """Return nothing: a run that does not count is held against none."""
        return []

    def end(self) -> None:
        """Note that the body of the test has ended."""
        self.run.reached = len(self.run.seen)


class Blind:
    """Observes a run that is made for what it leaves behind."""

    def observe(self, label: str, value: object, node: Node, allowed: Allowed) -> None:
        """Look away."""

    def others(self) -> list[tuple[str, Node | None]]:
        """Look away."""
        return []

    def end(self) -> None:
        """Look away."""


class Holding:
    """Observes the run that counts, and raises where it parts from one before it.

    Where the value belongs to one of several examples of the test (hypothesis), the difference is kept until the end: an
    error in an example would have it run again and again, with values that belong to no other run.
    """

    def __init__(
        self,
        run: Run,
        earlier: Sequence[Run],
        *,
        recording: bool = False,
        lenient: bool = False,
        required: bool = True,
    ) -> None:
        self.run, self.earlier = run, earlier
        self.apart: Apart | None = None
        self.spreads: dict[tuple[str, str], str] = {}
        """How far the values are from those of a run that is allowed to differ: (variation, label), words."""
        self._recording, self._lenient, self._required = recording, lenient, required
        self.later = False
        """Whether a difference waits until the end."""

    def observe(self, label: str, value: object, node: Node, allowed: Allowed) -> None:
        """Hold a value against those of all runs before; AssertionError where they part."""
        __tracebackhide__ = True
        if self.apart is not None:
            return  # the first difference is what is told
        self.run.note(label, node, allowed)
        place = len(self.run.seen) - 1
        for run in self.earlier:
            found = self._at(run, place)
            if found is not None:
                self._part(found)
                return

    def others(self) -> list[tuple[str, Node | None]]:
        """Return what each earlier run gave in the place of the last value, None where it never came there."""
        place = len(self.run.seen) - 1
        return [
            ("" if run.variation is None else run.variation.name, self._same_place(run, place)) for run in self.earlier
        ]

    def _same_place(self, run: Run, place: int) -> Node | None:
        there = place < len(run.seen) and run.seen[place].label == self.run.seen[place].label
        return run.node(place) if there else None

    def _at(self, run: Run, place: int) -> Apart | None:
        if run.variation is None:
            return at(run, self.run, place, lenient=self._lenient)
        if not run.variation.exact:
            self._spread(run, place)
        return at(self.run, run, place) if run.variation.fails else None

    def _spread(self, run: Run, place: int) -> None:
        """Keep how far an inexact run is away, the furthest of a label."""
        assert run.variation is not None  # an inexact run is a varied one
        if place >= len(run.seen) or run.seen[place].digest == self.run.seen[place].digest:
            return
        label = self.run.seen[place].label
        one, two = self.run.node(place), run.node(place)
        if run.seen[place].label != label or one is None or two is None:
            return
        found = compare(one, two, EXACT)
        if not found.ok:
            self.spreads.setdefault((run.variation.name, label), spread_text(found))

    def _part(self, apart: Apart) -> None:
        __tracebackhide__ = True
        self.apart = apart
        if not self.later:
            self.fail()

    def fail(self) -> None:
        """Raise AssertionError with what parts."""
        __tracebackhide__ = True
        assert self.apart is not None  # asked only then
        raise AssertionError(message(self.apart, recording=self._recording))

    def end(self) -> None:
        """Close the body of the test, which passed; AssertionError for what parts, or if there was nothing to hold."""
        __tracebackhide__ = True
        if self.apart is not None:
            self.fail()  # also one that the test swallowed
        self.run.reached, self.run.outcome = len(self.run.seen), "passed"
        self.apart = self._ends()
        if self.apart is not None:
            self.fail()
        if self._required and not self.run.seen:
            raise AssertionError(NOTHING)

    def _ends(self) -> Apart | None:
        for run in self.earlier:
            found = at_end(run, self.run) if run.variation is None else at_end(self.run, run)
            if found is not None and (run.variation is None or run.variation.fails):
                return found
            if found is not None:  # it may differ, and is told of beside the result
                self.spreads[run.variation.name, "the test"] = told(run)  # type: ignore[union-attr]  # as was just asked
        return None

    def failed(self, words: str) -> Apart | None:
        """Take in that this run failed by itself, and return how an earlier one parts from it that passed; None if none did."""
        self.run.outcome, self.run.words = "failed", words
        passed = [
            run for run in self.earlier if run.outcome == "passed" and (run.variation is None or run.variation.fails)
        ]
        if not passed:
            return None
        self.apart = at_end(passed[0], self.run) if passed[0].variation is None else at_end(self.run, passed[0])
        return self.apart


def message(apart: Apart, *, recording: bool = False, evidence: Sequence[str] = ()) -> str:
    """Return what a failure says about two runs that part."""
    return not_reproducible(
        apart.what,
        apart.differs,
        variation=apart.variation,
        proved=apart.proved,
        parting=evidence,
        consequence="nothing was recorded" if recording else "",
        next_commands=_commands(apart, recording=recording),
    )


def _commands(apart: Apart, *, recording: bool) -> tuple[str, ...]:
    if apart.variation is not None and not apart.variation.exact and isinstance(apart.differs, Comparison):
        step = apart.what.startswith("step ")
        call = "pipeline.step(name, fn, check=Tolerance(…))" if step else "golden.check(value, name, rtol=…, atol=…)"
        return (f"if such a difference is fine, allow it: {call}",)
    if not recording:
        return ()
    return (
        "seed the test with @pytest.mark.repro, or allow the difference with a tolerance",
        "narrow it down with repro.checkpoint(name, value) along the way",
    )
