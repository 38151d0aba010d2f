"""The order of the tries: nothing, each alone, all together, ever fewer; and what follows from how they went.

Fewer and fewer goes by delta debugging (Zeller and Hildebrandt, *Simplifying and isolating failure-inducing input*, IEEE
Transactions on Software Engineering 28, 2002): halves first, so that many suspects take few runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from .child import Outcome
from .units import Unit

__all__ = ["Found", "Search", "Try"]

Answer: TypeAlias = Literal["alone", "each", "together", "none", "absent", "broken", "by turns", "not reproducible"]
ALONE: Final = 12
"""Suspects up to which each is tried alone; more are tried in halves."""


@dataclass(frozen=True, slots=True)
class Try:
    """One run, and what was put back for it."""

    units: tuple[Unit, ...]
    outcome: Outcome
    again: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What the tries say."""

    answer: Answer
    carriers: tuple[Unit, ...] = ()


@dataclass
class Search:
    """The tries so far. `run` runs the test with some units put back; `tell` hears of each try as it is done."""

    run: Callable[[Sequence[Unit]], Outcome]
    tell: Callable[[Try], None]
    tries: list[Try] = field(default_factory=list)
    _known: dict[frozenset[int], Outcome] = field(default_factory=dict)

    def start(self, expected: dict[str, str]) -> Found | None:
        """Run the test as it is now; return an answer if there is nothing to look for.

        expected: the digests of the values that differed for the user. If those of two runs here are neither alike nor
        those, the test gives other values each time, and nothing that is put back could be judged.
        """
        outcome = self._try(())
        if outcome.kind == "passes":
            return Found("absent")
        if outcome.kind == "breaks":
            return Found("broken")
        alike = all(expected.get(name) == digest for name, digest in outcome.digests.items())
        return None if alike else self.twice()

    def twice(self) -> Found | None:
        """Run the test as it is now once more; return an answer if it goes otherwise."""
        first, second = self._known[frozenset()], self._try((), again=True)
        if second.kind != first.kind:
            return Found("by turns")
        common = first.digests.keys() & second.digests.keys()
        return Found("not reproducible") if any(first.digests[n] != second.digests[n] for n in common) else None

    def among(self, units: Sequence[Unit]) -> Found:
        """Return which of the units carry the change, confirmed by a second run."""
        found = self._among(list(units))
        return self._confirmed(found) if found.carriers else found

    def _among(self, units: list[Unit]) -> Found:
        if len(units) <= ALONE:
            alone = [unit for unit in units if self._passes([unit])]
            if alone:
                return Found("each" if len(alone) > 1 else "alone", tuple(alone))
        if len(units) > 1 and self._passes(units):
            carriers = self._fewest(units)
            return Found("alone" if len(carriers) == 1 else "together", tuple(carriers))
        return Found("none")

    def _fewest(self, units: list[Unit]) -> list[Unit]:
        """Return a subset that passes, and of which every one is needed."""
        pieces = 2
        while len(units) > 1:
            size = -(-len(units) // pieces)
            chunks = [units[at : at + size] for at in range(0, len(units), size)]
            rests = [[unit for unit in units if unit not in chunk] for chunk in chunks]
            smaller = next((some for some in (*chunks, *rests) if self._passes(some)), None)
            if smaller is not None:
                pieces = max(pieces - 1, 2) if smaller in rests and smaller not in chunks else 2
                units = smaller
            elif pieces >= len(units):
                break
            else:
                pieces = min(2 * pieces, len(units))
        return units

    def _confirmed(self, found: Found) -> Found:
        """Return the answer if the same runs go the same way again."""
        sets = [[unit] for unit in found.carriers] if found.answer == "each" else [list(found.carriers)]
        if (
            all(self._try(some, again=True).kind == "passes" for some in sets)
            and self._try((), again=True).kind == "fails"
        ):
            return found
        return Found("by turns")

    def _passes(self, units: Sequence[Unit]) -> bool:
        key = frozenset(map(id, units))
        return (self._known[key] if key in self._known else self._try(units)).kind == "passes"

    def _try(self, units: Sequence[Unit], *, again: bool = False) -> Outcome:
        outcome = self.run(units)
        self._known.setdefault(frozenset(map(id, units)), outcome)
        done = Try(tuple(units), outcome, again)
        self.tries.append(done)
        self.tell(done)
        return outcome
