"""Balls: what is inside, the way back in, and how a threat is written."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pytest_mlrepro import L0, L1, L2, Linf, UsageError
from pytest_mlrepro.robustness.threats import SLACK

BALLS = st.builds(
    lambda kind, size, bounds: (
        L0(round(size * 20) + 1, (0, 1)) if kind is L0 else kind(size, (0, 1) if bounds else None)
    ),
    st.sampled_from([Linf, L2, L1, L0]),
    st.floats(0.001, 0.9),
    st.booleans(),
)
BATCHES = arrays(np.float32, (3, 2, 5), elements=st.floats(0, 1, width=32))
ANYTHING = arrays(np.float64, (3, 2, 5), elements=st.floats(-1e6, 1e6) | st.just(np.nan))


@given(BALLS, BATCHES, ANYTHING)
def test_projected_points_are_inside_and_stay_where_they_are(ball, origin, x):
    moved = ball.project(x, origin)
    assert moved.dtype == origin.dtype
    assert ball.contains(moved, origin).all()
    assert (ball.distance(origin, moved) <= ball.epsilon * (1 + SLACK)).all()
    assert np.allclose(ball.project(moved, origin), moved, rtol=1e-5, atol=1e-6)
    if ball.bounds:
        assert moved.min() >= 0
        assert moved.max() <= 1


@given(BALLS, BATCHES)
def test_the_origin_is_left_alone(ball, origin):
    assert np.array_equal(ball.project(origin, origin), origin)


def test_projection_stays_inside_in_half_precision():
    origin = np.linspace(0, 1, 40, dtype=np.float16).reshape(4, 10).astype(np.float32)
    half = lambda x: x.astype(np.float16).astype(np.float32)  # noqa: E731
    for ball in (Linf(0.01, bounds=(0, 1)), L2(0.3), L1(0.5)):
        moved = ball.project(origin + 5, origin, half)
        assert ball.contains(moved, origin).all()
        assert np.array_equal(half(moved), moved)
        assert (moved != origin).any()


@given(BALLS)
def test_a_threat_reads_back_from_its_text(ball):
    assert eval(str(ball)) == ball


def test_a_threat_is_written_as_people_write_it():
    assert str(Linf(8 / 255, bounds=(0, 1))) == "Linf(8/255, bounds=(0, 1))"
    assert str(L2(0.5)) == "L2(0.5)"
    assert str(L0(3, bounds=(-1, 16))) == "L0(3, bounds=(-1, 16))"


def test_distances_of_each_norm():
    x, y = np.zeros((2, 2, 2)), np.array([[[3.0, -4.0], [0, 0]], [[1, 1], [1, 1]]])
    assert [kind(1).distance(x, y).tolist() for kind in (Linf, L2, L1)] == [[4, 1], [5, 2], [7, 4]]
    assert L0(1, bounds=(-9, 9)).distance(x, y).tolist() == [2, 4]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Linf(0), r"Linf\(epsilon\): a positive number is expected, got 0"),
        (lambda: Linf(True), "a positive number"),
        (lambda: L2(float("nan")), r"L2\(epsilon\)"),
        (lambda: L2("0.5"), "got '0.5'"),
        (lambda: L1(float("inf")), r"L1\(epsilon\)"),
        (lambda: Linf(0.1, bounds=(1, 0)), r"Linf\(bounds\): two finite numbers in order"),
        (lambda: Linf(0.1, bounds=1), "two finite numbers"),
        (lambda: Linf(8, bounds=(0, 1)), r"write Linf\(8/255\)"),
        (lambda: L0(1.5, bounds=(0, 1)), "a whole number"),
        (lambda: L0(2), r"L0\(bounds\): needed"),
    ],
)
def test_a_threat_that_makes_no_sense_is_refused(make, words):
    with pytest.raises(UsageError, match=words):
        make()
