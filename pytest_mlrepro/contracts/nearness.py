"""Rows that are nearly those of another part: copies that were rounded, respelled or moved by a little noise.

Two searches. Rows that are equal once texts are normalised and numbers are rounded; and rows whose numbers are far
closer to a row of the first part than the rows of that part are to each other thereabouts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .. import _lazy
from .chance import by_chance
from .encoded import Numbers
from .finding import Finding
from .hashing import mixed
from .parts import Part
from .rows import Hashed, Matches, Read, matches
from .split_words import first, many, named, paired, short, value_at
from .usual import FEWEST, Usual, drawn

__all__ = ["near_rows"]

DIRECTIONS: Final = 48
"""Main directions that are searched; the distance is that of all columns."""


def near_rows(
    parts: Sequence[Part], hashes: Sequence[Hashed], at: tuple[int, int], features: Sequence[str], same: Matches,
) -> list[Finding]:  # fmt: skip
    """Return the rows of the second part that are nearly, and not exactly, rows of the first."""
    there = np.full(parts[at[1]].rows, -1, np.int64)
    for found in _rounded(parts, hashes, at, features, same):
        there[found.here] = np.where(there[found.here] < 0, found.there, there[found.here])
    left = np.ones(len(there), bool)
    left[same.here] = False
    close = _closest(parts, hashes, at, features, np.flatnonzero(left & (there < 0)))
    there[close.here] = close.there
    here = np.flatnonzero(there >= 0)
    return [_finding(parts, at, features, here, there[here], len(close.here))] if len(here) else []


def _rounded(
    parts: Sequence[Part], hashes: Sequence[Hashed], at: tuple[int, int], features: Sequence[str], same: Matches
) -> list[Matches]:
    both = []
    for grid in (0, 1):
        found = matches(*(hashes[part].near[grid] for part in at))
        new = ~np.isin(found.here, same.here)
        if new.any():
            both.append(Matches(found.here[new], found.there[new], 0))
    if not both or by_chance(parts, hashes, at, max(both, key=lambda found: len(found.here)), features, near=True):
        return []
    return both


@dataclass(frozen=True)
class _Space:
    """The numbers of two parts in robust units, and what else of a row must be equal."""

    first: Any
    """Shape (rows, columns), float64."""
    second: Any
    blocks: tuple[Any, Any]
    """Each of shape (rows,), uint64: texts, booleans, and which numbers are null."""


def _closest(
    parts: Sequence[Part], hashes: Sequence[Hashed], at: tuple[int, int], features: Sequence[str], asked: Any
) -> Matches:
    """Return the rows of `asked` that are closer to a row of the first part than independent rows are."""
    nothing = Matches(asked[:0], asked[:0], 0)
    if parts[at[0]].rows < FEWEST or not len(asked):
        return nothing
    space = _space([parts[part] for part in at], features)
    if space is None or space.first.shape[1] < 2:
        return nothing
    sample = drawn(hashes[at[0]].features)
    usual = Usual.of(space.first, sample, len(asked))
    if usual is None:
        return nothing
    pairs = _within(space, asked, usual.farthest)
    if not len(pairs[0]):
        return nothing
    here, there = pairs
    distance = np.sqrt(((space.second[here] - space.first[there]) ** 2).sum(axis=1))
    near = distance < usual.ratio(space.second[here]) * usual.local(space.second[here])
    return Matches(here[near], there[near], 0)


def _space(pair: Sequence[Part], features: Sequence[str]) -> _Space | None:
    columns: list[list[Any]] = [[], []]
    blocks = [np.zeros(part.rows, np.uint64) for part in pair]
    for place, name in enumerate(features):
        read = Read.of(name, pair)
        numeric = [column for column in read.columns if isinstance(column, Numbers) and column.family == "number"]
        if len(numeric) == 2:
            for side, values in enumerate(_scaled(numeric[0], numeric[1])):
                columns[side].append(values)
                if numeric[side].null.any():
                    blocks[side] += mixed(numeric[side].null.astype(np.uint64), place)
                elif numeric[1 - side].null.any():
                    blocks[side] += mixed(np.zeros(1, np.uint64), place)
        elif not any(isinstance(column, Numbers) and column.family in ("time", "empty") for column in read.columns):
            for side in (0, 1):
                blocks[side] += mixed(read.near(side, read.bits(side))[0], place)
    if not columns[0]:
        return None
    return _Space(np.column_stack(columns[0]), np.column_stack(columns[1]), (blocks[0], blocks[1]))


def _scaled(one: Numbers, two: Numbers) -> list[Any]:
    """Return a column of both parts in units of the first part's quartiles, far values drawn in, nulls 0."""
    values = [np.where(column.null, np.nan, column.values.astype(np.float64)) for column in (one, two)]
    finite = values[0][np.isfinite(values[0])]
    centre, unit = 0.0, 1.0
    if len(finite):
        low, centre, high = np.quantile(finite, [0.25, 0.5, 0.75])
        unit = (high - low) / 1.349 or float(np.std(finite)) or 1.0
    return [np.nan_to_num(np.arcsinh((side - centre) / unit), nan=0.0, posinf=700.0, neginf=-700.0) for side in values]


