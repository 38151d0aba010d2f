"""What one comparison came to: what was tested, how far it was from the reference, and whether that decides anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .statistics import Z_POWER, kolmogorov_critical, noncentrality, normal_quantile

__all__ = [
    "Finding",
    "Report",
    "State",
    "Verdict",
    "What",
    "needs_areas",
    "needs_categories",
    "needs_rate",
    "needs_steps",
]

What: TypeAlias = Literal[
    "missing column", "new column", "type", "mixed types", "infinite values", "time zone",
    "distribution", "nulls", "unseen categories", "correlation", "all columns together",
]  # fmt: skip
State: TypeAlias = Literal["same", "drift", "undecided"]
Verdict: TypeAlias = Literal["passed", "drift", "undecided"]
Needs: TypeAlias = Callable[[float], float]
"""How many effective rows a test of some level needs to find what matters, with probability 0.9."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    `tail` is a p-value, corrected for the number of tests once that is known; None where a fact needs no test.
    """

    column: str
    what: What
    statistic: float
    """How far from the reference, from 0 to 1: D, a distance of shares, a difference of rates or correlations; 1 for facts."""
    allowed: float
    words: tuple[str, ...]
    """What moved, by how much; the first line is the conclusion."""
    tail: float | None = None
    state: State = "same"
    size: float = 0.0
    """Effective rows."""
    rows: tuple[int, int] = (0, 0)
    """Rows of the reference and of the sample."""
    needs: Needs = field(default=lambda _level: 0.0, repr=False, compare=False)
    detectable: float = 0.0
    """The smallest effect that so many rows would have shown; 0 where nothing was tested."""
    needed: float = 0.0
    """Rows of the sample that would decide; infinite where the reference has too few."""
    measure: str = "D"
    effects: float = 1.0
    """How much of the argument `effect` one of `allowed` stands for."""

    @property
    def key(self) -> str:
        """Return what the statistic is called from run to run; the pair of columns that is farthest may be another one."""
        return "correlations" if self.what == "correlation" else f"{self.column}: {self.what}"


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on a frame: *passed*, *drift*, or *undecided* where the sample is too small to tell."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    """Everything that was tested, in the order of the columns."""
    rows: int
    reference_rows: int
    reference: str
    """Name and date of the reference."""
    tests: int
    false_alarms: float
    notes: tuple[str, ...] = ()

    @property
    def drifted(self) -> tuple[Finding, ...]:
        """Return what moved, the farthest first."""
        moved = [finding for finding in self.findings if finding.state == "drift"]
        return tuple(sorted(moved, key=lambda finding: finding.tail is not None))

    @property
    def statistics(self) -> Mapping[str, float]:
        """Return the statistic of each test, by `column: what`."""
        return {finding.key: finding.statistic for finding in self.findings if finding.tail is not None}

    def __str__(self) -> str:
        from .words import told

        return told(self)


def needs_steps(allowed: float) -> Needs:
    """Return what Kolmogorov and Smirnov's test needs: the distance at one place varies by half a root of n at most."""
    return lambda level: ((kolmogorov_critical(level) + Z_POWER / 2) / allowed) ** 2


def needs_categories(allowed: float, freedom: int) -> Needs:
    """Return what the chi-square test needs; shares that move by d in all give it at least 4 d²."""
    return lambda level: noncentrality(max(freedom, 1), level) / (4 * allowed**2)


def needs_rate(allowed: float, rate: float) -> Needs:
    """Return what the comparison of two rates needs."""
    middle = min(max(rate, allowed), 0.5)
    return lambda level: (math.sqrt(2 * math.log(2 / level)) + Z_POWER) ** 2 * middle * (1 - middle) / allowed**2


def needs_areas(allowed: float, variance: float) -> Needs:
    """Return what a normal statistic needs whose variance is `variance` over the effective rows."""
    return lambda level: (normal_quantile(level) + Z_POWER) ** 2 * variance / allowed**2
