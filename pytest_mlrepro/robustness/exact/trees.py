"""Trees and what is summed over trees, read as leaves: for each a closed box of inputs and what it adds to each score."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs import Floats
from .affine import kind_of, steps_of
from .edges import after, edges

__all__ = ["Leaves", "leaves_of"]

Matrix = NDArray[np.float64]
_LARGEST = 3e7
"""Leaves times features: half a gigabyte of boxes."""
_EACH_ELEMENT = ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "QuantileTransformer",
                 "PowerTransformer", "SimpleImputer")  # fmt: skip
"""Steps that map each column by itself, upwards: a split behind them is a split before them."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaves:
    """All leaves of all trees, tree after tree."""

    low: Matrix
    high: Matrix
    """(leaves, features): the least and the greatest numbers that lead here, both included."""
    values: Matrix
    """(leaves, columns): what the leaf adds to each score."""
    starts: NDArray[np.intp]
    """Of each tree, its first leaf."""
    offset: Matrix
    """(columns,): added once."""
    averaged: bool
    """A forest, whose scores are the mean over the trees."""
    in_order: bool
    """Its trees are added one after the other, so that even ties fall as the model has them."""

    def scores(self, x: Matrix) -> Matrix:
        """Return the scores of inputs (samples, features), by the boxes alone."""
        out = np.empty((len(x), self.values.shape[1]))
        for at, row in enumerate(x):
            inside = ((self.low <= row) & (row <= self.high)).all(1)
            out[at] = self.offset + self.values[inside].sum(0)
        return out / len(self.starts) if self.averaged else out

    def winner(self, chosen: list[int]) -> int:
        """Return the column that wins by the leaves chosen, one of each tree, added as a forest adds them."""
        total = np.zeros(self.values.shape[1])
        for leaf in sorted(chosen):
            total += self.values[leaf]
        return int(np.argmax(total / len(self.starts)))


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    """Of leaves, -1."""
    feature: NDArray[np.intp]
    threshold: Matrix
    values: Matrix


def leaves_of(
    model: Any, x: Floats, narrow: NDArray[np.bool_], limit: float, restore: Callable[[Floats], Any]
) -> Leaves | None:
    """Return the leaves of scikit-learn's trees, forests and boosted trees, also behind scalers; None for other models.

    `x` are samples to fill gaps with, `narrow` the columns of float32, `limit` how large an element of an input can
    be, and `restore` makes of an array what the model is called with.
    """
    steps, last = steps_of(model)
    read = _read(last)
    if read is None or any(kind_of(step) not in _EACH_ELEMENT for step in steps):
        return None
    trees, offset, averaged, rounds = read
    splits = [np.flatnonzero(tree.left >= 0) for tree in trees]
    if sum(len(own) + 1 for own in splits) * x.shape[1] > _LARGEST:
        return None
    feature = np.concatenate([tree.feature[own] for tree, own in zip(trees, splits, strict=True)])
    threshold = np.concatenate([tree.threshold[own] for tree, own in zip(trees, splits, strict=True)])
    mapped = _mapping(steps, x, feature, restore)
    with np.errstate(over="ignore"):
        last_left = edges(lambda v: _rounded(mapped(v), rounds) <= threshold, narrow[feature], limit)
    empty = np.empty(0)
    nothing = Leaves(
        empty, empty, empty, np.empty(0, np.intp), offset, averaged, in_order=averaged and _one_thread(last)
    )
    return _boxes(trees, splits, last_left, narrow, nothing)


def _one_thread(model: Any) -> bool:
    return getattr(model, "n_jobs", None) in (None, 1)


def _rounded(values: Matrix, single: bool) -> Matrix:
    return values.astype(np.float32).astype(np.float64) if single else values


def _mapping(
    steps: list[Any], x: Floats, feature: NDArray[np.intp], restore: Callable[[Floats], Any]
) -> Callable[[Matrix], Matrix]:
    """Return what takes a number for each split to what the tree compares; a row holds one for each feature."""
    if not steps:
        return lambda values: values
    place = np.empty(len(feature), np.intp)
    for column in np.unique(feature):
        own = feature == column
        place[own] = np.arange(own.sum())
    table = np.repeat(x[:1], max(1, int(place.max(initial=0)) + 1), axis=0)

    def mapped(values: Matrix) -> Matrix:
        table[place, feature] = values
        out = restore(table)
        for step in steps:
            out = step.transform(out)
        out = np.asarray(out.to_numpy() if hasattr(out, "to_numpy") else out)
        return np.asarray(out[place, feature], np.float64)

    return mapped


