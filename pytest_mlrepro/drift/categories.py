"""A column of categories as counts: what a reference keeps of it, and how far another one is from that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from blake3 import blake3

from .statistics import Numbers, effective, homogeneity, pooled

__all__ = ["LEVELS", "CategoryProfile", "Mixture", "Unseen", "kept", "mixture", "unseen"]

LEVELS: Final = 1000
"""Categories that are kept by name; the rarer ones are one level, so that hundreds of thousands still fit a profile."""
LONG: Final = 60


@dataclass(frozen=True, slots=True)
class CategoryProfile:
    """What is kept of a column of categories."""

    rows: int
    nulls: int
    levels: Mapping[str, int]
    """Rows of each category that is kept, the most frequent first."""
    others: int = 0
    """Rows of the categories that are not kept by name."""
    other_levels: int = 0
    singles: int = 0
    """Categories with one row: their share is how many rows of new categories to expect (Good 1953)."""

    @property
    def values(self) -> int:
        """Return how many rows are not null."""
        return self.rows - self.nulls


@dataclass(frozen=True, slots=True)
class Mixture:
    """How the shares of the known categories differ."""

    distance: float
    """Total variation distance, less what chance gives."""
    tail: float
    freedom: int
    shares: tuple[tuple[str, float, float], ...]
    """The categories that moved most: name, share then and now."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Rows whose category the reference does not have."""

    rows: int
    levels: tuple[tuple[str, int], ...]
    """The most frequent of them, with their rows."""
    more: int
    expected: float
    """Share of such rows that the reference itself leads to expect."""


def shown(level: str) -> str:
    """Return a category as it is kept: a long text by its start and a digest."""
    if len(level) <= LONG:
        return level
    return f"{level[:LONG]}…{blake3(level.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def kept(counts: Mapping[str, int], nulls: int, *, most: int = LEVELS, least: int = 1) -> CategoryProfile:
    """Return what is kept of categories with these counts: the `most` frequent ones that have at least `least` rows."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = [(shown(name), rows) for name, rows in ranked[:most] if rows >= least]
    total = sum(counts.values())
    rest = ranked[len(named) :]
    return CategoryProfile(
        rows=total + nulls,
        nulls=nulls,
        levels=dict(named),
        others=sum(rows for _, rows in rest),
        other_levels=len(rest),
        singles=sum(rows == 1 for _, rows in ranked),
    )


def aligned(then: CategoryProfile, counts: Mapping[str, int]) -> tuple[Numbers, dict[str, int]]:
    """Return rows now of each level of the reference, and of the names that it does not keep."""
    now = dict.fromkeys(then.levels, 0)
    new: dict[str, int] = {}
    for name, rows in counts.items():
        label = shown(name)
        if label in now:
            now[label] += rows
        else:
            new[label] = new.get(label, 0) + rows
    return np.array([*now.values()], np.float64), new


def mixture(then: CategoryProfile, counts: Mapping[str, int]) -> Mixture:
    """Return how the shares of the known categories differ; those that are not kept by name are one category."""
    known, new = aligned(then, counts)
    before = np.array([*then.levels.values()], np.float64)
    names = [*then.levels]
    if then.others:
        names.append(f"(the {then.other_levels:,} rarer ones together)")
        before, known = np.append(before, then.others), np.append(known, sum(new.values()))
    if not before.sum() or not known.sum():
        return Mixture(0.0, 1.0, 0, ())
    then_shares, now_shares = before / before.sum(), known / known.sum()
    order = np.argsort(-np.abs(now_shares - then_shares), kind="stable")[:3]
    top = tuple((names[at], float(then_shares[at]), float(now_shares[at])) for at in order)
    before, known = pooled(before, known)
    distance, tail, freedom = homogeneity(before, known)
    chance = _chance(before / before.sum(), effective(before.sum(), known.sum()))
    return Mixture(float(np.sqrt(max(distance**2 - chance**2, 0.0))), tail, freedom, top)


def _chance(shares: Numbers, size: float) -> float:
    """Return the total variation distance that two samples of one distribution have on average."""
    return float(np.sqrt(2 * shares * (1 - shares) / (np.pi * size)).sum() / 2)


def unseen(then: CategoryProfile, counts: Mapping[str, int]) -> Unseen | None:
    """Return the rows of categories that are new; None where the reference does not keep all by name."""
    if then.others:
        return None
    _, new = aligned(then, counts)
    ranked = sorted(new.items(), key=lambda item: (-item[1], item[0]))
    expected = then.singles / then.values if then.values else 0.0
    return Unseen(sum(new.values()), tuple(ranked[:5]), max(len(ranked) - 5, 0), expected)


def without_rare(profile: CategoryProfile, least: int) -> CategoryProfile:
    """Return the profile with categories of fewer rows than `least` pooled."""
    rare = {name: rows for name, rows in profile.levels.items() if rows < least}
    return replace(
        profile,
        levels={name: rows for name, rows in profile.levels.items() if name not in rare},
        others=profile.others + sum(rare.values()),
        other_levels=profile.other_levels + len(rare),
    )
