"""What is certain of a model that is one affine map: each sample is proved to stand, or has a counterexample.

The worst point of a ball is where the margin to another class is least, in closed form (`linear.lowest`). A sample is
proved only where its least margin is above what rounding can make of it, in a ball that is larger by the slack that
counterexamples have; a point that is offered as a counterexample is checked against the model like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..._lazy import loaded
from ..goal import Goal
from ..inputs import Floats, Form
from ..threats import SLACK, Bounds, Norm
from .affine import Affine, affine_module, affine_of, steps_of
from .linear import lowest

__all__ = ["ClosedForm", "closed_form"]

ROUNDING: Final = 1e-6
"""Of the size of what is added up: what a model in single precision may be away from exact arithmetic, generously."""
AGREES: Final = 1e-4
"""Relative to what is added up: how far the outputs of a regressor may be from the map that was read; further, and
nothing is claimed."""
CHECKED: Final = 32
AT_ONCE: Final = 1 << 22
"""Elements of a table of slopes."""


@dataclass(frozen=True, slots=True, eq=False)
class ClosedForm:
    """What was found, for each sample; a sample that is neither is too near to tell."""

    proved: NDArray[np.bool_]
    broken: NDArray[np.bool_]
    counterexamples: NDArray[np.float64]
    """(samples, features)."""
    evaluations: int = 0


def closed_form(
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
) -> ClosedForm | None:
    """Return what is certain of a linear model under Linf, L2 or L1, or None for another model.

    Read are scikit-learn's linear classifiers (logistic regression, linear SVM, ridge, LDA, SGD, perceptron) and regressors, behind
    scalers, PCA, selections and imputers, and torch's stacks of linear layers.
    """
    if norm == "l0":
        return None
    flat = np.asarray(inputs, np.float64).reshape(len(inputs), -1)
    if labels is None:
        affine = _regressor(model, inputs[:CHECKED], goal, form)
    else:
        read = _read(model, labels)
        affine = read[0] if read is not None and len(read[0].weights) > 1 else None
    if affine is None or affine.weights.shape[1] != flat.shape[1]:
        return None
    parts = []
    for rows in np.array_split(np.arange(len(flat)), max(1, flat.size // AT_ONCE)):
        if labels is None:
            parts.append(_changed(affine, flat[rows], goal.allowed, norm, epsilon, bounds))
        else:
            assert read is not None
            parts.append(_decided(affine, flat[rows], read[1][rows], norm, epsilon, bounds))
    proved, broken, points = (np.concatenate(part) for part in zip(*parts, strict=True))
    return ClosedForm(proved, broken, points)


def _regressor(model: Any, x: Floats, goal: Goal, form: Form) -> Affine | None:
    """Return the map of a regressor whose outputs are what the map gives: there are ones that go on from it."""
    torch = loaded("torch")
    is_module = torch is not None and isinstance(model, torch.nn.Module)
    affine = affine_module(model) if is_module else affine_of(model)
    if affine is None or goal.base is None or hasattr(steps_of(model)[1], "classes_"):
        return None
    flat = np.asarray(x, np.float64).reshape(len(x), -1)
    if affine.weights.shape != (goal.base.shape[1], flat.shape[1]):
        return None
    reach = np.abs(flat) @ np.abs(affine.weights.T) + affine.size
    apart = np.abs(flat @ affine.weights.T + affine.offset - goal.base[: len(x)])
    return affine if (apart <= AGREES * reach).all() else None


def _read(model: Any, labels: NDArray[Any]) -> tuple[Affine, NDArray[np.intp]] | None:
    torch = loaded("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        affine = affine_module(model)
        fits = (
            affine is not None
            and labels.dtype.kind in "iu"
            and labels.min() >= 0
            and labels.max() < len(affine.weights)
        )
        return (affine, labels.astype(np.intp)) if affine is not None and fits else None
    affine = affine_of(model)
    classes = getattr(steps_of(model)[1], "classes_", None)
    if affine is None or not isinstance(classes, np.ndarray) or len(classes) != len(affine.weights):
        return None
    if not np.isin(labels, classes).all():
        return None
    return affine, np.searchsorted(classes, labels)


def _decided(
    affine: Affine, x: NDArray[np.float64], targets: NDArray[np.intp], norm: Norm, epsilon: float, bounds: Bounds | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    scores = x @ affine.weights.T + affine.offset
    rows = np.arange(len(x))
    proved, broken = np.ones(len(x), np.bool_), np.zeros(len(x), np.bool_)
    worst, points = np.full(len(x), np.inf), x.copy()
    reach = np.abs(x) + epsilon
    for other in range(len(affine.weights)):
        rivals = targets != other
        slope = affine.weights[targets] - affine.weights[other]
        margin = scores[rows, targets] - scores[:, other]
        fall, _ = lowest(slope, x, norm, epsilon * (1 + SLACK), bounds)
        doubt = ROUNDING * ((np.abs(slope) * reach).sum(1) + affine.size[targets] + affine.size[other])
        proved &= ~rivals | (margin + fall > doubt)
        least, point = lowest(slope, x, norm, epsilon, bounds)
        nearer = rivals & (margin + least < worst)
        worst = np.where(nearer, margin + least, worst)
        points[nearer] = point[nearer]
        broken |= rivals & (margin + least < 0)
    return proved, broken & ~proved, points


def _changed(
    affine: Affine, x: NDArray[np.float64], allowed: float, norm: Norm, epsilon: float, bounds: Bounds | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    """Decide a regression: the worst change of an output is the least of its slope, and of the slope the other way."""
    proved, worst, points = np.ones(len(x), np.bool_), np.zeros(len(x)), x.copy()
    reach = np.abs(x) + epsilon
    for weights, size in zip(affine.weights, affine.size, strict=True):
        for slope in (weights, -weights):
            steep = np.broadcast_to(slope, x.shape)
            fall, _ = lowest(steep, x, norm, epsilon * (1 + SLACK), bounds)
            proved &= -fall + ROUNDING * ((np.abs(steep) * reach).sum(1) + size) < allowed
            least, point = lowest(steep, x, norm, epsilon, bounds)
            points[-least > worst] = point[-least > worst]
            worst = np.maximum(worst, -least)
    return proved, (worst > allowed) & ~proved, points
