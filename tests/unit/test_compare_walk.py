import numpy as np
import pytest

from pytest_mlrepro.compare.tolerance import Tolerance, tolerances
from pytest_mlrepro.compare.walk import compare, leaf_paths
from pytest_mlrepro.errors import UsageError
from pytest_mlrepro.values.describe import describe
from pytest_mlrepro.values.node import Array, Group, Scalar
from pytest_mlrepro.values.sources import FlatSource


def check(expected, actual, **options):
    return compare(describe(expected), describe(actual), tolerances(**options))


def kinds(comparison):
    return [(d.kind, d.path) for d in comparison.differences]


def column(values, dtype=None):
    values = np.asarray(values)
    return Array("column", dtype or values.dtype.name, values.shape, FlatSource(values))


def frame(**columns):
    return Group("pandas.DataFrame", (), tuple((name, column(values)) for name, values in columns.items()))


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"a": 1}, [("missing", ("b",))]),
        ({"a": 1}, {"a": 1, "b": 2}, [("new", ("b",))]),
        (1, True, [("kind", ())]),
        (1, 1.0, [("kind", ())]),
        ([1.0, 2.0], (1.0, 2.0), [("kind", ())]),
        ([1.0, 2.0], [1.0, 2], [("kind", (1,))]),
        ([1.0, 2], [1.0, 2.0], [("kind", (1,))]),
        ([1, 2], [1.0, 2.0], [("kind", (0,)), ("kind", (1,))]),
        ([1.0, 2.0], [1.0], [("length", ())]),
        ([1.0, "a"], [1.0, "a", None], [("length", ()), ("new", (2,))]),
        (np.zeros(3), np.zeros((3, 1)), [("shape", ())]),
        (np.zeros(1), np.zeros(3), [("shape", ())]),
        (np.zeros(3), np.zeros(3, "f4"), [("dtype", ())]),
        (np.zeros(3), np.zeros(3, complex), [("dtype", ())]),
        ({"x": [{"y": np.ones(2)}]}, {"x": [{"y": np.zeros(2)}]}, [("values", ("x", 0, "y"))]),
        ("abc", "abd", [("value", ())]),
        (float("nan"), float("nan"), []),
        (float("nan"), 1.0, [("value", ())]),
        (float("inf"), float("-inf"), [("value", ())]),
        (float("inf"), 1e308, [("value", ())]),
        (1.7e308, -1.7e308, [("value", ())]),
        (10**30, 10**30 + 1, [("value", ())]),
        (complex(1, float("nan")), complex(1, float("nan")), []),
        (1 + 1e-9j, 1 + 2e-9j, []),
        (b"a", b"b", [("value", ())]),
        (None, None, []),
    ],
)
def test_structure_and_values(expected, actual, found):
    assert [(kind, path) for kind, path in kinds(check(expected, actual))] == found


def test_column_order_is_told_and_columns_are_compared_by_name():
    c = compare(frame(a=[1, 2], b=[3, 4]), frame(b=[3, 4], a=[1, 5]), tolerances())
    assert kinds(c) == [("order", ()), ("values", ("a",))]


def test_a_label_of_another_type_is_another_label():
    one, two = (Group("dict", (), ((label, Scalar("int", 1)),)) for label in (1, "1"))
    assert kinds(compare(one, two, tolerances())) == [("missing", (1,)), ("new", ("1",))]
    true, number = (Group("dict", (), ((Scalar(*label), Scalar("int", 1)),)) for label in (("bool", True), ("int", 1)))
    assert [kind for kind, _ in kinds(compare(true, number, tolerances()))] == ["missing", "new"]


def test_repeated_columns_are_compared_in_their_order():
    one, two = (Group("t", (), (("a", column([1])), ("a", column([n])), ("b", column([0])))) for n in (2, 3))
    longer = Group("t", (), (*two.children, ("a", column([9]))))
    assert kinds(compare(one, longer, tolerances())) == [("new", ("a",)), ("values", ("a",))]


def test_attributes_are_exact():
    one, two = (Group("dict", (("ordered", text),), ((0, Scalar("int", 1)),)) for text in ("true", "false"))
    (d,) = compare(one, two, tolerances()).differences
    assert (d.kind, d.what, d.expected, d.actual) == ("attribute", "ordered", "true", "false")


@pytest.mark.parametrize(
    ("options", "inside", "outside"),
    [
        ({"rtol": 0, "atol": 0.5}, 8.5, 8.500001),
        ({"rtol": 0.125, "atol": 0}, 9.0, 9.000001),
        ({"max_ulp": 1}, np.nextafter(8, 9).item(), 8 + 2 * np.spacing(8.0).item()),
        ({"max_ulp": 0}, 8.0, np.nextafter(8, 9).item()),
        ({}, 8 * (1 + 0.99e-7), 8 * (1 + 1.01e-7)),
    ],
)
def test_scalars_follow_the_rules_of_arrays(options, inside, outside):
    for wrap in (float, lambda x: [x, x], lambda x: np.array([x]), lambda x: np.float64(x), lambda x: complex(0, x)):
        assert check(wrap(8.0), wrap(inside), **options).ok
        assert not check(wrap(8.0), wrap(outside), **options).ok


