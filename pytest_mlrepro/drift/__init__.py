"""Is it still the data that we trained on: a compact profile of the reference, and tests of a sample against it."""

from __future__ import annotations

from .check import assert_no_drift, drift_report, failing
from .findings import Finding, Report
from .profile import Profile

__all__ = ["Finding", "Profile", "Report", "assert_no_drift", "drift_report", "failing"]
