"""Verdicts by sampling: false passes stay below what the confidence allows, however often one looks."""

import math

import numpy as np
import pytest

from pytest_mlrepro.robustness.sequential import evidence, interval, samples_needed, side

THRESHOLD, TRUE, RUNS, SAMPLES = 0.75, 0.749, 1000, 2000


@pytest.fixture(scope="module")
def stood():
    draws = np.random.default_rng(0).random((RUNS, SAMPLES)) < TRUE
    return draws.cumsum(1)


def passes(stood, excluded):
    """Return the share of runs that ever pass, looking after each sample; `excluded` tells which (stood, n) do."""
    n = np.arange(1, SAMPLES + 1)
    return (excluded(stood, n) & (stood > THRESHOLD * n)).any(1).mean()


def test_false_passes_are_rarer_than_five_in_a_hundred(stood):
    table = np.array([math.lgamma(k) for k in range(1, SAMPLES + 3)])

    def excluded(s, n):
        logs = table[s] + table[n - s] - table[n + 1] - s * math.log(THRESHOLD) - (n - s) * math.log1p(-THRESHOLD)
        return logs >= -math.log(0.05)

    assert excluded(np.array([45]), np.array([45]))[0] == (side(45, 0, THRESHOLD, 0.95) == "above")
    assert excluded(stood, np.arange(1, SAMPLES + 1))[7, 99] == (
        evidence(int(stood[7, 99]), 100 - int(stood[7, 99]), THRESHOLD) >= -math.log(0.05)
    )
    assert passes(stood, excluded) <= 0.05


def test_an_interval_for_one_look_would_pass_too_often(stood):
    """The planted fault: the same simulation must tell a rule that isn't valid at all times."""

    def excluded(s, n):
        return s / n - 1.645 * np.sqrt(np.maximum(s / n * (1 - s / n), 1e-9) / n) > THRESHOLD

    assert passes(stood, excluded) > 0.1


def test_sides_and_intervals_agree():
    for stood, fell in ((0, 1), (30, 0), (60, 20), (200, 300), (776, 224)):
        low, high = interval(stood, fell, 0.95)
        assert 0 <= low <= stood / (stood + fell) <= high <= 1
        for threshold in (0.1, 0.5, 0.7, 0.9):
            told = side(stood, fell, threshold, 0.95)
            assert told == ("above" if threshold < low else "below" if threshold > high else None)
    assert interval(0, 0, 0.95) == (0.0, 1.0)


def test_how_many_samples_it_would_take():
    needed = samples_needed(0.8, 0.75, 0.95)
    assert side(round(0.8 * needed), needed - round(0.8 * needed), 0.75, 0.95) == "above"
    assert samples_needed(0.76, 0.75, 0.95) > needed
    assert samples_needed(0.75, 0.75, 0.95) is None


def test_a_certain_share_is_refuted_by_one_sample():
    assert side(99, 1, 1.0, 0.95) == "below"
