import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.compare.tolerance import (
    Limits,
    Tolerance,
    Tolerances,
    from_json,
    limits_for,
    loosened,
    tighter,
    to_json,
    tolerances,
)  # fmt: skip
from pytest_mlrepro.errors import GoldenError, UsageError

TOLERANCE = st.builds(
    lambda pair, ulp, share: Tolerance(rtol=pair[0], atol=pair[1], max_ulp=ulp, max_mismatch_fraction=share),
    st.one_of(st.just((None, None)), st.tuples(*[st.sampled_from([0.0, 1e-9, 1e-7, 0.1])] * 2)),
    st.sampled_from([None, 0, 1, 9]),
    st.sampled_from([0.0, 0.25]),
)
TOLERANCES = st.one_of(
    st.builds(Tolerances, TOLERANCE),
    st.dictionaries(st.sampled_from(["a", "a*", "*b", "*", "c.d"]), TOLERANCE, min_size=1).map(
        lambda globs: tolerances(tolerance=globs)
    ),
)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rtol": 1e-3}, "rtol=0.001 came without atol"),
        ({"atol": 1e-3}, "atol=0.001 came without rtol"),
        ({"rtol": -1, "atol": 0}, "rtol=-1.*not negative"),
        ({"rtol": 0, "atol": math.nan}, "atol=nan"),
        ({"rtol": math.inf, "atol": 0}, "rtol=inf"),
        ({"rtol": True, "atol": 0}, "rtol=True is of type bool"),
        ({"rtol": "1e-3", "atol": 0}, "rtol='1e-3' is of type str"),
        ({"rtol": 10**400, "atol": 0}, "rtol="),
        ({"max_ulp": -1}, "max_ulp=-1"),
        ({"max_ulp": 1.0}, "max_ulp=1.0 is of type float"),
        ({"max_ulp": True}, "max_ulp=True"),
        ({"max_mismatch_fraction": 1}, "below 1"),
        ({"max_mismatch_fraction": -0.1}, "max_mismatch_fraction=-0.1"),
        ({"max_mismatch_fraction": None}, "NoneType"),
    ],
)
def test_what_can_not_be_right_is_refused(arguments, words):
    with pytest.raises(UsageError, match=words):
        Tolerance(**arguments)


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.5), np.int64(1), Fraction(1, 2)])
def test_numbers_of_any_kind_become_floats(value):
    assert Tolerance(rtol=value, atol=value) == Tolerance(rtol=float(value), atol=float(value))


@pytest.mark.parametrize(
    "arguments",
    [
        {"tolerance": Tolerance(), "rtol": 1, "atol": 1},
        {"tolerance": {"a": Tolerance()}, "max_ulp": 1},
        {"tolerance": 1e-3},
        {"tolerance": {"a": 1e-3}},
        {"tolerance": {1: Tolerance()}},
    ],
)
def test_arguments_of_a_check_are_refused(arguments):
    with pytest.raises(UsageError, match="tolerance"):
        tolerances(**arguments)


def test_defaults_of_a_dtype():
    expected = {
        "float16": 1e-3,
        "bfloat16": 1.6e-2,
        "float32": 1.3e-6,
        "float64": 1e-7,
        "float": 1e-7,
        "complex64": 1.3e-6,
    }
    for dtype, rtol in expected.items():
        assert limits_for(Tolerance(), dtype) == Limits(rtol, 0.0, default=True)
    for dtype in ("int64", "bool", "str", "datetime64[ns]", "float8_e4m3fn", "timedelta64[s]"):
        assert limits_for(Tolerance(), dtype).exact
    for dtype in ("bool", "str", "datetime64[ns]", "interval"):
        assert limits_for(Tolerance(rtol=1, atol=1, max_ulp=3), dtype).exact


@given(TOLERANCES)
def test_json_gives_it_back(one):
    assert from_json(to_json(one)) == one


def test_broken_json_is_a_golden_error():
    for data in (None, {"rtol": 1}, {"tol": 3}, {"globs": [1]}, {"rtol": "x", "atol": 0}):
        with pytest.raises(GoldenError, match="tolerance"):
            from_json(data)


@given(TOLERANCES)
def test_nothing_is_looser_than_itself(one):
    assert loosened(one, one, [("", "float64")]) == ()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({}, {"rtol": 1e-3, "atol": 0}, "rtol is 0.001, was 1e-07 (default)"),
        ({"rtol": 0, "atol": 0}, {}, "rtol is 1e-07 (default), was 0.0"),
        ({"rtol": 0, "atol": 0}, {"rtol": 0, "atol": 1}, "atol is 1.0, was 0.0"),
        ({}, {"max_ulp": 3}, "max_ulp is 3, was none"),
        ({"max_ulp": 3}, {"max_ulp": 4}, "max_ulp is 4, was 3"),
        ({"max_ulp": 3}, {}, "rtol is 1e-07 (default), was 0.0"),
    ],
)
def test_loosening_is_said(old, new, words):
    old, new = tolerances(**old), tolerances(**new)
    assert any(sentence.startswith(words) for sentence in loosened(old, new, [("", "float64")]))


def test_only_tighter_is_silent():
    assert loosened(tolerances(rtol=1e-1, atol=1), tolerances(rtol=1e-2, atol=1), [("", "float64")]) == ()
    assert loosened(tolerances(max_ulp=4), tolerances(max_ulp=0), [("", "float32")]) == ()


def test_a_glob_of_its_own_loosens_its_paths():
    loose = Tolerance(rtol=1, atol=0)
    new = tolerances(tolerance={"head.*": loose})
    assert loosened(tolerances(), new, [("body.w", "float64")]) == ()
    (sentence,) = loosened(tolerances(), new, [(f"head.{n}", "float64") for n in range(5)] + [("body.w", "float64")])
    assert sentence == "rtol is 1.0, was 1e-07 (default), at head.0, head.1, head.2 and 2 more"


@given(
    TOLERANCES, TOLERANCES, st.sampled_from(["", "a", "ab", "c.d", "x"]), st.sampled_from(["float64", "int64", "str"])
)
def test_the_tighter_is_never_looser_than_either_was(recorded, asked, path, dtype):
    limits = tighter(recorded, asked).limits(path, dtype)
    old = recorded.limits(path, dtype)
    assert (limits.rtol or 0) <= (old.rtol or 0)
    assert (limits.atol or 0) <= (old.atol or 0)
    assert (limits.max_ulp or 0) <= (old.max_ulp or 0)
    assert limits.fraction <= old.fraction
    assert limits in (old, asked.limits(path, dtype))


def test_the_most_literal_glob_counts_whatever_the_order():
    one, two = Tolerance(max_ulp=1), Tolerance(max_ulp=2)
    for globs in ({"*": one, "a.*": two}, {"a.*": two, "*": one}):
        assert tolerances(tolerance=globs).at("a.b") == two
        assert tolerances(tolerance=globs).at("b") == one
    assert tolerances(tolerance={"A": one}).at("a") == Tolerance()
