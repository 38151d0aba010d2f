"""What is certain of trees, forests and boosted trees: each sample by a search of its own, within a time of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..goal import Goal
from ..inputs import Floats, Form
from ..threats import Bounds, Norm
from .affine import steps_of
from .search import searched
from .trees import Leaves, leaves_of

__all__ = ["Voted", "voted"]

AGREES: Final = 1e-6
"""How far the scores that were read may be from those of the model, relative to them; further, and nothing is claimed."""
CHECKED: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class Voted:
    """What was found, for each sample; a sample that is neither ran out of its time."""

    proved: NDArray[np.bool_]
    broken: NDArray[np.bool_]
    counterexamples: Floats
    evaluations: int


def voted(
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
) -> Voted | None:
    """Return what is certain of scikit-learn's trees and sums of trees under Linf, L2 or L1, or None for another model."""
    narrow = _narrow(form, inputs)
    if norm == "l0" or inputs.ndim != 2 or narrow is None:
        return None
    targets = _targets(model, labels, len(inputs))
    if targets is None:
        return None
    # beyond all that a ball can reach, its slack included
    limit = 2 * float(max(np.abs(inputs).max() + epsilon, *map(abs, bounds or (0.0, 0.0))))
    leaves = leaves_of(model, inputs, narrow, limit, form.restore)
    few = inputs[:CHECKED]
    leaves = None if leaves is None else _placed(leaves, few, _told(model, leaves, labels, form.restore(few)))
    if leaves is None:
        return None
    each = _voters(leaves, goal) if labels is None else itertools.repeat(leaves)
    proved, broken, points = np.zeros(len(inputs), np.bool_), np.zeros(len(inputs), np.bool_), inputs.copy()
    for at, (x, target, own) in enumerate(zip(np.asarray(inputs, np.float64), targets, each, strict=False)):
        answer = searched(
            own, x, int(target), norm=norm, epsilon=epsilon, bounds=bounds, seconds=seconds_per_sample
        )  # fmt: skip
        proved[at] = answer.proved
        if answer.point is not None:
            broken[at], points[at] = True, answer.point
    return Voted(proved, broken, points, len(few))


def _targets(model: Any, labels: NDArray[Any] | None, samples: int) -> NDArray[np.intp] | None:
    classes = getattr(steps_of(model)[1], "classes_", None)
    if labels is None:
        return np.zeros(samples, np.intp) if classes is None else None
    if not isinstance(classes, np.ndarray) or not np.isin(labels, classes).all():
        return None
    return np.searchsorted(classes, labels)


def _voters(leaves: Leaves, goal: Goal) -> Iterator[Leaves]:
    """Return for each sample of a regression a vote between `fine` and, of each output, `too high` and `too low`."""
    assert goal.base is not None
    each = leaves.values / len(leaves.starts) if leaves.averaged else leaves.values
    values = np.concatenate([np.zeros((len(each), 1)), each, -each], axis=1)
    for base in goal.base:
        high, low = leaves.offset - base - goal.allowed, base - goal.allowed - leaves.offset
        offset = np.concatenate([[0.0], high, low])
        yield replace(leaves, values=values, offset=offset, averaged=False, in_order=False)


def _told(model: Any, leaves: Leaves, labels: NDArray[Any] | None, x: Any) -> NDArray[np.float64]:
    """Return what the model says, in the columns that leaves have."""
    if labels is None:
        told = np.asarray(model.predict(x), np.float64)
        return told[:, None] if told.ndim == 1 else told
    told = np.asarray(model.predict_proba(x) if leaves.averaged else model.decision_function(x), np.float64)
    return np.stack([-told / 2, told / 2], axis=1) if told.ndim == 1 else told


def _narrow(form: Form, inputs: Floats) -> NDArray[np.bool_] | None:
    """Return which columns are of float32; None if one is of neither float32 nor float64."""
    names = [str(dtype).rpartition(".")[2].lower() for dtype in form.dtypes]
    if not {*names} <= {"float32", "float64"}:
        return None
    return np.broadcast_to([name == "float32" for name in names], inputs.shape[1:]).copy()


def _placed(leaves: Leaves, x: Floats, told: NDArray[np.float64]) -> Leaves | None:
    """Return the leaves with what a boosted model adds once; None if they don't give the scores of the model."""
    read = leaves.scores(np.asarray(x, np.float64))
    if told.shape != read.shape:
        return None
    placed = leaves if leaves.averaged else replace(leaves, offset=(told - read)[0])
    off = np.abs(told - read - placed.offset)
    return placed if off.max() <= AGREES * max(1.0, float(np.abs(told).max())) else None
