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
from ..inputs import Floats, Form
from ..threats import SLACK, Bounds, Norm
from .affine import Affine, affine_module, affine_of, steps_of
from .linear import lowest

__all__ = ["ClosedForm", "closed_form"]

ROUNDING: Final = 1e-6
"""Of the size of what is added up: what a model in single precision may be away from exact arithmetic, generously."""
AT_ONCE: Final = 1 << 22
"""Elements of a table of slopes."""


@dataclass(frozen=True, slots=True, eq=False)
class ClosedForm:
    """What was found, for each sample; a sample that is neither is too near to tell."""

    proved: NDArray[np.bool_]
    broken: NDArray[np.bool_]
    counterexamples: NDArray[np.float64]
    """(samples, features)."""


def closed_form(
    model: Any,
    inputs: Floats,
    labels: NDArray[Any],
    *,
    norm: Norm,
    epsilon: float,
    bounds: Bounds | None,
    seconds_per_sample: float,
    form: Form,
) -> ClosedForm | None:
    """Return what is certain of a linear classifier under Linf, L2 or L1, or None for another model.

    Read are scikit-learn's linear classifiers (logistic regression, linear SVM, ridge, LDA, SGD, perceptron), behind
    scalers, PCA, selections and imputers, and torch's stacks of linear layers.
    """
    read = _read(model, labels)
    if read is None or norm == "l0":
        return None
    affine, targets = read
    flat = np.asarray(inputs, np.float64).reshape(len(inputs), -1)
    if affine.weights.shape[1] != flat.shape[1] or len(affine.weights) < 2:
        return None
    parts = [
        _decided(affine, flat[rows], targets[rows], norm, epsilon, bounds)
        for rows in np.array_split(np.arange(len(flat)), max(1, flat.size // AT_ONCE))
    ]
    return ClosedForm(*(np.concatenate(part) for part in zip(*parts, strict=True)))


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