def _within(space: _Space, asked: Any, farthest: float) -> tuple[Any, Any]:
    """Return rows of the second part with their nearest row of the first of the same block, within `farthest`."""
    spatial = _lazy.require("scipy.spatial", extra="data")
    one, two = space.blocks[0], space.blocks[1][asked]
    common = np.intersect1d(one, two)
    sources = np.flatnonzero(np.isin(one, common))
    asked = asked[np.isin(two, common)]
    if not len(sources) or not len(asked):
        return asked[:0], asked[:0]
    turn = _directions(space.first)
    apart = [np.searchsorted(common, space.blocks[0][sources]), np.searchsorted(common, space.blocks[1][asked])]
    points = [space.first[sources] @ turn, space.second[asked] @ turn]
    if len(common) > 1:  # rows of other blocks are farther away than any that counts
        points = [np.column_stack([block * (4.0 * farthest), side]) for block, side in zip(apart, points, strict=True)]
    tree = spatial.cKDTree(points[0], leafsize=32, balanced_tree=False, compact_nodes=False)
    _, nearest = tree.query(points[1], distance_upper_bound=farthest)
    found = nearest < len(sources)
    return asked[found], sources[nearest[found]]


def _directions(rows: Any) -> Any:
    """Return main directions, shape (columns, directions), those of the greatest spread first: where trees divide best."""
    step = max(1, len(rows) // 5_000)
    sample = rows[::step]
    covariance = np.cov(sample, rowvar=False)
    return np.linalg.eigh(covariance)[1][:, ::-1][:, :DIRECTIONS]


def _finding(
    parts: Sequence[Part], at: tuple[int, int], features: Sequence[str], here: Any, there: Any, by_distance: int
) -> Finding:
    one, two = parts[at[0]], parts[at[1]]
    differing = [name for name in features if _differs(one, two, name, int(there[0]), int(here[0]))]
    shown = ", ".join(
        f"{name} {short(value_at(two.column(name), int(here[0])))} and {short(value_at(one.column(name), int(there[0])))}"
        for name in differing[:3]
    )
    sources = len(np.unique(there))
    how = []
    if by_distance < len(here):
        how.append(f"{len(here) - by_distance:,} equal once texts are normalised and numbers rounded")
    if by_distance:
        how.append(f"{by_distance:,} far closer than rows of {one.name} are to each other")
    return Finding(
        "near-identical-rows",
        (),
        len(here),
        first(here),
        f"{many(len(here), 'row')} of {two.name} ({len(here) / two.rows:.2%}) {'is' if len(here) == 1 else 'are'} nearly "
        f"{many(sources, 'row')} of {one.name} ({'; '.join(how)}): {paired(one.name, two.name, there, here)}; the first pair "
        f"differs in {many(len(differing), 'column')}: {shown}{', …' if len(differing) > 3 else ''}",
        f"copies belong into one part: split before rows are copied or augmented, or by group= ({named(differing[:1])} may "
        "be noise)" if len(differing) == 1 else
        "copies belong into one part: split before rows are copied or augmented, or by group=",
    )  # fmt: skip


def _differs(one: Part, two: Part, name: str, there: int, here: int) -> bool:
    return value_at(one.column(name), there) != value_at(two.column(name), here)
