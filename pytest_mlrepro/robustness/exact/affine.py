"""Models that are one affine map, read as weights and offsets: linear models behind affine steps, and stacks of linear layers.

Only classes of scikit-learn and torch themselves are read: a subclass may compute something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._lazy import loaded

__all__ = ["Affine", "affine_module", "affine_of", "kind_of", "steps_of"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """`weights @ x + offset`, (columns, features) and (columns,)."""

    weights: Matrix
    offset: Matrix
    size: Matrix
    """(columns,): the sum of the absolute parts of the offset, of which the model's rounding is a share."""

    def after(self, scale: Matrix, shift: Matrix) -> Affine:
        """Return this map of `scale * x + shift`, element by element."""
        moved = self.weights * shift
        return Affine(self.weights * scale, self.offset + moved.sum(1), self.size + np.abs(moved).sum(1))

    def after_matrix(self, matrix: Matrix, shift: Matrix) -> Affine:
        """Return this map of `matrix @ x + shift`."""
        moved = np.abs(self.weights) @ np.abs(shift)
        return Affine(self.weights @ matrix, self.offset + self.weights @ shift, self.size + moved)


def kind_of(model: Any) -> str:
    """Return the name of the class if it is scikit-learn's own, else nothing."""
    return type(model).__name__ if type(model).__module__.startswith("sklearn.") else ""


def steps_of(model: Any) -> tuple[list[Any], Any]:
    """Return the steps before the last and the last of a pipeline, nested ones too; a bare model has none before it."""
    if kind_of(model) != "Pipeline":
        return [], model
    before: list[Any] = []
    for _, step in model.steps[:-1]:
        inner, last = steps_of(step)
        before += [*inner, last]
    inner, last = steps_of(model.steps[-1][1])
    return [part for part in [*before, *inner] if part not in (None, "passthrough")], last


def affine_of(model: Any) -> Affine | None:
    """Return the map that scikit-learn model makes of its inputs, or None. Of two classes, both columns are given."""
    steps, last = steps_of(model)
    weights, offset = getattr(last, "coef_", None), getattr(last, "intercept_", None)
    if not kind_of(last) or not isinstance(weights, np.ndarray) or offset is None:
        return None
    if kind_of(last) in ("SVC", "NuSVC") and len(last.classes_) > 2:
        return None  # one column for each pair of classes
    own = np.atleast_2d(np.asarray(weights, np.float64))
    start = np.broadcast_to(np.asarray(offset, np.float64).reshape(-1), (len(own),)).copy()
    if hasattr(last, "classes_") and len(own) == 1:
        own, start = np.concatenate([-own / 2, own / 2]), np.concatenate([-start / 2, start / 2])
    affine: Affine | None = Affine(own, start, np.abs(start))
    for step in reversed(steps):
        affine = None if affine is None else _through(affine, step)
    return affine


def _through(affine: Affine, step: Any) -> Affine | None:
    match kind_of(step):
        case "StandardScaler" | "RobustScaler":
            scale = np.ones(affine.weights.shape[1]) if step.scale_ is None else np.asarray(step.scale_, np.float64)
            centre = getattr(step, "mean_" if kind_of(step) == "StandardScaler" else "center_", None)
            used = step.with_mean if kind_of(step) == "StandardScaler" else step.with_centering
            shift = np.zeros_like(scale) if centre is None or not used else -np.asarray(centre, np.float64)
            return affine.after(1 / scale, shift / scale)
        case "MinMaxScaler" if not step.clip:
            return affine.after(np.asarray(step.scale_, np.float64), np.asarray(step.min_, np.float64))
        case "MaxAbsScaler" if not getattr(step, "clip", False):
            scale = np.asarray(step.scale_, np.float64)
            return affine.after(1 / scale, np.zeros_like(scale))
        case "PCA":
            matrix = np.asarray(step.components_, np.float64)
            if step.whiten:
                matrix = matrix / np.sqrt(np.maximum(step.explained_variance_, np.finfo(np.float64).eps))[:, None]
            return affine.after_matrix(matrix, -matrix @ np.asarray(step.mean_, np.float64))
        case "TruncatedSVD":
            return affine.after_matrix(np.asarray(step.components_, np.float64), np.zeros(len(step.components_)))
        case "SimpleImputer" if _keeps(step):
            return affine
        case "SelectKBest" | "SelectPercentile" | "VarianceThreshold" | "SelectFromModel" | "RFE" | "RFECV":
            matrix = np.eye(len(step.get_support()))[step.get_support()]
            return affine.after_matrix(matrix, np.zeros(len(matrix)))
        case _:
            return None


def _keeps(step: Any) -> bool:
    """Tell whether an imputer leaves inputs without NaN as they are."""
    missing = isinstance(step.missing_values, float) and step.missing_values != step.missing_values
    whole = not np.isnan(np.asarray(step.statistics_, np.float64)).any()
    return missing and whole and not step.add_indicator


def affine_module(module: Any) -> Affine | None:
    """Return the map of a torch module made of linear layers and what does nothing in eval mode, or None."""
    torch: Any = loaded("torch")
    layers = list(module) if type(module) is torch.nn.Sequential else [module]
    if any(_hooked(layer) for layer in [module, *layers]):
        return None
    affine: Affine | None = None
    for layer in reversed(layers):
        if type(layer) is torch.nn.Linear:
            weights = layer.weight.detach().double().cpu().numpy()
            shift = np.zeros(len(weights)) if layer.bias is None else layer.bias.detach().double().cpu().numpy()
            affine = Affine(weights, shift, np.abs(shift)) if affine is None else affine.after_matrix(weights, shift)
        elif type(layer) is torch.nn.Flatten and (layer.start_dim, layer.end_dim) == (1, -1):
            continue
        elif type(layer) not in (torch.nn.Identity, torch.nn.Dropout):
            return None
    return affine


def _hooked(layer: Any) -> bool:
    return bool(layer._forward_hooks or layer._forward_pre_hooks or getattr(layer, "parametrizations", None))