def _boxes(
    trees: list[_Tree], splits: list[NDArray[np.intp]], last_left: Matrix, narrow: NDArray[np.bool_], empty: Leaves
) -> Leaves:
    lows, highs, values, starts, first, done = [], [], [], [], 0, 0
    for tree, own in zip(trees, splits, strict=True):
        edge = np.full(len(tree.left), np.nan)
        edge[own] = last_left[done : done + len(own)]
        low, high = np.full((len(edge), len(narrow)), -np.inf), np.full((len(edge), len(narrow)), np.inf)
        beyond = np.where(edge == -np.inf, -np.inf, after(edge, narrow[np.maximum(tree.feature, 0)]))
        for node in own:  # parents come before their children
            column, (left, right) = tree.feature[node], (tree.left[node], tree.right[node])
            low[left], high[left], low[right], high[right] = low[node], high[node], low[node], high[node]
            high[left, column] = min(high[node, column], edge[node])
            low[right, column] = max(low[node, column], beyond[node])
        leaf = np.flatnonzero(tree.left < 0)
        lows.append(low[leaf])
        highs.append(high[leaf])
        values.append(tree.values[leaf])
        starts.append(first)
        first, done = first + len(leaf), done + len(own)
    low, high = np.concatenate(lows), np.concatenate(highs)
    return replace(empty, low=low, high=high, values=np.concatenate(values), starts=np.array(starts, np.intp))


def _read(model: Any) -> tuple[list[_Tree], Matrix, bool, bool] | None:
    """Return trees, offset, whether scores are an average, and whether the trees compare in float32."""
    match kind_of(model):
        case "DecisionTreeClassifier" | "ExtraTreeClassifier" | "DecisionTreeRegressor" | "ExtraTreeRegressor":
            found = [_sklearn(model)]
        case "RandomForestClassifier" | "ExtraTreesClassifier" | "RandomForestRegressor" | "ExtraTreesRegressor":
            found = [_sklearn(tree) for tree in model.estimators_]
        case "GradientBoostingClassifier" | "GradientBoostingRegressor":
            return _boosted(model)
        case "HistGradientBoostingClassifier" | "HistGradientBoostingRegressor":
            return _histogram(model)
        case _:
            return None
    trees = [tree for tree in found if tree is not None]
    if len(trees) < len(found):
        return None
    return trees, np.zeros(trees[0].values.shape[1]), True, True


def _sklearn(model: Any) -> _Tree | None:
    tree = model.tree_
    if getattr(model, "n_outputs_", 1) > 1 and hasattr(model, "classes_"):
        return None
    values = np.asarray(tree.value, np.float64)
    if hasattr(model, "classes_"):
        values = values[:, 0, :]
        total = values.sum(1, keepdims=True)
        # shares of a class, but for scikit-learn below 1.3, which keeps counts and divides when asked
        values = values if np.allclose(total, 1.0) else values / total
    else:
        values = values[:, :, 0]
    feature = np.asarray(tree.feature, np.intp)
    return _Tree(tree.children_left, tree.children_right, feature, np.asarray(tree.threshold, np.float64), values)


def _boosted(model: Any) -> tuple[list[_Tree], Matrix, bool, bool] | None:
    columns = model.estimators_.shape[1]
    trees = []
    for (_, column), regressor in np.ndenumerate(model.estimators_):
        tree = _sklearn(regressor)
        assert tree is not None
        trees.append(_placed(tree, column, columns, hasattr(model, "classes_"), model.learning_rate))
    return trees, np.zeros(trees[0].values.shape[1]), False, True


def _histogram(model: Any) -> tuple[list[_Tree], Matrix, bool, bool] | None:
    trees = []
    for column, predictor in _predictors(model):
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        if nodes["is_categorical"].any():
            return None
        left, right = (
            np.where(leaf, -1, nodes["left"].astype(np.intp)),
            np.where(leaf, -1, nodes["right"].astype(np.intp)),
        )
        tree = _Tree(
            left, right, nodes["feature_idx"].astype(np.intp), nodes["num_threshold"].astype(np.float64),
            nodes["value"].astype(np.float64)[:, None],
        )  # fmt: skip
        trees.append(_placed(tree, column, len(model._predictors[0]), hasattr(model, "classes_"), 1.0))
    return (trees, np.zeros(trees[0].values.shape[1]), False, False) if trees else None


def _predictors(model: Any) -> Iterator[tuple[int, Any]]:
    for turn in model._predictors:
        yield from enumerate(turn)


def _placed(tree: _Tree, column: int, columns: int, classifies: bool, factor: float) -> _Tree:
    """Put a tree of one value into its column; one logit of two classes becomes both of them."""
    raw = tree.values[:, 0] * factor
    if columns == 1:
        return replace(tree, values=np.stack([-raw / 2, raw / 2], axis=1) if classifies else raw[:, None])
    values = np.zeros((len(raw), columns))
    values[:, column] = raw
    return replace(tree, values=values)
