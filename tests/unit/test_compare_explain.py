import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro.compare.close import assert_close
from pytest_mlrepro.compare.explain import explain, failure_text
from pytest_mlrepro.compare.tolerance import Tolerance, tolerances
from pytest_mlrepro.compare.walk import compare
from pytest_mlrepro.compare.words import around, text
from pytest_mlrepro.errors import UsageError
from pytest_mlrepro.values import dtypes
from pytest_mlrepro.values.describe import describe
from pytest_mlrepro.values.node import Array, Group
from pytest_mlrepro.values.sources import FlatSource


def told(expected, actual, **options):
    return explain(compare(describe(expected), describe(actual), tolerances(**options)))


def test_an_array_is_told_whole():
    e, a = np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3)
    a[1, 2] = 5.5
    a[1, 1] = 4.25
    a[0, 0] = np.nan
    assert told({"w": e}, {"w": a}) == (
        "value['w']: 3 of 6 elements differ by more than is allowed (50%)\n"
        "  allowed: atol 0.0 + rtol 1e-07 * |expected| (rtol: default of float64)\n"
        "  greatest difference: 0.5 at [1, 2]\n"
        "  greatest relative to expected: 0.1 at [1, 2]\n"
        "  NaN on one side only: 1, the first at [0, 0]\n"
        "    expected 0.0, actual nan\n"
        "  worst at  expected  actual  difference  allowed\n"
        "  [1, 2]         5.0     5.5         0.5    5e-07\n"
        "  [1, 1]         4.0    4.25        0.25    4e-07"
    )


def test_a_column_is_told_by_row():
    e, a = (Array("column", "float64", (2,), FlatSource(np.array([1.0, x]))) for x in (2, 3))
    one, two = (Group("pandas.DataFrame", (), (("age", side),)) for side in (e, a))
    lines = explain(compare(one, two, tolerances())).splitlines()
    assert lines[0] == "column 'age': 1 of 2 rows differ by more than is allowed (50%)"
    assert lines[-1].split() == ["row", "1", "2.0", "3.0", "1", "2e-07"]


def test_scalars_and_structure_are_told():
    lines = told({"a": 0.0, "b": 1, "c": [1.0]}, {"a": -0.0, "d": 1, "c": [1.0, 2.0]}, rtol=0, atol=0).splitlines()
    assert lines == [
        "4 differences (expected: the golden, actual: this run)",
        "value['b'] is missing in this run; the golden has it (int 1)",
        "value['d'] is new in this run; the golden does not have it (int 1)",
        "value['a']: expected 0.0, actual -0.0",
        "  they differ in the sign of zero",
        "  allowed: no difference at all (exact)",
        "value['c']: length differs: expected 1, actual 2",
    ]


def test_a_difference_that_is_hardly_too_great_is_told_apart_from_the_allowed():
    row = told(np.array([1.0]), np.array([1.0000001000000003])).splitlines()[-1].split()
    assert row[-2] != row[-1]


VALUES = st.one_of(
    st.lists(st.floats(), min_size=1, max_size=40).map(np.array),
    st.lists(st.complex_numbers(), min_size=1, max_size=40).map(np.array),
    st.lists(st.text(), min_size=1, max_size=40).map(lambda x: [*x, "end"]),
    st.dictionaries(st.text(), st.one_of(st.text(), st.binary(), st.integers(), st.floats()), min_size=1),
    st.lists(st.text(), min_size=1, max_size=40),
)


@settings(max_examples=300, deadline=None)
@given(VALUES, VALUES, st.sampled_from([60, 76, 120]))
def test_every_message_is_bounded(expected, actual, width):
    comparison = compare(describe(expected), describe(actual), tolerances())
    message = explain(comparison, width=width)
    assert len(message.encode()) <= 4096
    assert message.count("\n") < 40
    assert max(map(len, message.splitlines())) <= width + 8
    assert message.replace("\n", "").isprintable()
    assert comparison.ok or comparison.headline


def test_a_huge_failure_is_bounded():
    many = {f"layer{i}": np.zeros(3) for i in range(300)}
    other = {name: array + 1 for name, array in many.items()}
    message = told(many, other)
    assert message.splitlines()[-1].endswith("more differences")
    assert message.count("\n") < 40
    long = {"k" * 5000: "語" * 100_000}
    assert len(told(long, {"k" * 5000: "語" * 99_999 + "x"}).encode()) < 4096


