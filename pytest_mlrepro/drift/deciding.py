"""From findings to a verdict: a drift needs a corrected test and an effect that matters, a pass needs enough rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from .findings import Finding, Report, Verdict
from .statistics import adjusted

__all__ = ["decided"]

SHARE: Final = 0.5
"""Of the rate of false alarms: what the tests are held to, since their p-values are those of large samples."""


def decided(
    findings: Sequence[Finding],
    *,
    rows: int,
    reference_rows: int,
    reference: str,
    false_alarms: float,
    notes: tuple[str, ...] = (),
) -> Report:
    """Return the report. `false_alarms` bounds the chance that a frame without drift is said to have some.

    P-values are corrected together (Benjamini and Hochberg). A test that found nothing decides only if it would have found
    what matters with probability 0.9, at the level that a single moved column is tested at.
    """
    tails = [finding.tail for finding in findings if finding.tail is not None]
    corrected = iter(adjusted(tails))
    rate = false_alarms * SHARE
    level = rate / max(len(tails), 1)
    judged = [
        replace(finding, state="drift") if finding.tail is None else _judged(finding, next(corrected), rate, level)
        for finding in findings
    ]
    states = {finding.state for finding in judged}
    verdict: Verdict = "drift" if "drift" in states else "undecided" if "undecided" in states or not tails else "passed"
    return Report(verdict, tuple(judged), rows, reference_rows, reference, len(tails), false_alarms, notes)


def _judged(finding: Finding, tail: float, rate: float, level: float) -> Finding:
    if tail <= rate and finding.statistic >= finding.allowed:
        return replace(finding, tail=tail, state="drift")
    effective = finding.needs(level)
    if finding.size >= effective:
        return replace(finding, tail=tail)
    then = finding.rows[0]
    needed = effective * then / (then - effective) if then > effective else math.inf
    # needs go with the square of the effect, all but exactly
    seen = finding.allowed * math.sqrt(effective / finding.size) if finding.size else 1.0
    return replace(finding, tail=tail, state="undecided", needed=needed, detectable=seen)
