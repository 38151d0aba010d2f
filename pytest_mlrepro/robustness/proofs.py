"""Where exact answers come in, before any attack: samples that are proved to stand, and ones with a counterexample."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .goal import Goal
from .inputs import Floats, Form
from .models import Meter
from .run import ALIVE, BROKEN, PROVED, Found, Run
from .threats import Bounds, Norm

__all__ = ["Exact", "Proofs", "apply_exact"]


class Proofs(Protocol):
    """What an exact method found, for each sample that it was given; a sample that is in neither is undecided."""

    @property
    def proved(self) -> NDArray[np.bool_]:
        """Which samples stand under every perturbation."""

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Which samples have a counterexample."""

    @property
    def counterexamples(self) -> Any:
        """The counterexamples, (samples, ...).

        The row of a sample without one is, in a regression, the input that changes the output most, or the sample
        itself where none is known; otherwise it is not looked at.
        """

    @property
    def evaluations(self) -> int:
        """How many samples the model was asked for, to see that it was read rightly."""


class Exact(Protocol):
    """An exact method, or None where the model has none.

    Inputs and labels are as the user gave them, but selected; labels are None in a regression, which `goal` describes.
    """

    def __call__(
        self,
        model: Any,
        inputs: Floats,
        labels: NDArray[Any] | None,
        *,
        norm: Norm,
        epsilon: float,
        bounds: Bounds | None,
        seconds_per_sample: float,
        form: Form,
        goal: Goal,
    ) -> Proofs | None:
        """Return what is proved and what is broken, or None."""


def apply_exact(
    run: Run, exact: Exact, model: Any, labels: NDArray[Any] | None, *, form: Form, seconds_per_sample: float
) -> None:
    """Set the states of the samples that the exact method decides; its counterexamples are checked like any other."""
    ids = np.flatnonzero(run.state == ALIVE)
    if not len(ids) or run.ball.norm == "l0":
        return
    x = run.batch.x[ids]
    proofs = exact(
        model, x, None if labels is None else labels[ids], norm=run.ball.norm, epsilon=run.ball.epsilon, bounds=run.ball.bounds,
        seconds_per_sample=seconds_per_sample, form=form, goal=run.batch.goal.take(ids),
    )  # fmt: skip
    if proofs is None:
        return
    run.evaluations += proofs.evaluations
    run.state[ids[np.asarray(proofs.proved, np.bool_)]] = PROVED
    broken = np.flatnonzero(np.asarray(proofs.broken, np.bool_))
    if labels is None:
        broken = np.flatnonzero((np.asarray(proofs.counterexamples) != x).reshape(len(x), -1).any(1))
    if len(broken):
        points = np.stack([np.asarray(proofs.counterexamples[at]) for at in broken]).reshape(-1, *x.shape[1:])
        _check(run, ids[broken], points, run.batch.goal.take(ids[broken]))


def _check(run: Run, ids: NDArray[np.intp], points: Floats, goal: Goal) -> None:
    meter = Meter(run.model)
    origins = run.batch.x[ids]
    points = run.model.rounded(points.astype(origins.dtype))
    held = run.ball.contains(points, origins).reshape(-1, *[1] * (points.ndim - 1))
    # a point on the very edge of a leaf stays there: moved by a hair, it would be in another
    moved = np.where(held, points, run.ball.project(points, origins, run.model.rounded))
    scores = meter.decided(moved)
    run.evaluations += meter.evaluations
    run.measure(ids, scores)
    # a tie of votes counts as the model decides it: such a point comes from an exact reading of the model
    for at in np.flatnonzero((goal.broken(scores) | goal.wrong(scores)) & run.ball.contains(moved, origins)):
        run.state[ids[at]] = BROKEN
        run.found[int(ids[at])] = Found(moved[at], scores[at], "exact search")
