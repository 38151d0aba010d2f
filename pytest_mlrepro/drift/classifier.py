"""All columns together: whether a classifier can tell rows of the frame from rows of the reference.

Lopez-Paz and Oquab, *Revisiting classifier two-sample tests* (2017). Each row is scored by a classifier that has not seen
it, and what counts is the lower bound of the area under the curve: at a million rows a p-value alarms on any difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from .. import _lazy
from .columns import Labels, Values
from .findings import Finding, needs_areas
from .making import Prepared, read_kind
from .profile import Profile
from .statistics import Numbers, effective, normal_quantile, normal_tail

__all__ = ["told_apart"]

FOLDS: Final = 4
MOST: Final = 20_000
"""Rows of each side; more change the area by less than it matters."""
LEVELS: Final = 100


def told_apart(
    profile: Profile, then: Prepared, now: Prepared, skip: set[str], *, allowed: float, level: float
) -> Finding | None:
    """Return how well the two are told apart by the columns that are not in `skip`; None if there are fewer than two.

    allowed: how far the area under the curve may be above 0.5. level: of its lower bound.
    Rows of one group are all learned from, or all scored.
    """
    names = [
        name for name, entry in profile.columns.items() if name not in skip and not entry.made and _usable(entry.kind)
    ]
    names = [name for name in names if name in now.table.names and name in then.table.names]
    if len(names) < 2:
        return None
    sides = [_matrix(side, names, profile) for side in (then, now)]
    chosen = [_chosen(len(side), at) for at, side in enumerate(sides)]
    features = np.vstack([side[rows] for side, rows in zip(sides, chosen, strict=True)])
    target = np.repeat([0, 1], [len(rows) for rows in chosen])
    folds = _folds(then, now, chosen)
    area, variance = _cross_fitted(features, target, folds)
    bound = area - normal_quantile(2 * level) * math.sqrt(variance)
    size = effective(*(len(rows) for rows in chosen))
    words = (
        f"rows can be told from those of the reference by {len(names)} columns together: area under the curve {area:.3f}, "
        f"at least {bound:.3f}",
        "no column by itself shows it: look at how they go together",
    )
    return Finding(
        "all columns",
        "all columns together",
        max(bound - 0.5, 0.0),
        allowed,
        words,
        normal_tail((area - 0.5) / math.sqrt(variance)) / 2 if area > 0.5 else 1.0,
        size=size,
        rows=(len(chosen[0]), len(chosen[1])),
        needs=needs_areas(allowed, 1 / 12),
        measure="lower bound of the area less 0.5",
    )


def _usable(kind: str) -> bool:
    return kind in ("numeric", "category", "mixed")


def _matrix(side: Prepared, names: list[str], profile: Profile) -> Numbers:
    """Return numbers for all columns: categories by their rank in the reference; shape (rows, columns)."""
    parts = []
    for name in names:
        column = read_kind(name, side.table.column(name), profile.columns[name].kind)
        if isinstance(column, Values):
            parts.append(np.clip(column.numbers, -1e300, 1e300))
        else:
            parts.append(_ranks(column, profile.columns[name].categories))
    return np.column_stack(parts)


def _ranks(column: Labels, categories: Any) -> Numbers:
    rank: Mapping[str, int] = {name: at for at, name in enumerate([*categories.levels][:LEVELS])}
    return np.array([math.nan if label is None else rank.get(label, LEVELS) for label in column.labels])


def _chosen(rows: int, side: int) -> Any:
    return np.random.default_rng([20240, side]).permutation(rows)[:MOST]


def _folds(then: Prepared, now: Prepared, chosen: list[Any]) -> Any:
    """Return the fold of each row; rows of one group are in one fold."""
    parts = []
    for at, (side, rows) in enumerate(zip((then, now), chosen, strict=True)):
        if side.groups is None:
            parts.append(np.arange(len(rows)) % FOLDS)
        else:
            parts.append(
                np.random.default_rng([20240, at, 1]).permutation(side.groups.count)[side.groups.codes[rows]] % FOLDS
            )
    return np.concatenate(parts)


def _cross_fitted(features: Numbers, target: Any, folds: Any) -> tuple[float, float]:
    """Return the area under the curve, averaged over folds, and its variance."""
    ensemble = _lazy.require("sklearn.ensemble", extra="sklearn")
    areas, variances = [], []
    for fold in range(FOLDS):
        held = folds == fold
        model = ensemble.HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=15, early_stopping=False, random_state=0
        )
        if len(set(target[held])) < 2 or len(set(target[~held])) < 2:
            continue
        model.fit(features[~held], target[~held])
        area, variance = _area(model.predict_proba(features[held])[:, 1], target[held])
        areas.append(area)
        variances.append(variance)
    if not areas:
        return 0.5, 1.0
    spread = float(np.var(areas, ddof=1)) if len(areas) > 1 else 0.0
    # folds of groups differ by more than rows tell
    return float(np.mean(areas)), max(float(np.mean(variances)), spread) / len(areas)


def _area(scores: Numbers, target: Any) -> tuple[float, float]:
    """Return the area under the curve and its variance (DeLong, DeLong and Clarke-Pearson 1988)."""
    one, two = np.sort(scores[target == 0]), np.sort(scores[target == 1])
    above = (np.searchsorted(one, two, "left") + np.searchsorted(one, two, "right")) / (2 * len(one))
    under = 1 - (np.searchsorted(two, one, "left") + np.searchsorted(two, one, "right")) / (2 * len(two))
    variance = float(np.var(above)) / len(two) + float(np.var(under)) / len(one)
    return float(above.mean()), max(variance, 1 / (12 * len(one) * len(two)))