def test_a_wide_message_is_bounded_too():
    sides = (describe(["語" * 1000 + str(i + shift) for i in range(9)]) for shift in (0, 1))
    assert len(explain(compare(*sides, tolerances()), width=1000).encode()) <= 4096


def test_times_apart_are_told_in_days_and_hours():
    e, a = (np.array([day], "M8[ns]") for day in ("2020-01-01T00:00", "2020-01-03T01:00"))
    assert "2 days, 1:00:00" in told(e, a)
    assert "1 ns" in told(e, e + np.timedelta64(1, "ns"))
    assert "NaT on one side only: 1" in told(e, np.array(["NaT"], "M8[ns]"))


@given(st.text(min_size=1), st.text(), st.text())
def test_cut_strings_still_differ(head, one, two):
    one, two = head * 20 + one, head * 20 + two
    shown = around(one, two)
    assert (shown[0] == shown[1]) == (one == two)


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float16", "float32"])
def test_every_number_of_a_small_format_is_shown_unlike_its_neighbours(dtype):
    width = dtypes.storage(dtype).itemsize
    patterns = np.arange(0, 2 ** (8 * width) if width < 4 else 2**16, 1 if width < 2 else 97).astype(f"uint{8 * width}")
    for pattern in patterns:
        pair = np.array([pattern, pattern + type(pattern)(1)]) if pattern != patterns[-1] else np.array([pattern])
        stored = pair.view(dtypes.storage(dtype))
        shown = [text(value, dtype) for value in dtypes.numbers(stored, dtype)]
        finite = np.isfinite(dtypes.numbers(stored, dtype))
        assert not finite.all() or len(set(shown)) == len(shown)


def test_a_whole_message():
    assert failure_text(headline="H", details="D", why=["train changed"], next_commands=["mlrepro accept"]) == (
        "H\n\nD\n\nChanged since the recording:\n  train changed\n\nNext:\n  mlrepro accept"
    )


def test_assert_close_says_which_and_hides_itself():
    assert_close({"a": [1.0]}, {"a": [1.0]})
    assert_close(np.float32(1), np.float32(1 + 1e-6))
    with pytest.raises(AssertionError, match="weights: actual is not close to expected") as caught:
        assert_close(np.ones(2), np.zeros(2), name="weights")
    assert caught.traceback[-1].frame.f_locals["__tracebackhide__"]
    assert_close(np.array([1.1]), np.array([1.0]), tolerance=Tolerance(rtol=0.2, atol=0))
    assert_close({"w": 1.1}, {"w": 1.0}, tolerance={"w": Tolerance(rtol=0.2, atol=0)})
    assert_close(1.0, np.nextafter(1.0, 2).item(), max_ulp=1)


@pytest.mark.parametrize("value", [{}, [], np.zeros((0, 3))])
def test_assert_close_of_nothing_fails(value):
    with pytest.raises(AssertionError, match="nothing was compared"):
        assert_close(value, value)


def test_assert_close_refuses_wrong_arguments():
    with pytest.raises(UsageError):
        assert_close(1.0, 1.0, rtol=1)
    with pytest.raises(UsageError):
        assert_close({"a": 1.0}, {"a": 1.0}, tolerance={"b": Tolerance()})


def test_the_order_of_columns_is_told_without_the_index() -> None:
    pd = pytest.importorskip("pandas")
    told_order = told(pd.DataFrame({"age": [1], "city": [2]}), pd.DataFrame({"city": [2], "age": [1]}))
    assert told_order == "value: order differs: expected 'age', 'city'; actual 'city', 'age'"


def test_an_order_of_many_is_told_from_its_first_difference() -> None:
    pd = pytest.importorskip("pandas")
    names = [f"feature_{number}" for number in range(40)]
    frame = pd.DataFrame({name: [1] for name in names})
    other = frame[[*names[:30], names[31], names[30], *names[32:]]]
    line = " ".join(told(frame, other).split())
    assert line == "value: order differs from position 30 on: expected 'feature_30', actual 'feature_31'"
