"""Rows that come in days or groups: how far parts of the reference are apart that hold other groups.

Rows of one day are alike, so a test that takes them as independent alarms on the day and not on drift. The allowance is
1.25 times the greatest distance that twenty random parts of the reference, taken by group, have from the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from ..errors import UsageError
from .statistics import Numbers

__all__ = ["LEAST", "Allowances", "Apart", "Grouping", "allowances", "cells", "grouping", "shares", "steps"]

Apart: TypeAlias = Callable[[Any], float]
"""How far the groups of these numbers are from all others."""

SPLITS: Final = 20
FACTOR: Final = 1.25
LEAST: Final = 4
"""Groups that a reference needs: fewer say nothing of how far two sets of groups are apart."""
SEED: Final = 20240


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which rows belong together."""

    name: str
    codes: Any
    """The number of each row's group; shape (rows,), int64."""
    count: int


@dataclass(frozen=True, slots=True)
class Allowances:
    """How far a sample of so many groups may be from the reference, for each measure of each column."""

    name: str
    """The column that names the groups; "" where they were given apart."""
    groups: int
    sizes: tuple[int, ...]
    measures: Mapping[str, Numbers]
    """By `column/what`; shape (sizes,)."""

    def of(self, measure: str, groups: int) -> float:
        """Return what is allowed for a sample of `groups` groups: that of the next smaller size that was tried."""
        if measure not in self.measures:
            return 0.0
        at = max((place for place, size in enumerate(self.sizes) if size <= groups), default=0)
        return float(self.measures[measure][at])


def grouping(labels: Any, rows: int, name: str, what: str) -> Grouping:
    """Return which rows belong together; UsageError if there is not one label for each row of `what`."""
    items = np.asarray(labels)
    if items.shape != (rows,):
        raise UsageError(f"drift: groups must name a column or hold one label for each of the {rows:,} rows of {what}")
    _, codes = np.unique(items.astype(str) if items.dtype.kind == "O" else items, return_inverse=True)
    return Grouping(name, codes.reshape(-1).astype(np.int64), int(codes.max()) + 1)


def cells(codes: Any, groups: Grouping, count: int) -> Numbers:
    """Return how many rows of each group are in each of `count` cells; negative codes are in none. Shape (groups, count)."""
    known = codes >= 0
    flat = np.bincount(groups.codes[known] * count + codes[known], minlength=groups.count * count)
    return flat.reshape(groups.count, count).astype(np.float64)


def allowances(groups: Grouping, measures: Mapping[str, Apart]) -> Allowances:
    """Return the allowances for measures, by `column/what`: each says how far a set of groups is from all others."""
    if groups.count < LEAST:
        raise UsageError(
            f"drift: a reference needs at least {LEAST} groups for groups={groups.name or 'labels'!r}, it has {groups.count}: "
            "how far days or groups are apart can't be told from fewer"
        )
    sizes = _sizes(groups.count)
    parts = [_parts(groups.count, size) for size in sizes]
    allowed = {
        measure: np.array([FACTOR * max(map(apart, chosen)) for chosen in parts]) for measure, apart in measures.items()
    }
    return Allowances(groups.name, groups.count, tuple(sizes), allowed)


def steps(counts: Numbers) -> Apart:
    """Return the measure of columns of numbers: the greatest distance of cumulative shares. Shape (groups, cells)."""
    return lambda part: float(np.abs(_gaps(counts, part).cumsum()).max(initial=0.0))


def shares(counts: Numbers) -> Apart:
    """Return the measure of categories: the total variation distance. Shape (groups, cells)."""
    return lambda part: float(np.abs(_gaps(counts, part)).sum() / 2)


def _gaps(counts: Numbers, part: Any) -> Numbers:
    inside = counts[part].sum(0)
    outside = counts.sum(0) - inside
    if not inside.sum() or not outside.sum():
        return np.zeros(1)
    gaps: Numbers = inside / inside.sum() - outside / outside.sum()
    return gaps


def _sizes(count: int) -> list[int]:
    sizes = [1]
    while sizes[-1] * 2 <= count // 2:
        sizes.append(sizes[-1] * 2)
    return sizes if sizes[-1] == count // 2 else [*sizes, count // 2]


def _parts(count: int, size: int) -> Sequence[Any]:
    """Return twenty random sets of groups, the same for each column."""
    generator = np.random.default_rng([SEED, count, size])
    return [generator.permutation(count)[:size] for _ in range(SPLITS)]
