"""Counterexamples made small before people see them: the fewest changed elements first, then the shortest way.

The set of changed elements is reduced by delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating
Failure-Inducing Input", 2002), with many candidates in one call of the model; then what is left is drawn towards the
sample as far as it still breaks. Each candidate is held to what a counterexample is held to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .inputs import Floats
from .models import Meter
from .report import differ
from .run import Run
from .threats import Ball

__all__ = ["shrink"]

FEW: Final = 3
"""Counterexamples that are shrunk, the nearest: more are not shown."""
SPENT: Final = 400
"""Candidates for each of them."""
AT_ONCE: Final = 64
STEPS: Final = 8
"""In which the way from the sample to the counterexample is cut, and then one of them."""


def shrink(run: Run) -> None:
    """Replace the nearest counterexamples of a run by smaller ones, where there are some."""
    # to a hundredth of what is allowed: many are at the edge of the ball, and differ by rounding
    near = {at: (round(_distance(run, at) / run.ball.epsilon, 2), int(run.batch.keys[at])) for at in run.found}
    meter = Meter(run.model, refusing=not isinstance(run.ball, Ball))
    for at in sorted(near, key=lambda at: near[at])[:FEW]:
        one = _Shrinking(run, meter, at)
        with suppress(Exception):  # a model may refuse what no attack has tried; what was found stays found
            one.smallest()
        run.found[at] = one.best
    run.evaluations += meter.evaluations


def _distance(run: Run, at: int) -> float:
    return float(run.ball.distance(run.batch.x[at][None], run.found[at].point[None])[0])


class _Shrinking:
    """One counterexample."""

    def __init__(self, run: Run, meter: Meter, at: int) -> None:
        self._run, self._meter, self._at = run, meter, at
        self._origin = run.batch.x[at]
        self.best = run.found[at]
        self._first_found = self.best.point
        self._left = SPENT

    def smallest(self) -> None:
        """Look for the smallest; `best` is what was found so far."""
        changed = np.flatnonzero(differ(self.best.point, self._origin).ravel())
        if len(changed) > 1:
            changed = self._largest(changed)
            self._debug(changed)
        self._closer()

    def _largest(self, changed: NDArray[np.intp]) -> NDArray[np.intp]:
        """Keep the 1, 2, 4, ... elements that changed most, as few as break it."""
        size = np.nan_to_num(np.abs(self.best.point - self._origin), nan=np.inf).ravel()[changed]
        order = changed[np.argsort(-size, kind="stable")]
        counts = [1 << power for power in range(len(order).bit_length()) if 1 << power < len(order)]
        held = self._first([order[:count] for count in counts])
        return changed if held is None else np.sort(order[: counts[held]])

    def _debug(self, changed: NDArray[np.intp]) -> None:
        """Leave out one part after the other, in ever smaller parts, until none can be left out."""
        parts = 2
        while len(changed) > 1 and self._left > 0:
            pieces = np.array_split(changed, min(parts, len(changed)))
            rest = [np.concatenate([*pieces[:at], *pieces[at + 1 :]]) for at in range(len(pieces))]
            held = self._first(rest)
            if held is not None:
                changed, parts = rest[held], max(2, parts - 1)
            elif parts >= len(changed):
                return
            else:
                parts = min(2 * parts, len(changed))

    def _closer(self) -> None:
        """Take the shortest part of the way that breaks it: the first of so many steps, then the first within that step."""
        whole, reached = self.best.point, 0
        self._left = max(self._left, 2 * STEPS)
        for size in (STEPS, 1):
            steps = range(reached + size, reached + STEPS * size, size)
            held = self._take(self._run.ball.between(self._origin, whole, step / STEPS**2) for step in steps)
            reached = reached + (STEPS - 1 if held is None else held) * size

    def _first(self, sets: list[NDArray[np.intp]]) -> int | None:
        """Return the first of the sets of elements that is enough, the others put back; it is the best from now on."""
        flat, origin = self.best.point.ravel(), self._origin.ravel()

        def candidates() -> Iterator[Floats]:
            for kept in sets:
                candidate = origin.copy()
                candidate[kept] = flat[kept]
                yield candidate.reshape(self._origin.shape)

        return self._take(candidates())

    def _take(self, candidates: Iterator[Floats]) -> int | None:
        """Make the first candidate that breaks the sample the best; return its number."""
        goal, ball = self._run.batch.goal, self._run.ball
        tried = 0
        while self._left > 0:
            batch = [
                point for _, point in zip(range(min(AT_ONCE, self._run.rows, self._left)), candidates, strict=False)
            ]
            if not batch:
                return None
            points = self._run.model.rounded(np.stack(batch))
            self._left -= len(points)
            scores = self._meter.decided(points)
            origins = np.broadcast_to(self._origin, points.shape)
            breaks = goal.take(np.full(len(points), self._at)).broken(scores) & ball.contains(points, origins)
            for at in np.flatnonzero(breaks)[:1]:
                self.best = replace(self.best, point=points[at], scores=scores[at], first=self._first_found)
                return tried + int(at)
            tried += len(points)
        return None
