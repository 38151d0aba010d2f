"""The fixture `drift`: the drift checks of a test, each verdict told to the run."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from .._json import one_line
from ..drift import Report
from ..golden.case import GoldenCase
from ..golden.drifting import Drifting
from .properties import VERDICT, named

if TYPE_CHECKING:
    from ..report.detail.collector import Details

__all__ = ["open_drift"]


def open_drift(case: GoldenCase, item: pytest.Item, details: Details | None = None) -> Drifting:
    """Return the drift checks of a test."""

    def tell(name: str, report: Report, outcome: str) -> None:
        if not case.checking.silent:
            item.user_properties.append((named(VERDICT, name), one_line(_facts(report, outcome))))
            if details is not None:
                details.drift(name, report)

    return Drifting(case, tell)


def _facts(report: Report, outcome: str) -> dict[str, object]:
    return {
        "kind": "drift",
        "outcome": outcome,
        "verdict": report.verdict,
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "reference": report.reference,
        "reference_rows": report.reference_rows,
        "rows": report.rows,
        "statistics": {
            finding.key: {
                "value": round(finding.statistic, 6),
                "allowed": round(finding.allowed, 6),
                "state": finding.state,
            }
            for finding in report.findings
        },
    }
