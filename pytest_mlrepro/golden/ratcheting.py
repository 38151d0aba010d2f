"""A baseline of robust accuracy beside the golden of a test: recorded, compared, and asked for its counterexamples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..robustness.report import RobustnessReport
from .case import GoldenCase
from .checking import title
from .failing import Failing
from .ratchet import Ratchet, is_ratchet, ratchet_node, recorded_points

__all__ = ["hold", "points_before"]


def points_before(case: GoldenCase, key: str) -> dict[int, Any]:
    """Return the counterexamples that the baseline of this name keeps; nothing where there is none."""
    recorded = case.checking.recorded().get(key)
    return recorded_points(recorded, case.folder) if recorded is not None and is_ratchet(recorded) else {}


def hold(case: GoldenCase, key: str, report: RobustnessReport, setup: Mapping[str, str], max_drop: float) -> str:
    """Compare a report with its baseline, or put it aside to be recorded; return the failure, "" if it holds."""
    __tracebackhide__ = True
    checking, rule, node = case.checking, Ratchet(max_drop), ratchet_node(report, setup)
    if checking.shown(title(key), report.statuses, node, rule, "robustness") is None:
        return ""
    found = checking.judge(key, node, rule)
    return "" if found is None else Failing(case).check(key, checking.recorded()[key], found)
