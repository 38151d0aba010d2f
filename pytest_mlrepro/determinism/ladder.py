"""The ladder of reruns: cheapest first, each rung names its cause; and what is run again to explain a difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from ..values.node import Node
from .culprit import found_state, told_order
from .runner import Explained, Runner
from .runs import Apart, Run, first_difference
from .traces import Rounds
from .unwritten import holds_pattern
from .vary import VARIATIONS, Variation, hashes_at_random
from .words import wrapped

__all__ = ["Ladder"]

BATCH: Final = ("process", "hashseed", "malloc")
"""What one child can do at once; only if a test parts there, children with one variation each name the cause."""
RARE: Final = "two more runs agree with each other: the difference does not always come"
TRIES: Final = 3
FIXTURE: Final = (
    "only the first run differs, and a run with the wider fixtures made anew agrees with it: the test changes a fixture of "
    "class, module or package scope, and the next run finds it changed"
)
FIRST: Final = (
    "only the first run in this process differs, all later ones agree: it left something behind that the later ones find "
    "(a cache, a counter, a global object, a fixture of the session)"
)
EACH: Final = "two fresh processes differ from each other too, with the same settings: it differs from run to run"
UNWRITTEN: Final = "the value holds the pattern that memory was filled with: it was made, and never written to"


class Ladder:
    """The runs of one test."""

    def __init__(
        self, folder: Path, *, reruns: int, variations: Sequence[Variation], lenient: bool, runner: Runner
    ) -> None:
        self.earlier: list[Run] = []
        self._folder, self._reruns, self._variations = folder, reruns, variations
        self._lenient, self._runner = lenient, runner
        self._count = self._rounds = 0

    def run(self, variation: Variation | None = None) -> Run:
        """Return a new run, not yet run."""
        self._count += 1
        base = self.earlier[0] if self.earlier else None
        return Run(self._folder / f"run-{self._count}", variation, base=base)

    @property
    def planned(self) -> int:
        """How many runs `climb` makes if none parts."""
        batch = self._batch()
        return self._reruns - 1 + len(self._variations) - len(batch) + bool(batch)

    def climb(self) -> None:
        """Run the test under each variation, until one parts from the first plain run."""
        for run in self._rungs():
            self.earlier.append(run)
            if run.outcome != "passed" and (run.variation is None or run.variation.fails):
                return  # the run that counts will tell whether it fails too
            if self._parts(run):
                return

    def _parts(self, run: Run) -> bool:
        first = self.earlier[0]
        if run is first or first.variation is not None or (run.variation is not None and not run.variation.fails):
            return False
        return first_difference(first, run, lenient=self._lenient) is not None

    def _rungs(self) -> Iterator[Run]:
        for _ in range(self._reruns - 1):
            run = self.run()
            self._runner.here(run)
            yield run
        for variation in (one for one in self._variations if not one.child):
            run = self.run(variation)
            self._runner.here(run)
            yield run
        if batch := self._batch():
            run = self.run(batch[-1])
            self._runner.there(run, batch)
            yield run
        for variation in (one for one in self._variations if one.child and one not in batch):
            run = self.run(variation)
            if variation.name == "order":
                self._runner.reversed(run)
            else:
                self._runner.there(run, [variation])
            yield run

    def _batch(self) -> list[Variation]:
        return [one for one in self._variations if one.name in BATCH]

    # After a difference.

    def explain(self, apart: Apart, real: Run) -> Explained:
        """Run the test again to say what the difference is due to, and where the runs part."""
        variation = apart.variation
        if variation is None:
            return self._plain(apart, real)
        rounds = self._between(variation)
        again, varied = rounds.first() if variation.name != "order" else (self._here(), None)
        if (rerun := first_difference(real, again, lenient=self._lenient)) is not None:
            if (unwritten := self._unwritten(apart.place, real)) is not None:
                return Explained(replace(unwritten, proved=False), (UNWRITTEN, "a plain rerun differs too"))
            return self._plain(rerun, real, ("a plain rerun differs too, so what was varied need not be the reason",))
        if variation.name == "order":
            return told_order(apart, real, self.run, self._runner)
        if variation.name in BATCH:
            narrowed = self._narrowed(apart, real)
            if not narrowed.apart.proved:
                return narrowed
            apart = narrowed.apart
        assert apart.variation is not None  # it was, and narrowing keeps to one
        if apart.variation is not variation:
            rounds = self._between(apart.variation)
            _, varied = rounds.first()
        assert varied is not None  # of all but "order", which has returned
        if first_difference(real, varied, lenient=self._lenient) is None:
            return Explained(
                apart, (f"one more run {apart.variation.words} agrees: the difference does not always come",)
            )
        lines = rounds.lines()
        shown = apart.variation.name == "malloc" and holds_pattern(_value(varied, apart.place))
        return Explained(apart, (*([UNWRITTEN] if shown else ()), *lines))

    def _unwritten(self, place: int, real: Run) -> Apart | None:
        """Return how the run under "malloc" differs, if it shows that memory was never written to: by a pattern of ours."""
        asked = [one for one in self._variations if one.name == "malloc"]
        if not asked:
            return None
        run = self.run(asked[0])
        self._runner.there(run, asked)
        return first_difference(real, run) if holds_pattern(_value(run, place)) else None

    def _plain(self, apart: Apart, real: Run, more: tuple[str, ...] = ()) -> Explained:
        before = self._runner.state()
        one = self._here()
        evidence = found_state(before, self._runner.state())
        other = self._here()
        if (agree := first_difference(one, other, lenient=self._lenient) is None) and not evidence:
            evidence = self._first_only(real, one)
        lines = [] if agree else self._where(None)
        if agree and not evidence:
            evidence = [RARE]
        return Explained(apart, (*more, *evidence, *lines))

    def _first_only(self, real: Run, later: Run) -> list[str]:
        """Tell of a first run that differs from all later ones: it left something behind."""
        first = self.earlier[0]
        if (
            first.variation is not None
            or first_difference(real, later) is not None
            or first_difference(first, real) is None
        ):
            return []
        anew = self.run()
        self._runner.anew(anew)
        if first_difference(first, anew) is None:
            return [wrapped(FIXTURE)]
        return [wrapped(FIRST)]

    def _narrowed(self, apart: Apart, real: Run) -> Explained:
        """Return the difference under the one variation that brings it forth, if there is one."""
        batch = self._batch()
        plain = self._child()
        if (found := first_difference(real, plain)) is not None:
            return self._of_a_process(found, plain, real)
        for variation in (one for one in batch if one.name != "process"):
            run = self._child(variation)
            if (found := first_difference(real, run)) is not None:
                return Explained(found)
        words = ", ".join(one.words for one in batch)
        return Explained(
            replace(apart, proved=False), (f"one run differs ({words} at once), with each of these alone none does",)
        )

    def _of_a_process(self, apart: Apart, plain: Run, real: Run) -> Explained:
        """Tell state of this process from hash order, which no child has in common with a process that hashes at random."""
        if not apart.proved:
            return Explained(apart)
        if (unwritten := self._unwritten(apart.place, real)) is not None:
            return Explained(unwritten)
        if first_difference(plain, self._child()) is not None:
            return Explained(replace(apart, proved=False), (EACH,))
        if not hashes_at_random():
            return Explained(apart)
        found = first_difference(plain, self._child(VARIATIONS["hashseed"]))
        return Explained(apart if found is None else found)

    def _child(self, variation: Variation | None = None) -> Run:
        """Return a run in a process of its own, varied in this alone."""
        run = self.run(variation or VARIATIONS["process"])
        self._runner.there(run, [] if variation is None else [variation], fresh=True)
        return run

    def _here(self, trace: Path | None = None) -> Run:
        run = self.run()
        self._runner.here(run, trace=trace)
        return run

    def _varied(self, variation: Variation | None, trace: Path) -> Run:
        if variation is None or not variation.child:
            run = self.run(variation)
            self._runner.here(run, trace=trace)
        else:
            run = self.run(variation)
            self._runner.there(run, [variation], trace=trace)
        return run

    def _between(self, variation: Variation | None) -> Rounds:
        """Return pairs of traced runs, a plain one and a varied one: of children both, if one must be."""
        self._rounds += 1
        folder = self._folder / f"trace-{self._rounds}"
        folder.mkdir(parents=True)
        return Rounds(folder, self._here, lambda file: self._varied(variation, file), variation)

    def _where(self, variation: Variation | None) -> list[str]:
        """Return where two runs part; runs that part only now and then are made a few times."""
        for _ in range(TRIES):
            rounds = self._between(variation)
            one, other = rounds.first()
            if first_difference(one, other, lenient=self._lenient) is not None:
                return rounds.lines()
        return []


def _value(run: Run, place: int) -> Node | None:
    return run.node(place) if 0 <= place < len(run.seen) else None
