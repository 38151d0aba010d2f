"""The fixture `contract`: the contracts of a test, each verdict told to the run."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from .._json import one_line
from ..contracts.finding import Finding
from ..golden.case import GoldenCase
from ..golden.contracting import Contracting
from .properties import VERDICT, named

if TYPE_CHECKING:
    from ..report.detail.collector import Details

__all__ = ["open_contract"]


def open_contract(case: GoldenCase, item: pytest.Item, details: Details | None = None) -> Contracting:
    """Return the contracts of a test."""

    def tell(name: str, findings: list[Finding], outcome: str) -> None:
        facts = {
            "kind": "contract",
            "outcome": outcome,
            "verdict": "kept" if not findings else "broken",
            "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "findings": [
                {"kind": finding.kind, "columns": list(finding.columns), "count": finding.count} for finding in findings
            ],
        }
        item.user_properties.append((named(VERDICT, name), one_line(facts)))
        if details is not None:
            details.contract(name, findings)

    return Contracting(case, tell)
