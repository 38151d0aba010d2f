"""Slow trends of a statistic: found when they are steady, and not in noise."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlrepro.report.course import Course, trend


def course(values: list[float], state: str = "same") -> Course:
    times = tuple(f"2026-11-{day:02}T00:00:00Z" for day in range(1, len(values) + 1))
    return Course("t", "train", "x: distribution", times, tuple(values), 0.05, (state,) * len(values))


def test_a_steady_rise_below_the_alarm_is_a_trend_with_the_runs_that_are_left() -> None:
    found = trend(course([0.010, 0.014, 0.017, 0.022, 0.026, 0.030]))
    assert found is not None
    assert found.runs_left == pytest.approx(5, abs=0.5)


def test_an_alarm_a_fall_and_too_few_runs_are_no_slow_trend() -> None:
    rising = [0.01 * at for at in range(1, 9)]
    assert trend(course(rising, "drift")) is None
    assert trend(course(rising[::-1])) is None
    assert trend(course(rising[:5])) is None
    assert trend(course([0.01] * 12)) is None


def test_noise_is_seldom_a_trend() -> None:
    rng = np.random.default_rng(0)
    found = [trend(course(rng.random(12).tolist())) is not None for _ in range(1000)]
    assert np.mean(found) <= 0.015
