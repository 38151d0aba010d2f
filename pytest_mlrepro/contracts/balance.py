"""Label balance: a test set in which classes are rarer or more frequent than in training measures something else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from .finding import Finding
from .labels import Label
from .split_words import first, many, rows_of
from .tails import fisher, kolmogorov

__all__ = ["balance_findings"]

RATE: Final = 0.001
"""How often a split whose labels were drawn alike is reported, all classes and pairs of parts together."""
EFFECT: Final = 0.1
"""What matters: Cohen's h of a class (0.50 against 0.55, 0.01 against 0.022), or Kolmogorov and Smirnov's D."""


def balance_findings(labels: Sequence[Label], name: str) -> list[Finding]:
    """Return labels that are null, the same everywhere, unseen in the first part, or spread otherwise than there."""
    findings = [finding for one in labels for finding in _nulls(one, name)]
    findings += _constant(labels[0], name)
    pairs = len(labels) * (len(labels) - 1) // 2
    for at, one in enumerate(labels):
        for two in labels[at + 1 :]:
            if one.continuous:
                findings += _amounts(one, two, name, RATE / pairs)
            else:
                findings += [*_unseen(one, two, name), *_shares(one, two, name, RATE / pairs)]
    return findings


def _nulls(one: Label, name: str) -> list[Finding]:
    null = np.flatnonzero(one.null)
    words = f"the label {name!r} of {one.part} is null in {many(len(null), 'row')}: {rows_of(one.part, null)}"
    return [Finding("null-labels", (name,), len(null), first(null), words)] if len(null) else []


def _constant(one: Label, name: str) -> list[Finding]:
    present = one.codes[~one.null]
    if len(present) < 2 or bool((present != present[0]).any()):
        return []
    words = f"the label {name!r} of {one.part} is the same in all {many(len(present), 'row')}: nothing can be learned from it"
    return [Finding("constant-label", (name,), len(present), first(np.flatnonzero(~one.null)), words)]


def _unseen(one: Label, two: Label, name: str) -> list[Finding]:
    """Return the classes of the second part that the first one hasn't: no model can know them."""
    new = np.setdiff1d(two.codes[~two.null], one.codes[~one.null])
    rows = np.flatnonzero(np.isin(two.codes, new))
    if not len(rows):
        return []
    which = ", ".join(two.names[code] for code in new[:5]) + (", …" if len(new) > 5 else "")
    words = f"{len(new):,} class{'es' if len(new) > 1 else ''}"
    return [
        Finding(
            "unseen-label",
            (name,),
            len(rows),
            first(rows),
            f"{words} of {name!r} in {two.part} {'are' if len(new) > 1 else 'is'} not in {one.part}: {which}; "
            f"{many(len(rows), 'row')}: {rows_of(two.part, rows)}",
            "split with stratify=, or leave these rows out",
        )
    ]


def _shares(one: Label, two: Label, name: str, rate: float) -> list[Finding]:
    count = len(one.names)
    first_counts, second_counts = (np.bincount(side.codes[~side.null], minlength=count) for side in (one, two))
    sizes = int(first_counts.sum()), int(second_counts.sum())
    if not all(sizes) or count < 2:
        return []
    tests = 1 if count == 2 else count
    moved = []
    for code in range(count):
        shares = first_counts[code] / sizes[0], second_counts[code] / sizes[1]
        effect = abs(2 * math.asin(math.sqrt(shares[1])) - 2 * math.asin(math.sqrt(shares[0])))
        if first_counts[code] and effect >= EFFECT:
            tail = fisher(int(first_counts[code]), int(second_counts[code]), *sizes)
            if tail * tests < rate:
                moved.append((effect, tail * tests, code, *shares))
    if not moved:
        return []
    moved.sort(key=lambda one: (-round(one[0], 9), one[2]))
    codes = [code for _, _, code, *_ in moved]
    rows = np.flatnonzero(np.isin(two.codes, codes))
    shown = ", ".join(f"{one.names[code]} {before:.2%} and {now:.2%}" for _, _, code, before, now in moved[:5])
    return [
        Finding(
            "label-balance",
            (name,),
            len(rows),
            first(rows),
            f"{name!r} is spread otherwise in {two.part} than in {one.part}: {shown}{', …' if len(moved) > 5 else ''} "
            f"({sizes[0]:,} and {sizes[1]:,} rows; Cohen's h {moved[0][0]:.2f} of {EFFECT} allowed, p {moved[0][1]:.2g} of "
            f"{rate:.2g} corrected for {tests}); {many(len(rows), 'row')}: {rows_of(two.part, rows)}",
            "split with stratify=, unless the parts are meant to differ",
        )
    ]


def _amounts(one: Label, two: Label, name: str, rate: float) -> list[Finding]:
    values = [np.sort(side.amounts[~side.null]) for side in (one, two)]
    if not all(len(side) for side in values):
        return []
    distance, tail = kolmogorov(*values)
    if distance < EFFECT or tail >= rate:
        return []
    medians = [float(np.median(side)) for side in values]
    words = (
        f"{name!r} is spread otherwise in {two.part} than in {one.part}: median {medians[0]:.6g} and {medians[1]:.6g}, "
        f"D {distance:.3f} of {EFFECT} allowed, p {tail:.2g} of {rate:.2g} ({len(values[0]):,} and {len(values[1]):,} rows)"
    )
    hint = "shuffle before the split, unless the parts are meant to differ"
    return [Finding("label-balance", (name,), len(values[1]), first(np.flatnonzero(~two.null)), words, hint)]