def test_integers_are_exact_by_default_and_within_rtol_when_asked():
    assert not check(2**62, 2**62 + 1).ok
    assert not check(2**62, 2**62 + 1, max_ulp=5).ok
    assert check(1000, 1100, rtol=0.1, atol=0).ok
    assert check(5, 8, rtol=0, atol=3).ok
    assert not check(5, 9, rtol=0, atol=3).ok
    assert not check(1000, 1101, rtol=0.1, atol=0).ok
    assert not check(True, False, rtol=5, atol=5).ok
    assert not check([True], [False], rtol=5, atol=5).ok
    assert not check("a", "b", rtol=5, atol=5).ok


def test_zero_has_a_sign_at_zero_tolerance_for_scalars_too():
    assert check(0.0, -0.0).ok
    assert not check(0.0, -0.0, rtol=0, atol=0).ok
    assert not check({"a": 0.0}, {"a": -0.0}, rtol=0, atol=0).ok
    assert not check(0j, complex(0, -0.0), max_ulp=0).ok


def test_globs_choose_the_tolerance_of_a_path_and_must_match():
    expected, actual = {"a": {"w": 1.0, "b": [1.0]}, "c": 1.0}, {"a": {"w": 1.01, "b": [1.01]}, "c": 1.0}
    loose, exact = Tolerance(rtol=0.1, atol=0), Tolerance(rtol=0, atol=0)
    assert check(expected, actual, tolerance={"a": loose}).ok
    assert check(expected, actual, tolerance={"a.*": loose}).ok
    assert kinds(check(expected, actual, tolerance={"*": loose, "a.b": exact})) == [("values", ("a", "b"))]
    assert check(expected, actual, tolerance=loose).ok
    with pytest.raises(UsageError, match=r"'d\*'.*matches no path.*'a\.b'|'d\*'.*matches no path"):
        check(expected, actual, tolerance={"d*": loose, "*": loose})


def category(*values):
    names = sorted({value for value in values if value is not None})
    codes = np.array([names.index(value) if value is not None else 0 for value in values])
    valid = FlatSource(np.array([value is not None for value in values]))
    leaf = Array("column", "int64", codes.shape, FlatSource(codes), valid)
    table = Array("column", "str", (len(names),), FlatSource(np.array(names, object)))
    return Group("pandas.DataFrame", (), (("c", Group("categorical", (), (("categories", table), ("codes", leaf)))),))


def test_categories_are_shown_as_labels_and_compared_exactly():
    c = compare(category("a", "b", None, "b"), category("a", "b", None, "c"), tolerances(rtol=9, atol=9))
    (d,) = c.differences
    assert (d.path, d.array.outside, d.array.total, d.owner) == (("c",), 1, 3, "pandas.DataFrame")
    assert [(p.index, p.expected, p.actual) for p in d.array.worst] == [((3,), "b", "c")]
    same = compare(category("a", None), category("a", None), tolerances())
    assert same.ok
    assert compare(category(None), category("x"), tolerances()).differences[0].array.null.count == 1


def test_categories_of_another_order_are_no_equal_value():
    one = Array("column", "str", (2,), FlatSource(np.array(["a", "b"], object)))
    two = Array("column", "str", (2,), FlatSource(np.array(["b", "a"], object)))
    groups = [
        Group("categorical", (), (("categories", names), ("codes", column(codes))))
        for names, codes in ((one, [0, 1]), (two, [1, 0]))
    ]
    assert compare(groups[0], groups[0], tolerances()).ok
    assert not compare(*groups, tolerances()).ok


def test_a_fraction_excuses_elements_but_no_nan_null_or_scalar():
    e, a = np.zeros(100), np.zeros(100)
    a[:10] = 1
    assert check(e, a, tolerance=Tolerance(max_mismatch_fraction=0.1)).tolerated == 10
    assert not check(e, a, tolerance=Tolerance(max_mismatch_fraction=0.0999)).ok
    a[0] = np.nan
    assert not check(e, a, tolerance=Tolerance(max_mismatch_fraction=0.9)).ok
    assert not check(1.0, 2.0, tolerance=Tolerance(max_mismatch_fraction=0.9)).ok
    assert check(["a"] * 10, ["a"] * 9 + ["b"], tolerance=Tolerance(max_mismatch_fraction=0.1)).ok


def test_all_differences_are_counted_and_the_first_fifty_kept():
    c = check({str(i): i for i in range(200)}, {str(i): i + 1 for i in range(200)})
    assert (c.count, len(c.differences), c.checked) == (200, 50, 200)


@pytest.mark.parametrize("value", [{}, [], np.zeros(0), {"a": np.zeros((0, 3)), "b": []}])
def test_empty_is_told(value):
    c = check(value, value)
    assert c.ok
    assert c.empty
    assert c.checked == 0


def test_leaf_paths_are_dotted():
    node = describe({"layers": [{"w": np.ones(1)}, {"w": None}], "z": []})
    assert list(leaf_paths(node)) == ["layers.0.w", "layers.1.w", "z"]
    assert list(leaf_paths(describe(1.0))) == [""]
