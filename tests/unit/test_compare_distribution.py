"""The tests of a metric's distribution: exact against counting everything out, honest under the null, and as sharp as said."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.compare import signed_rank
from pytest_mlrepro.compare.distribution import (
    POWER,
    held_apart,
    level_of,
    probabilities,
    seeds_needed,
    smallest_shift,
)
from pytest_mlrepro.compare.distribution_words import brief, headline, moved_lines, number, recorded_line
from pytest_mlrepro.compare.signed_rank import critical, midranks, p_value, walsh

SEEDS = 20
Draw = Callable[[np.random.Generator, int], np.ndarray]
NULLS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "skewed": lambda rng, n: rng.lognormal(0, 1, n),
    "accuracy on 25 samples": lambda rng, n: rng.binomial(25, 0.9, n) / 25,
    "nearly always 1": lambda rng, n: (rng.random(n) < 0.97).astype(float),
    "heavy tails": lambda rng, n: rng.standard_cauchy(n),
    "two humps": lambda rng, n: rng.normal(size=n) + 10 * (rng.random(n) < 0.2),
    "far from zero": lambda rng, n: 1e6 + rng.normal(size=n),
}


def alarms_at_most(share: float, runs: int) -> float:
    """Return how many alarms fewer than one honest test in ten thousand would exceed."""
    return share * runs + 3.72 * math.sqrt(runs * share * (1 - share))


# exact


def by_counting(differences: list[float]) -> float:
    moved = np.array([d for d in differences if d])
    if not moved.size:
        return 1.0
    ranks = midranks(np.abs(moved))
    up, all_of_them = ranks[moved > 0].sum(), ranks.sum()
    sums = np.array([(ranks * np.array(signs)).sum() for signs in itertools.product((0, 1), repeat=moved.size)])
    return min(1.0, 2 * float(np.mean(sums <= min(up, all_of_them - up) + 1e-9)))


@given(st.lists(st.sampled_from([0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -3.0, 1e-9, 7.5]), min_size=1, max_size=9))
def test_p_is_the_share_of_all_signs_that_are_as_far_out_also_with_ties_and_zeros(differences: list[float]) -> None:
    assert p_value(np.array(differences)) == pytest.approx(by_counting(differences), abs=1e-12)


def test_p_agrees_with_scipy_where_there_are_no_ties() -> None:
    stats = pytest.importorskip("scipy.stats")
    for count in (5, 12, 30, 60):
        differences = np.random.default_rng(count).normal(0.3, 1, count)
        assert p_value(differences) == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12))
def test_p_does_not_depend_on_which_side_is_the_recorded_one(differences: list[float]) -> None:
    forward = np.array(differences)
    assert p_value(forward) == p_value(-forward) == p_value(forward[::-1])


def test_the_normal_approximation_is_the_stricter_one(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = critical(400, 1e-4)
    monkeypatch.setattr(signed_rank, "EXACT", 100)
    assert exact <= critical(400, 1e-4) <= exact * 1.002


def test_critical_is_the_first_sum_whose_probability_is_within_the_level() -> None:
    assert critical(5, 2 / 32) == 15  # all five ranks, and only they
    assert critical(5, 0.06) == 16  # none: more than there is
    assert critical(6, 0.05) == 21


@pytest.mark.parametrize(("level", "seeds"), [(1.0, 1), (0.5, 2), (0.01, 8), (2.0**-10, 11), (1e-6, 21)])
def test_the_seeds_that_a_level_needs(level: float, seeds: int) -> None:
    assert seeds_needed(level) == seeds
    assert 2.0 ** (1 - seeds) <= level
    assert seeds == 1 or 2.0 ** (2 - seeds) > level


def test_walsh_means_of_three() -> None:
    assert walsh(np.array([0.0, 4.0, 1.0])).tolist() == [0.0, 0.5, 1.0, 2.0, 2.5, 4.0]


# honest


@pytest.mark.parametrize("name", NULLS)
def test_other_random_streams_alarm_no_more_often_than_is_said(name: str) -> None:
    rng, runs, rate = np.random.default_rng(7), 2000, 0.05
    level = level_of(rate, 1)
    alarms = sum(min(probabilities(NULLS[name](rng, SEEDS), NULLS[name](rng, SEEDS))) <= level for _ in range(runs))
    assert alarms <= alarms_at_most(rate, runs)
    if name in ("normal", "skewed", "heavy tails"):  # and it does alarm: nearly as often as it may
        assert alarms >= 0.5 * rate * runs


@pytest.mark.parametrize("share", [0.1, 0.9, 1e-6])
def test_streams_that_agree_in_part_alarm_no_more_often_than_is_said(share: float) -> None:
    """The same split, other initial weights; or the same run with its last bits rounded otherwise."""
    rng, runs, rate = np.random.default_rng(8), 2000, 0.05
    alarms = 0
    for _ in range(runs):
        common = rng.normal(size=SEEDS)
        sides = [common + share * rng.exponential(size=SEEDS) for _ in range(2)]
        alarms += min(probabilities(*sides)) <= level_of(rate, 1)
    assert alarms <= alarms_at_most(rate, runs)


def test_a_suite_of_metrics_that_hang_together_alarms_no_more_often_than_is_said() -> None:
    rng, runs, rate, metrics = np.random.default_rng(9), 1000, 0.05, 5
    level, alarms = level_of(rate, metrics), 0
    for _ in range(runs):
        common = rng.normal(size=(2, SEEDS))
        sides = [common + rng.normal(size=(2, SEEDS)) for _ in range(metrics)]
        alarms += any(min(probabilities(*side)) <= level for side in sides)
    assert alarms <= alarms_at_most(rate, runs)


def test_rounding_that_leans_to_one_side_in_every_seed_is_no_change() -> None:
    recorded = 0.9 + 0.01 * np.random.default_rng(0).normal(size=SEEDS)
    movement = held_apart("", recorded, recorded * (1 + 2e-7), 0.01)
    assert not movement.apart
    assert movement.same == SEEDS
    assert not held_apart("", np.full(SEEDS, 0.7), np.full(SEEDS, 0.7 * (1 + 1e-12)), 0.01).apart


# sharp


@pytest.mark.parametrize("name", ["normal", "skewed", "heavy tails", "two humps", "far from zero"])
def test_the_smallest_shift_is_seen_about_as_often_as_is_said(name: str) -> None:
    rng, runs, level = np.random.default_rng(10), 300, 0.005
    seen = 0
    for _ in range(runs):
        recorded = NULLS[name](rng, SEEDS)
        now = NULLS[name](rng, SEEDS) + smallest_shift(recorded, level)
        seen += probabilities(recorded, now)[0] <= level
    assert POWER - 0.12 <= seen / runs <= 0.97


def test_the_smallest_shift_grows_with_the_noise_and_shrinks_with_the_seeds() -> None:
    rng = np.random.default_rng(0)
    few, many = rng.normal(size=15), rng.normal(size=200)
    assert smallest_shift(3 * few, 0.01) == pytest.approx(3 * smallest_shift(few, 0.01))
    assert smallest_shift(few + 100, 0.01) == pytest.approx(smallest_shift(few, 0.01))
    assert smallest_shift(many, 0.01) < smallest_shift(few, 0.01) / 2
    assert smallest_shift(few, 1e-3) > smallest_shift(few, 1e-2)
    assert smallest_shift(np.ones(15), 0.01) == 0
    assert smallest_shift(few[:4], 0.01) == math.inf


def test_the_same_streams_see_a_shift_far_below_the_noise() -> None:
    recorded = np.random.default_rng(0).normal(size=SEEDS)
    movement = held_apart("loss", recorded, recorded + 0.01, level_of(0.01, 1))
    assert movement.moved
    assert movement.smallest > 0.5
    assert movement.shift == pytest.approx(0.01)
    assert movement.low == pytest.approx(0.01)
    assert movement.high == pytest.approx(0.01)


def test_another_spread_is_seen() -> None:
    rng = np.random.default_rng(3)
    recorded, now = rng.normal(size=30), 8 * rng.normal(size=30)
    movement = held_apart("loss", recorded, now, 0.005)
    assert movement.widened
    assert not movement.moved
    assert "more spread than recorded" in "\n".join(moved_lines([movement], range(30)))


@given(st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_the_interval_leaves_out_zero_exactly_when_the_shift_is_seen(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    recorded = rng.normal(size=12)
    movement = held_apart("", recorded, rng.normal(size=12) + shift, 0.05)
    assert movement.low <= movement.shift <= movement.high
    if movement.same == 0:
        assert movement.moved == (not movement.low <= 0 <= movement.high)


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e299])
def test_numbers_of_any_size_are_tested(scale: float) -> None:
    rng = np.random.default_rng(0)
    recorded = rng.normal(size=SEEDS) * scale
    assert held_apart("", recorded, recorded + 5 * scale, 0.005).moved
    assert not held_apart("", recorded, recorded, 0.005).apart


# constants


def test_a_metric_without_spread_is_compared_as_it_is() -> None:
    moved = held_apart("acc", np.full(12, 0.5), np.full(12, 0.51), 0.005)
    assert moved.moved
    assert moved.constant
    assert headline(moved) == "acc: 0.5 → 0.51 in every seed"
    assert "the seed makes no difference to either" in "\n".join(moved_lines([moved], range(12)))
    assert not held_apart("acc", np.full(12, 0.5), np.full(12, 0.5), 0.005).apart


def test_one_seed_that_leaves_a_constant_is_no_proof_and_many_are() -> None:
    recorded, now = np.ones(SEEDS), np.ones(SEEDS)
    now[3] = 0.9
    assert not held_apart("", recorded, now, 0.005).apart  # one in twenty is what chance does to a rare event
    now[:12] = np.linspace(0.5, 0.9, 12)
    assert held_apart("", recorded, now, 0.005).moved


def test_sides_that_mirror_each_other_are_not_constant() -> None:
    recorded = np.linspace(0.90, 0.94, 20)
    assert not held_apart("", recorded, recorded[::-1], 0.005).constant


# words


def test_the_lines_of_a_failure() -> None:
    recorded = np.linspace(0.90, 0.94, 20)
    movement = held_apart("acc", recorded, recorded[::-1] - 0.05, 0.0025)
    lines = list(moved_lines([movement, held_apart("f1", recorded, recorded, 0.0025)], range(100, 120)))
    assert lines == [
        "acc: lower than recorded",
        "  median  0.9200 → 0.8700 over 20 seeds",
        "  shift   -0.0500  (99.75% interval: -0.0711 to -0.0289)",
        "  spread  0.0105 → 0.0105  (mean distance from the median)",
        "  p = 1.9e-06 for the shift; 0.0025 or less is an alarm",
        "  a shift of 0.0179 would have been seen with 80% power, other random streams included",
        "  seed 119 moved most: 0.9400 → 0.8500",
        "no change seen (± would have been): f1 ±0.0179",
    ]


def test_one_line_for_a_metric_that_passed_and_one_for_what_is_recorded() -> None:
    recorded = np.linspace(0.90, 0.94, 20)
    assert brief([held_apart("acc", recorded, recorded, 0.0025)]) == "acc ±0.0179"
    assert recorded_line(recorded, None) == "median 0.9200, spread 0.0105, 0.9000 to 0.9400"
    assert recorded_line(np.full(9, 0.25), 0.01) == "0.25 in every seed"


@given(st.floats(-1e12, 1e12), st.floats(0, 1e6))
def test_a_number_is_printed_as_one(value: float, grain: float) -> None:
    assert float(number(value, grain)) == pytest.approx(value, rel=1e-5, abs=max(grain, 1e-5) / 50)
