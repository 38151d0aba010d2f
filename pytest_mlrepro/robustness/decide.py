"""When a run may stop: as soon as the decision can't change. Two rules, over these samples or over what they stand for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np

from .run import ALIVE, BROKEN, PROVED, SURVIVED, WRONG, Run
from .sequential import side

__all__ = ["Decision", "OfPopulation", "OfSamples", "Rule"]

Decision: TypeAlias = Literal["failed", "passed"]


class Rule(Protocol):
    """Tells whether a run is decided already, and in which order samples have to be finished for that."""

    @property
    def block(self) -> int:
        """How many samples are finished between two looks."""

    def decided(self, run: Run) -> Decision | None:
        """Return the decision that a complete run would come to, or None while both are possible."""


@dataclass(frozen=True, slots=True)
class OfSamples:
    """Robust accuracy over exactly these samples: failed once too many are broken, passed once enough are through."""

    min_accuracy: float
    samples: int
    block: int

    @property
    def needed(self) -> int:
        """How many samples have to stand; a share of 0.7 of ten samples is seven, whatever 0.7 * 10 is in floats."""
        return math.ceil(self.min_accuracy * self.samples - 1e-9)

    def decided(self, run: Run) -> Decision | None:
        """Tell from the counts alone."""
        if run.count(WRONG, BROKEN) > self.samples - self.needed:
            return "failed"
        return "passed" if run.count(PROVED, SURVIVED) >= self.needed else None


@dataclass(frozen=True, slots=True)
class OfPopulation:
    """Robust accuracy of what the samples were drawn from, looked at after each sample, in random order."""

    min_accuracy: float
    confidence: float
    block: int

    def outcomes(self, run: Run) -> tuple[bool, ...]:
        """Return whether each sample stands, in order, as far as all before it are finished too."""
        states = run.state[run.order]
        open_ = np.flatnonzero(states == ALIVE)
        finished = states[: open_[0]] if len(open_) else states
        return tuple((finished >= PROVED).tolist())

    def decided(self, run: Run) -> Decision | None:
        """Tell as soon as the bounds leave the threshold on one side, at whichever sample that first was."""
        return self.first(run)[0]

    def first(self, run: Run) -> tuple[Decision | None, int, int]:
        """Return the decision with the numbers of samples that stood and fell when it fell."""
        stood = fell = 0
        for stands in self.outcomes(run):
            stood, fell = stood + stands, fell + (not stands)
            where = side(stood, fell, self.min_accuracy, self.confidence)
            if where is not None:
                return ("passed" if where == "above" else "failed"), stood, fell
        return None, stood, fell
