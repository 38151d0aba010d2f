"""The ladder of reruns: cheapest first, each rung names its cause; and what is run again to explain a difference."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from .culprit import found_state, told_order
from .runner import Explained, Runner
from .runs import Apart, Run, first_difference
from .traces import part_lines
from .unwritten import holds_pattern
from .vary import VARIATIONS, Variation, hashes_at_random
from .words import wrapped

__all__ = ["Ladder"]

BATCH: Final = ("process", "hashseed", "malloc")
"""What one child can do at once; only if a test parts there, children with one variation each name the cause."""
RARE: Final = "two more runs agree with each other: the difference does not always come"
FIXTURE: Final = (
    "only the first run differs, and a run with the wider fixtures made anew agrees with it: the test changes a fixture of "
    "class, module or package scope, and the next run finds it changed"
)
FIRST: Final = (
    "only the first run in this process differs, all later ones agree: it left something behind that the later ones find "
    "(a cache, a counter, a global object, a fixture of the session)"
)
UNWRITTEN: Final = "the value holds the pattern that memory was filled with: it was made, and never written to"


class Ladder:
    """The runs of one test."""

    def __init__(
        self, folder: Path, *, reruns: int, variations: Sequence[Variation], lenient: bool, runner: Runner
    ) -> None:
        self.earlier: list[Run] = []
        self._folder, self._reruns, self._variations = folder, reruns, variations
        self._lenient, self._runner = lenient, runner
        self._count = 0

    def run(self, variation: Variation | None = None) -> Run:
        """Return a new run, not yet run."""
        self._count += 1
        base = self.earlier[0] if self.earlier else None
        return Run(self._folder / f"run-{self._count}", variation, base=base)

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
        again = self._traced("again", None)
        if (rerun := first_difference(real, again, lenient=self._lenient)) is not None:
            more = ("a plain rerun differs too, so what was varied need not be the reason", *self._unwritten(apart))
            return self._plain(rerun, real, more)
        if variation.name == "order":
            return told_order(apart, real, self.run, self._runner)
        if variation.name in BATCH:
            apart = self._narrowed(apart, real)
        if apart.variation is None or not apart.proved:
            return Explained(apart)
        varied = self._traced("varied", apart.variation)
        if first_difference(real, varied, lenient=self._lenient) is None:
            return Explained(
                apart, (f"one more run {apart.variation.words} agrees: the difference does not always come",)
            )
        lines = part_lines(self._trace("again"), self._trace("varied"), apart.variation)
        return Explained(apart, (*self._unwritten(apart), *lines))

    def _unwritten(self, apart: Apart) -> list[str]:
        """Tell of memory that was never written to, if the run under "malloc" shows it."""
        asked = [one for one in self._variations if one.name == "malloc"]
        if not asked or apart.place < 0:
            return []
        run = self.run(asked[0])
        self._runner.there(run, asked)
        node = run.node(apart.place) if apart.place < len(run.seen) else None
        return [UNWRITTEN] if holds_pattern(node) else []

    def _plain(self, apart: Apart, real: Run, more: tuple[str, ...] = ()) -> Explained:
        before = self._runner.state()
        one = self._traced("one", None)
        evidence = found_state(before, self._runner.state())
        other = self._traced("other", None)
        if (agree := first_difference(one, other, lenient=self._lenient) is None) and not evidence:
            evidence = self._first_only(real, one)
        lines = [] if agree else part_lines(self._trace("one"), self._trace("other"), None)
        if agree and not evidence and UNWRITTEN not in more:
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

    def _narrowed(self, apart: Apart, real: Run) -> Apart:
        """Return the difference under the one variation that brings it forth, if there is one."""
        batch = self._batch()
        plain = self.run(VARIATIONS["process"])
        self._runner.there(plain, [])
        if (found := first_difference(real, plain)) is not None:
            return self._hashes(found, plain)
        for variation in (one for one in batch if one.name != "process"):
            run = self.run(variation)
            self._runner.there(run, [variation])
            if (found := first_difference(real, run)) is not None:
                return found
        words = " and ".join(f"{one.words}" for one in batch)
        return Apart(
            None, apart.what, f"one run {words} differs, further ones with each of these alone don't.", apart.place
        )

    def _hashes(self, apart: Apart, plain: Run) -> Apart:
        """Tell hash order from other state: no child can hash as a process that hashes at random."""
        if not hashes_at_random():
            return apart
        other = self.run(VARIATIONS["hashseed"])
        self._runner.there(other, [VARIATIONS["hashseed"]])
        return apart if (found := first_difference(plain, other)) is None else found

    def _traced(self, name: str, variation: Variation | None) -> Run:
        run = self.run(variation)
        if variation is not None and variation.child:
            self._runner.there(run, [variation], trace=self._trace(name))
        else:
            self._runner.here(run, trace=self._trace(name))
        return run

    def _trace(self, name: str) -> Path:
        return self._folder / f"trace-{name}"

    def discard(self) -> None:
        """Remove what the runs put aside."""
        shutil.rmtree(self._folder, ignore_errors=True)
