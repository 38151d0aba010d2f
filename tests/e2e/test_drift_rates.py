"""The rates that drift checks promise, on the benchmark's table: smaller versions of `benchmarks/drift.py`."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks.drift import changed, days, halves, ours, scipy_alarms, shifted, table, tied
from pytest_mlrepro.drift import Profile, drift_report
from pytest_mlrepro.golden.store import Staging
from pytest_mlrepro.golden.undrifted import profile_node

pytestmark = pytest.mark.slow


def share(make: object, runs: int, **more: object) -> float:
    return float(np.mean([ours(*make(np.random.default_rng([3, run])), **more) for run in range(runs)]))


@pytest.mark.parametrize(("rows", "runs"), [(1_000, 60), (10_000, 40), (100_000, 12)])
def test_splits_without_drift_alarm_at_most_at_the_stated_rate(rows: int, runs: int) -> None:
    assert share(halves(rows), runs) <= 0.05


def test_scipy_s_tests_alarm_in_most_of_the_same_splits() -> None:
    make = halves(10_000)
    found = [scipy_alarms(*make(np.random.default_rng([3, run])))[0] for run in range(20)]
    assert np.mean(found) >= 0.3


def test_days_alarm_at_most_in_a_tenth_with_groups() -> None:
    assert share(days(10_000), 20, groups="day") <= 0.1


def test_a_fifth_of_a_deviation_in_one_of_twenty_columns_is_found() -> None:
    assert share(changed(10_000, shifted(0.2, 1)), 30) >= 0.98


def test_a_correlation_alone_is_found() -> None:
    assert share(changed(10_000, tied), 10) == 1


def test_a_million_rows_a_hundredth_of_a_deviation_away_are_no_drift_and_take_a_moment() -> None:
    rng = np.random.default_rng(0)
    then, now = table(1_000_000, rng), shifted(0.01, 14)(table(1_000_000, rng))
    profile = Profile.of(then)
    start = time.process_time()
    assert drift_report(now, profile).verdict == "passed"
    taken = time.process_time() - start
    start = time.process_time()
    scipy_alarms(then, now)
    # a tenth is the aim on two quiet cores (benchmarks/drift.py); here it is processor time on shared ones
    assert taken < 0.25 * (time.process_time() - start)


def test_the_profile_of_a_million_rows_takes_less_than_a_mebibyte_as_a_golden() -> None:
    profile = Profile.of(table(1_000_000, np.random.default_rng(0)))
    staging = Staging()
    staging.add("train", profile_node(profile), {})
    size = sum(path.stat().st_size for path in staging.folder.iterdir())
    size += len(str(staging.checks["train"].value))
    staging.discard()
    assert size < 1 << 20
