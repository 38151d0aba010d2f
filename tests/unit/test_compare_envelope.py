"""Calibrated tolerances: every run that was seen is within, one of them at the bound, and nothing else is allowed."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.compare.envelope import envelope, not_numeric
from pytest_mlrepro.compare.tolerance import Tolerance, Tolerances, from_json, to_json
from pytest_mlrepro.compare.walk import compare
from pytest_mlrepro.values.describe import describe
from pytest_mlrepro.values.node import Array, Node
from pytest_mlrepro.values.sources import FlatSource

DTYPES = ("float16", "float32", "float64", "bfloat16", "complex64", "complex128")
PLAIN = st.floats(-1e4, 1e4, width=16)


def array(values: Any, dtype: str) -> Array:
    """Return an array leaf of any dtype, bfloat16 by cutting float32."""
    if dtype == "bfloat16":
        bits = np.asarray(values, np.float32).view(np.uint32) >> 16
        return Array("torch.Tensor", dtype, bits.shape, FlatSource(bits.astype(np.uint16).reshape(-1)))
    made = np.asarray(values, dtype)
    return Array("numpy.ndarray", dtype, made.shape, FlatSource(made.reshape(-1)))


@st.composite
def observations(draw: st.DrawFn) -> tuple[Array, list[Array]]:
    """Return a golden and runs around it: some elements as they are, some steps away, some zero, NaN or infinite."""
    dtype = draw(st.sampled_from(DTYPES))
    element = PLAIN | st.sampled_from([0.0, -0.0, math.nan, math.inf, 6e-8, 1.0])
    golden = np.array(draw(st.lists(element, min_size=1, max_size=12)), np.float64)
    if "complex" in dtype:
        imaginary = draw(st.lists(element, min_size=golden.size, max_size=golden.size))
        golden = np.stack([golden, imaginary], axis=1).view(np.complex128)[:, 0]
    runs = []
    for _ in range(draw(st.integers(1, 4))):
        noise = draw(st.lists(st.floats(-1e-2, 1e-2) | st.just(0.0), min_size=golden.size, max_size=golden.size))
        with np.errstate(all="ignore"):
            parts = golden.view(np.float64).reshape(golden.size, -1)
            shaken = parts * (1 + np.array(noise)[:, None]) + np.array(noise)[:, None] * 1e-3
            run = np.where(np.isfinite(parts), shaken, parts)
        runs.append(array(np.ascontiguousarray(run).view(golden.dtype)[:, 0], dtype))
    return array(golden, dtype), runs


@given(observations(), st.sampled_from([1.0, 2.0, 4.0]))
def test_every_run_that_was_seen_passes(seen: tuple[Array, list[Array]], factor: float) -> None:
    golden, runs = seen
    runs = [run for run in runs if not not_numeric(golden, run)]  # float16 may have overflowed
    allowed = envelope(golden, runs, factor).tolerances
    for run in runs:
        assert compare(golden, run, allowed).ok


@given(observations())
def test_factor_1_is_tight(seen: tuple[Array, list[Array]]) -> None:
    golden, runs = seen
    runs = [run for run in runs if not not_numeric(golden, run)]
    found = envelope(golden, runs, 1.0)
    if not found.varied:
        assert all(compare(golden, run, Tolerances(Tolerance(rtol=0, atol=0))).ok for run in runs)
        return
    one = found.tolerances.plain
    assert one.rtol is not None
    assert one.atol is not None
    if one.rtol > 1e-300 or one.atol > 1e-300:  # below, there is no smaller number to try
        less = Tolerances(Tolerance(rtol=one.rtol * (1 - 1e-9), atol=one.atol * (1 - 1e-9)))
        assert not all(compare(golden, run, less).ok for run in runs)


@given(observations(), st.randoms(use_true_random=False))
def test_the_order_of_the_runs_makes_no_difference(seen: tuple[Array, list[Array]], random: Any) -> None:
    golden, runs = seen
    runs = [run for run in runs if not not_numeric(golden, run)]
    mixed = random.sample(runs, len(runs))
    assert envelope(golden, runs, 4.0) == envelope(golden, mixed, 4.0)
    assert envelope(golden, [*runs, golden, *runs], 4.0).tolerances == envelope(golden, runs, 4.0).tolerances


@given(observations())
def test_more_runs_never_allow_less(seen: tuple[Array, list[Array]]) -> None:
    golden, runs = seen
    runs = [run for run in runs if not not_numeric(golden, run)]
    few, many = (envelope(golden, part, 2.0).tolerances.plain for part in (runs[:1], runs))
    for run in runs[:1]:
        assert compare(golden, run, Tolerances(many)).ok
    assert (many.atol or 0) >= (few.atol or 0) * (1 - 1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_element_just_outside_of_the_factor_fails(dtype: str) -> None:
    golden = array([1.0, 2.0, 4.0], dtype)
    run = array([1.0, 2.0 + 2**-4, 4.0], dtype)
    allowed = envelope(golden, [run], 2.0).tolerances
    assert compare(golden, array([1.0, 2.0 + 2**-3, 4.0], dtype), allowed).ok
    assert not compare(golden, array([1.0, 2.0 + 2**-3 + 2**-5, 4.0], dtype), allowed).ok


def test_what_never_varied_is_exact_and_what_varied_has_its_own_tolerance() -> None:
    golden = describe({"loss": 0.5, "steps": 3, "weights": {"head": np.array([1.0, 2.0])}})
    run = describe({"loss": 0.5, "steps": 3, "weights": {"head": np.array([1.0, 2.0 + 2**-51])}})
    found = envelope(golden, [run], 1.0)
    assert (found.varied, found.leaves, found.largest) == (1, 3, "1 ulp at weights.head")
    assert found.tolerances.at("loss") == Tolerance(rtol=0, atol=0)
    head = found.tolerances.at("weights.head")
    assert head.rtol == pytest.approx(2**-51 / 3.5)
    assert head.atol == pytest.approx(1.5 * 2**-51 / 3.5)  # the scale is the median, 1.5
    worse = describe({"loss": 0.5 + 2**-53, "steps": 3, "weights": {"head": np.array([1.0, 2.0])}})
    assert not compare(golden, worse, found.tolerances).ok


def test_a_single_number_gets_a_relative_tolerance_and_a_zero_an_absolute_one() -> None:
    assert envelope(describe(2.0), [describe(2.5)], 2.0).tolerances.plain == Tolerance(rtol=0.5, atol=0)
    assert envelope(describe(0.0), [describe(1e-9)], 2.0).tolerances.plain == Tolerance(rtol=0, atol=2e-9)
    zeros, noise = np.zeros(4), np.array([0, 1e-12, 0, -3e-12])
    assert envelope(describe(zeros), [describe(noise)], 2.0).tolerances.plain == Tolerance(rtol=0, atol=6e-12)


def test_an_element_that_is_zero_is_measured_by_the_others() -> None:
    golden, run = np.array([0.0, 1.0, 1.0]), np.array([1e-9, 1.0, 1.0])
    one = envelope(describe(golden), [describe(run)], 1.0).tolerances.plain
    assert (one.rtol, one.atol) == (1e-9, 1e-9)


def test_the_sign_of_zero_varies_without_a_size() -> None:
    golden, run = describe(np.array([0.0, 1.0])), describe(np.array([-0.0, 1.0]))
    allowed = envelope(golden, [run], 4.0).tolerances
    assert compare(golden, run, allowed).ok
    assert not compare(golden, describe(np.array([1e-300, 1.0])), allowed).ok


def test_nan_and_infinities_at_their_places_are_no_variation() -> None:
    golden = describe(np.array([math.nan, math.inf, -math.inf, 1.0]))
    other_payload = np.array([math.nan, math.inf, -math.inf, 1.0])
    other_payload.view(np.uint64)[0] ^= 1
    assert envelope(golden, [describe(other_payload)], 4.0).varied == 0
    assert not_numeric(golden, describe(np.array([math.nan, math.inf, -math.inf, 2.0]))) == ""


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (3, 4),
        (True, False),
        ("a", "b"),
        (np.array([1, 2]), np.array([1, 3])),
        (np.array([1.0, math.nan]), np.array([1.0, 2.0])),
        (np.array([1.0, math.inf]), np.array([1.0, 2.0])),
        (math.nan, 1.0),
        ({"a": 1.0}, {"b": 1.0}),
        (np.zeros(2), np.zeros(3)),
        (np.zeros(2), np.zeros(2, np.float32)),
        ([1.0, 2], [1.0, 3]),
        (None, 1.0),
    ],
)
def test_what_no_tolerance_should_allow_is_told(one: object, two: object) -> None:
    assert not_numeric(describe(one), describe(two))
    assert not not_numeric(describe(one), describe(one))


@pytest.mark.parametrize("size", [1e-310, 5e-324, 1e308])
def test_the_smallest_and_the_greatest_floats(size: float) -> None:
    golden = np.array([size, -size, size])
    run = np.nextafter(golden, 0)
    allowed = envelope(describe(golden), [describe(run)], 1.0).tolerances
    assert compare(describe(golden), describe(run), allowed).ok


def test_a_difference_beyond_a_float_is_an_error() -> None:
    with pytest.raises(OverflowError):
        envelope(describe(1.7e308), [describe(-1.7e308)], 1.0)


def test_large_arrays_are_read_in_pieces() -> None:
    rng = np.random.default_rng(0)
    golden = rng.normal(size=200_001)
    runs: list[Node] = [describe(golden * (1 + 1e-12 * rng.normal(size=golden.size))) for _ in range(2)]
    allowed = envelope(describe(golden), runs, 1.0).tolerances
    assert all(compare(describe(golden), run, allowed).ok for run in runs)
    assert allowed.plain.atol == pytest.approx(allowed.plain.rtol * np.median(np.abs(golden)))  # type: ignore[operator]


def test_frames_and_keys_that_look_like_globs() -> None:
    pd = pytest.importorskip("pandas")
    golden = pd.DataFrame({"a*": [1.0, 2.0], "b": [1, 2], "a.b": [1.0, None], "[x]": [0.5, 0.5]})
    run = golden.assign(**{"a*": [1.0, 2.0 + 1e-9], "[x]": [0.5, 0.25]})
    found = envelope(describe(golden), [describe(run)], 1.0)
    assert found.varied == 2
    assert compare(describe(golden), describe(run), found.tolerances).ok
    worse = golden.assign(**{"a.b": [1.0 + 1e-9, None]})
    assert not compare(describe(golden), describe(worse), found.tolerances).ok
    assert from_json(to_json(found.tolerances)) == found.tolerances


def test_a_thousand_leaves_are_compared_in_time() -> None:
    golden = describe({f"layer{i}": np.array([float(i), 1.0]) for i in range(1000)})
    run = describe({f"layer{i}": np.array([float(i), 1.0 + 1e-12]) for i in range(1000)})
    allowed = envelope(golden, [run], 4.0).tolerances
    assert compare(golden, run, allowed).ok
    assert len(allowed.globs) == 1000


def test_every_order_of_three_runs_gives_one_tolerance() -> None:
    golden = describe([0.1, 0.2, 0.3])
    runs = [describe([0.1 + 1e-9, 0.2, 0.3]), describe([0.1, 0.2 - 3e-9, 0.3]), describe([0.1, 0.2, 0.3])]
    assert len({str(to_json(envelope(golden, mixed, 4.0).tolerances)) for mixed in itertools.permutations(runs)}) == 1
