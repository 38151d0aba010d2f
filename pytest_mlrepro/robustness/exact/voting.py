"""What is certain of trees, forests and boosted trees: each sample by a search of its own, within a time of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

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


def voted(
    model: Any,
    inputs: Floats,
    labels: NDArray[Any],
    *,
    norm: Norm,
    epsilon: float,
    bounds: Bounds | None,
    seconds_per_sample: float,
    form: Form,
) -> Voted | None:
    """Return what is certain of scikit-learn's tree classifiers under Linf, L2 or L1, or None for another model."""
    classes = getattr(steps_of(model)[1], "classes_", None)
    narrow = _narrow(form, inputs)
    if norm == "l0" or inputs.ndim != 2 or narrow is None or not isinstance(classes, np.ndarray):
        return None
    if not np.isin(labels, classes).all():
        return None
    # beyond all that a ball can reach, its slack included
    limit = 2 * float(max(np.abs(inputs).max() + epsilon, *map(abs, bounds or (0.0, 0.0))))
    leaves = leaves_of(model, inputs, narrow, limit, form.restore)
    leaves = None if leaves is None else _placed(model, leaves, inputs[:CHECKED], form.restore)
    if leaves is None or leaves.values.shape[1] != len(classes):
        return None
    targets = np.searchsorted(classes, labels)
    proved, broken, points = np.zeros(len(inputs), np.bool_), np.zeros(len(inputs), np.bool_), inputs.copy()
    for at, (x, label) in enumerate(zip(np.asarray(inputs, np.float64), targets, strict=True)):
        answer = searched(
            leaves, x, int(label), norm=norm, epsilon=epsilon, bounds=bounds, seconds=seconds_per_sample
        )  # fmt: skip
        proved[at] = answer.proved
        if answer.point is not None:
            broken[at], points[at] = True, answer.point
    return Voted(proved, broken, points)


def _narrow(form: Form, inputs: Floats) -> NDArray[np.bool_] | None:
    """Return which columns are of float32; None if one is of neither float32 nor float64."""
    names = [str(dtype).rpartition(".")[2].lower() for dtype in form.dtypes]
    if not {*names} <= {"float32", "float64"}:
        return None
    return np.broadcast_to([name == "float32" for name in names], inputs.shape[1:]).copy()


def _placed(model: Any, leaves: Leaves, x: Floats, restore: Callable[[Floats], Any]) -> Leaves | None:
    """Return the leaves with what a boosted model adds once; None if they don't give the scores of the model."""
    told = np.asarray(model.predict_proba(restore(x)) if leaves.averaged else model.decision_function(restore(x)))
    told = np.stack([-told / 2, told / 2], axis=1) if told.ndim == 1 else told
    read = leaves.scores(np.asarray(x, np.float64))
    if told.shape != read.shape:
        return None
    apart = told - read
    placed = leaves if leaves.averaged else replace(leaves, offset=apart[0])
    off = np.abs(apart - placed.offset) if not leaves.averaged else np.abs(apart)
    return placed if off.max() <= AGREES * max(1.0, float(np.abs(told).max())) else None
