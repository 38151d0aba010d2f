"""Columns that give the label away: each by itself tells what a model is to find out, so that no model has learned anything.

The rule is the nearest other row: the label of a row is told from the rows of the same value, or, where a number comes
once, from the row whose value is next to it; and where thresholds part the classes, by them. It is right nearly always
only if the column *is* the label in some form.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .encoded import Encoded, Items, Numbers
from .finding import Finding
from .labels import Label
from .parts import Part
from .split_words import first, many, rows_of

__all__ = ["giveaways", "told_amounts", "told_classes"]

SAMPLE: Final = 50_000
CHANCE: Final = 1e-3
"""The probability that any column parts the classes by chance, above which too few rows are there to tell."""
FEWEST: Final = 10


@dataclass(frozen=True)
class _Grouped:
    """A column's values as whole numbers, ascending; a null is a value like others."""

    groups: Any
    """Shape (rows,), int64."""
    places: Any | None
    """Of numbers: the value of each group, in order; None where values have no order."""
    count: int


def giveaways(
    part: Part, label: Label, rows: Any, name: str, columns: Sequence[str], identifiers: Sequence[str], least: float
) -> list[Finding]:
    """Return the columns that tell the label of a part's rows.

    rows: the rows as numbers, shape (rows,), uint64, by which those that are looked at first are drawn.
    identifiers: columns that name rows; for them the order of rows is what gives the label away.
    least: how often the label must be told: the mean over classes of the share of rows that are right (balanced
        accuracy); for a quantity the share of the variance of its ranks.
    """
    sample = np.flatnonzero(~label.null)
    if len(sample) > SAMPLE:
        sample = sample[np.argpartition(rows[sample], SAMPLE)[:SAMPLE]]
    if not _enough(label, sample, len(columns)):
        return []
    findings = []
    for column in columns:
        read = part.column(column)
        grouped = _grouped(read, sample)
        if grouped.count < 2:
            continue
        score, _ = _score(grouped, label, sample)
        if score >= least:
            findings += _told(part, read, label, name, column, column in identifiers, least)
    return findings


def _enough(label: Label, sample: Any, columns: int) -> bool:
    """Tell whether that a column sorts the labels can't be chance, with so many rows and columns."""
    if label.continuous:
        return len(sample) >= 3 * FEWEST
    counts = np.unique(label.codes[sample], return_counts=True)[1]
    if len(counts) < 2 or len(sample) < FEWEST:
        return False
    orders = (
        math.lgamma(len(counts) + 1) + sum(math.lgamma(count + 1) for count in counts) - math.lgamma(len(sample) + 1)
    )
    return orders + math.log(max(columns, 1)) < math.log(CHANCE)


def _score(grouped: _Grouped, label: Label, sample: Any) -> tuple[float, Any]:
    if label.continuous:
        return told_amounts(grouped.groups, grouped.places, label.amounts[sample])
    if grouped.places is not None and _parted(grouped.groups, label.codes[sample]):
        return 1.0, np.ones(len(sample))
    return told_classes(grouped.groups, grouped.places, label.codes[sample])


def _parted(groups: Any, codes: Any) -> bool:
    """Tell whether thresholds part the classes: in the order of the values each class comes once."""
    order = np.lexsort((codes, groups))
    runs = 1 + int(np.count_nonzero(np.diff(codes[order])))
    return runs == len(np.unique(codes)) and bool((np.diff(groups[order])[np.diff(codes[order]) != 0] > 0).all())


def _told(
    part: Part, read: Encoded, label: Label, name: str, column: str, identifier: bool, least: float
) -> list[Finding]:
    """Return the finding over all rows; none if it held in the sample alone."""
    every = np.flatnonzero(~label.null)
    grouped = _grouped(read, every)
    score, right = _score(grouped, label, every)
    if score < least:
        return []
    rows = every[right >= 0.5]
    wrong = every[right < 0.5]
    how = _how(read, grouped, label, every, identifier)
    except_ = f"; all but {rows_of(part.name, wrong)}" if len(wrong) else ""
    measure = "of the variance of its ranks" if label.continuous else "balanced accuracy"
    return [
        Finding(
            "giveaway",
            (column,),
            len(rows),
            first(rows),
            f"{column!r} gives the label {name!r} away in {part.name}: {how}, and so it is right for "
            f"{many(len(rows), 'row')} of {len(every):,} ({score:.2%} {measure}, {least:.2%} is what alarms){except_}",
            f"leave {column!r} out of the features; if it is known before the label is, allow=[{column!r}]",
        )
    ]


def _how(read: Encoded, grouped: _Grouped, label: Label, every: Any, identifier: bool) -> str:
    if identifier and grouped.places is not None:
        return "it numbers the rows in the order of the label"
    classes = len(np.unique(label.codes[every]))
    if label.continuous:
        same = isinstance(read, Numbers) and np.array_equal(read.values[every].astype(np.float64), label.amounts[every])
        return "it is identical to it" if same else "rows next to each other in it have nearly the same label"
    if grouped.count == classes:
        return "each of its values stands for one label, and each label for one value"
    if grouped.places is None or grouped.count * FEWEST < len(every):
        return f"each of its {grouped.count:,} values goes with one label"
    return "the row with the nearest value has the same label"


