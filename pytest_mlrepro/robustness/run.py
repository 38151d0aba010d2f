"""One run over one set of samples: which are still standing, what was found, what it cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .attacks.base import Attack, Batch
from .cascade import Done, Job, Shards
from .inputs import Floats
from .models import Model
from .report import Progress, Stage
from .threats import Ball

__all__ = ["ALIVE", "BROKEN", "PROVED", "SURVIVED", "WRONG", "Found", "Run"]

WRONG, ALIVE, BROKEN, PROVED, SURVIVED = range(5)
"""States of a sample; ALIVE has not been through everything."""

Ids = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A point that breaks a sample, with the model's last word on it."""

    point: Floats
    scores: NDArray[np.float64]
    attack: str
    first: Floats | None = None
    """What the attack found, if `point` is smaller."""


@dataclass(slots=True, eq=False)
class Run:
    """The samples with their states. Attacks take samples out; a sample that is out is not attacked again."""

    model: Model
    batch: Batch
    ball: Ball
    rows: int
    shards: Shards
    tell: Callable[[Progress], None] | None
    state: NDArray[np.int8]
    started: float
    passed: NDArray[np.int64] = field(init=False)
    """How many attacks of the plan each sample has stood."""
    found: dict[int, Found] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    evaluations: int = 0
    gradients: int = 0
    largest: float | None = None

    def __post_init__(self) -> None:
        self.passed = np.zeros(len(self.state), np.int64)

    @property
    def order(self) -> Ids:
        """The samples in random order, the same for any order that they were given in."""
        return np.argsort(self.batch.keys, kind="stable")

    def alive(self, ids: Ids) -> Ids:
        """Return those of the samples that nothing has broken."""
        standing: Ids = ids[(self.state[ids] == ALIVE) | (self.state[ids] == SURVIVED)]
        return standing

    def count(self, *states: int) -> int:
        """Return how many samples are in one of the states."""
        return int(np.isin(self.state, states).sum())

    @property
    def wave(self) -> int:
        """How many samples are attacked between two looks at the decision."""
        return self.rows * self.shards.pieces

    def attack(self, attack: Attack, ids: Ids, *, rows: int | None = None, ball: Ball | None = None) -> int:
        """Attack the samples in batches of this length; return how many broke. With another ball nothing is kept."""
        rows = rows or self.rows
        pieces = [ids[first : first + rows] for first in range(0, len(ids), rows)]
        jobs = [Job(self.model, attack, ball or self.ball, self.batch.take(piece), rows) for piece in pieces]
        broke = 0
        for piece, done in zip(pieces, self.shards.run(jobs), strict=True):
            self.evaluations += done.evaluations
            self.gradients += done.gradients
            broke += int(done.broken.sum())
            label = attack.label if ball is None else f"{attack.label}, at epsilon {ball.epsilon:.3g}"
            self._note(_spent(label, attack.kind, done))
            if ball is None:
                self._keep(label, piece, done.broken, done.points, done.scores)
        return broke

    def _keep(
        self, label: str, ids: Ids, broken: NDArray[np.bool_], points: Floats, scores: NDArray[np.float64]
    ) -> None:
        self.passed[ids[~broken]] += 1
        self.measure(ids, scores)
        for at in np.flatnonzero(broken):
            self.state[ids[at]] = BROKEN
            self.found[int(ids[at])] = Found(points[at], scores[at], label)

    def measure(self, ids: Ids, scores: NDArray[np.float64]) -> None:
        """Note, in a regression, how far the outputs of these samples were moved."""
        if self.batch.goal.base is not None and len(ids):
            change = np.abs(scores - self.batch.goal.base[ids])
            self.largest = max(self.largest or 0.0, float(np.nanmax(change, initial=0.0)))

    def _note(self, new: Stage) -> None:
        old = self.stages.get(new.attack)
        self.stages[new.attack] = new if old is None else replace(
            old,
            tried=old.tried + new.tried, broke=old.broke + new.broke, evaluations=old.evaluations + new.evaluations,
            seconds=old.seconds + new.seconds, errors=old.errors + new.errors, error=old.error or new.error,
        )  # fmt: skip

    def progress(self, attack: Any, done: int, total: int) -> None:
        """Tell the user's callback, if there is one."""
        if self.tell is not None:
            self.tell(Progress(attack.label, done, total, self.count(BROKEN), time.perf_counter() - self.started))


def _spent(label: str, kind: str, done: Done) -> Stage:
    broke, errors = int(done.broken.sum()), len(done.errors)
    return Stage(label, kind, len(done.broken), broke, done.evaluations, done.seconds, errors, "".join(done.errors[:1]))
