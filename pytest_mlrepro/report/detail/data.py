"""What a record tells of drift and contracts: each thing that was looked at, and how columns are distributed then and now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from ..._json import Json
from ...contracts.finding import Finding as Fault
from ...drift import Profile, Report
from ...drift.profile import Entry
from .small import Floats, number, numbers

__all__ = ["contract_detail", "distributions", "drift_detail"]

FAULTS: Final = 40
FINDINGS: Final = 60
COLUMNS: Final = 6
"""Columns whose distributions are drawn: those that moved, the farthest first."""
BINS: Final = 24
LEVELS: Final = 8
TEXT: Final = 60
LINES: Final = 40
WORDS: Final = 300


def contract_detail(findings: Sequence[Fault]) -> Json:
    """Return what is wrong with a table, in words, with the first rows."""
    return {
        "findings": [
            {
                "kind": finding.kind,
                "columns": [str(name)[:TEXT] for name in finding.columns[:COLUMNS]],
                "count": finding.count,
                "rows": [int(row) for row in finding.rows[:5]],
                "words": _cut(finding.words),
                "hint": _cut(finding.hint),
            }
            for finding in findings[:FAULTS]
        ],
        "more": max(len(findings) - FAULTS, 0),
    }


def drift_detail(report: Report) -> Json:
    """Return each thing that was looked at: what moved first, then what could not be decided, then the rest."""
    order = {"drift": 0, "undecided": 1, "same": 2}
    ranked = sorted(report.findings, key=lambda finding: (order[finding.state], -_share(finding)))
    return {
        "findings": [
            {
                "column": str(finding.column)[:TEXT],
                "what": finding.what,
                "value": number(finding.statistic),
                "allowed": number(finding.allowed),
                "p": None if finding.tail is None else number(finding.tail),
                "state": finding.state,
                "measure": finding.measure,
            }
            for finding in ranked[:FINDINGS]
        ],
        "more": max(len(ranked) - FINDINGS, 0),
        "lines": [_cut(line) for line in str(report).splitlines()[:LINES]],
    }


def _cut(text: str) -> str:
    return text if len(text) <= WORDS else text[: WORDS - 1] + "…"


def _share(finding: Any) -> float:
    return float(finding.statistic / finding.allowed) if finding.allowed else float("inf")


def distributions(then: Profile, now: Profile, columns: Sequence[str]) -> list[Json]:
    """Return how these columns are distributed in a reference and in the frame that left it, those that both have."""
    found: list[Json] = []
    for name in dict.fromkeys(columns):
        if name in then.columns and name in now.columns and len(found) < COLUMNS:
            found += [{"column": name[:TEXT], **drawn} for drawn in _column(then.columns[name], now.columns[name])]
    return found


def _column(then: Entry, now: Entry) -> Iterator[Json]:
    nulls = [_rate(then), _rate(now)]
    if then.numbers is not None and now.numbers is not None:
        if len(then.numbers.edges) and len(now.numbers.edges):
            yield {**_numbers(then.numbers, now.numbers), "nulls": nulls, "dates": then.kind not in ("numeric",)}
    elif (
        then.categories is not None and now.categories is not None and (then.categories.levels or now.categories.levels)
    ):
        yield {**_levels(then.categories, now.categories), "nulls": nulls}


def _rate(entry: Entry) -> float | None:
    return number(entry.nulls / entry.rows) if entry.rows else None


def _numbers(then: Any, now: Any) -> Json:
    """Return both as shares of rows in bins that they have in common; extremes are in the first and last one."""
    ends = np.concatenate([_middle(then.edges), _middle(now.edges)])
    low, high = float(ends.min()), float(ends.max())
    if not low < high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)
    return {
        "type": "bins",
        "low": number(low),
        "high": number(high),
        "then": numbers(_shares(then, edges)),
        "now": numbers(_shares(now, edges)),
    }


def _middle(edges: Floats) -> Floats:
    """Return where all but the outermost quantiles lie: one value far out would leave nothing to see of the others."""
    spare = len(edges) // 200
    return np.asarray([edges[spare], edges[len(edges) - 1 - spare]], np.float64)


def _shares(profile: Any, edges: Floats) -> Floats:
    values = max(profile.counts.values, 1)
    upto = np.interp(edges, profile.edges, profile.counts.upto / values, left=0.0)
    upto[0], upto[-1] = 0.0, 1.0
    return np.diff(upto)


def _levels(then: Any, now: Any) -> Json:
    before, after = max(then.values, 1), max(now.values, 1)
    moved = {
        name: abs(then.levels.get(name, 0) / before - now.levels.get(name, 0) / after)
        for name in {**then.levels, **now.levels}
    }
    names = sorted(moved, key=lambda name: (-moved[name], name))[:LEVELS]
    return {
        "type": "levels",
        "names": [str(name)[:TEXT] for name in names],
        "then": [number(then.levels.get(name, 0) / before) for name in names],
        "now": [number(now.levels.get(name, 0) / after) for name in names],
        "more": max(len(moved) - LEVELS, 0),
    }