def _grouped(column: Encoded, rows: Any) -> _Grouped:
    if isinstance(column, Numbers):
        values = column.values[rows].astype(np.float64)
        if len(rows) and np.abs(np.where(column.null[rows], 0, values)).max() > 2**53:
            values = _ranked(column, rows)
        values = np.where(column.null[rows], np.nan, values)
        places, groups = np.unique(values, return_inverse=True)
        return _Grouped(groups, places, len(places))
    codes = column.codes[rows]
    groups = np.unique(codes, return_inverse=True)[1]
    if column.family == "text" and groups.max(initial=-1) + 1 > len(rows) / 2:
        codes = _stems(column)[codes]  # "cat/0012.png": what is left without the numbers
        groups = np.unique(codes, return_inverse=True)[1]
    return _Grouped(groups, None, int(groups.max(initial=-1)) + 1)


def _ranked(column: Numbers, rows: Any) -> Any:
    """Return ranks for numbers that a float64 can't tell apart."""
    return np.unique(column.values[rows], return_inverse=True)[1].astype(np.float64)


def _stems(column: Items) -> Any:
    """Return for each text the number of what is left without its long numbers, or without all if that is still its own."""
    for digits in (r"\d{3,}", r"\d+"):
        number: dict[str, int] = {}
        stems = [number.setdefault(re.sub(digits, "#", value), len(number)) for value in column.values]
        if len(number) <= len(stems) / 2:
            break
    return np.array([*stems, -1])


def told_classes(groups: Any, places: Any | None, codes: Any) -> tuple[float, Any]:
    """Return how well a column tells classes, leaving out the row that is asked for.

    groups: the number of each row's value, shape (rows,). places: the values in order, or None. codes: classes, ≥ 0.
    Returns the mean over classes of two rows or more, and for each row 1.0, 0.5 (a draw) or 0.0.
    """
    classes, codes = np.unique(codes, return_inverse=True)
    pairs, pair_of, counts = np.unique(
        groups.astype(np.int64) * len(classes) + codes, return_inverse=True, return_counts=True
    )
    group_of = pairs // len(classes)
    order = np.lexsort((-counts, group_of))
    starts = np.flatnonzero(np.diff(group_of[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    best = order[starts]
    second = np.where(sizes > 1, counts[order[np.minimum(starts + 1, len(order) - 1)]], 0)
    own = counts[pair_of] - 1
    rival = np.where(best[groups] == pair_of, second[groups], counts[best][groups])
    right = np.where(own > rival, 1.0, np.where((own == rival) & (own > 0), 0.5, 0.0))
    alone = np.bincount(groups)[groups] == 1
    if places is not None and alone.any():
        right[alone] = _by_neighbour(groups[alone], places, (pairs % len(classes))[best], codes[alone])
    sizes_of = np.bincount(codes)
    shares = np.bincount(codes, right) / np.maximum(sizes_of, 1)
    return float(shares[sizes_of > 1].mean()) if (sizes_of > 1).any() else 0.0, right


def _by_neighbour(groups: Any, places: Any, majority: Any, codes: Any) -> Any:
    """Return whether the class of the nearest other value is right; a draw counts half. A null has no neighbour."""
    last = len(places) - 1
    below, above = np.maximum(groups - 1, 0), np.minimum(groups + 1, last)
    with np.errstate(invalid="ignore"):
        down = np.where(groups > 0, places[groups] - places[below], np.inf)
        up = np.where(groups < last, places[above] - places[groups], np.inf)
    down, up = (np.where(np.isnan(step), np.inf, step) for step in (down, up))
    hits = np.stack([majority[below] == codes, majority[above] == codes]).astype(np.float64)
    chosen = np.where(down < up, hits[0], np.where(up < down, hits[1], hits.mean(axis=0)))
    return np.where(np.isinf(down) & np.isinf(up), 0.0, chosen)


def told_amounts(groups: Any, places: Any | None, amounts: Any) -> tuple[float, Any]:
    """Return the share of the variance of the amounts' ranks that a column tells, leaving out the row that is asked for.

    A row is told by the mean of the other rows of its value, or by the mean of the two values next to it, whose noise adds half
    to what is left, so that it counts two thirds. Returns for each row whether it is told within a twentieth of all ranks.
    """
    _, value, counts = np.unique(amounts, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts + 1) / 2)[value]  # equal amounts have the mean of their ranks
    sizes = np.bincount(groups)
    sums = np.bincount(groups, ranks)
    size = sizes[groups]
    told = np.where(size > 1, (sums[groups] - ranks) / np.maximum(size - 1, 1), np.nan)
    weight = np.maximum((size - 1) / np.maximum(size, 1), 0.5)
    alone = size == 1
    if places is not None:
        means = sums / sizes
        below, above = np.maximum(groups - 1, 0), np.minimum(groups + 1, len(sizes) - 1)
        below, above = np.where(groups == 0, above, below), np.where(groups == len(sizes) - 1, below, above)
        told = np.where(alone, (means[below] + means[above]) / 2, told)
        weight = np.where(alone, 2 / 3, weight)
    error = np.where(np.isnan(told), ranks - ranks.mean(), ranks - told)
    spread = float(((ranks - ranks.mean()) ** 2).sum())
    share = 1 - float((weight * error**2).sum()) / spread if spread else 0.0
    return share, (np.abs(error) <= len(ranks) / 20).astype(np.float64)
