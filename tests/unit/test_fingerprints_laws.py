"""Equal content, equal digest; other content, another digest: the pitfalls that other tools fall into, as laws."""

import copy
import datetime as dt
import math
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections import Counter, OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import PurePosixPath, PureWindowsPath
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import Fingerprint, fingerprint


def same(*values):
    return len({fingerprint(value).digest for value in values}) == 1


def all_differ(*values):
    return len({fingerprint(value).digest for value in values}) == len(values)


NUMBERS = st.one_of(
    hnp.floating_dtypes(), hnp.integer_dtypes(), hnp.unsigned_integer_dtypes(), hnp.complex_number_dtypes(),
    hnp.boolean_dtypes(), hnp.datetime64_dtypes(), hnp.byte_string_dtypes(max_len=5), hnp.unicode_string_dtypes(max_len=5),
)  # fmt: skip
ARRAYS = hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
KEYS = st.one_of(
    st.text(),
    st.integers(),
    st.floats(allow_nan=False),
    st.none(),
    st.booleans(),
    st.binary(),
    st.tuples(st.integers(), st.text()),
)
VALUES = st.recursive(
    st.one_of(KEYS, st.complex_numbers(), st.datetimes(), st.decimals(), st.floats()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(KEYS, inner), st.tuples(inner, inner)),
    max_leaves=12,
)


@settings(deadline=None)
@given(ARRAYS, st.data())
def test_memory_layout_does_not_count(array, data):
    axes = tuple(range(array.ndim))
    wide = np.repeat(array[..., None], 2, axis=-1)
    forms = [
        array.copy(order="C"),
        np.asfortranarray(array) if array.ndim else array,
        wide[..., 0],
        np.flip(np.flip(array, axes).copy(), axes) if axes else array,
        array.astype(array.dtype.newbyteorder(">")),
        array.astype(array.dtype.newbyteorder("<")),
        pickle.loads(pickle.dumps(array)),
    ]
    order = data.draw(st.permutations(axes))
    forms.append(np.transpose(np.transpose(array, order).copy(), np.argsort(order)) if array.ndim else array)
    assert same(*forms)


@given(st.sampled_from(["f2", "f4", "f8", "c8", "M8[s]", "U3", "?"]), st.integers(1, 40))
def test_broadcast_array_is_its_copy(dtype, n):
    view = np.broadcast_to(np.ones(1, "i4").astype(dtype), (3, n))
    assert same(view, view.copy())


@settings(deadline=None)
@given(VALUES)
def test_copies_are_equal(value):
    assert same(value, copy.deepcopy(value), pickle.loads(pickle.dumps(value)))


@settings(deadline=None)
@given(st.dictionaries(KEYS, st.integers(), max_size=8), st.randoms())
def test_order_of_dicts_and_sets_does_not_count(mapping, random):
    items = list(mapping.items())
    random.shuffle(items)
    assert same(mapping, dict(items))
    assert same(frozenset(mapping), frozenset(key for key, _ in items))


def test_kinds_of_mappings_are_one():
    plain = {"a": 1, "b": 2}
    assert same(plain, OrderedDict(b=2, a=1), defaultdict(int, plain), Counter(plain), MappingProxyType(plain))


def test_sets_do_not_depend_on_insertion():
    assert same(frozenset([0, 8, 16]), frozenset([16, 8, 0]), frozenset([8, 0, 16]))
    assert not same({1, 2}, frozenset({1, 2}))


def test_shared_and_equal_parts_are_equal():
    part = [1, "a"]
    assert same([part, part], [[1, "a"], [1, "a"]])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("n", [3, 700])
def test_nan_payload_and_sign_do_not_count(dtype, n):
    quiet = np.ones(n, dtype)
    quiet[1] = np.nan
    odd = quiet.copy()
    real = odd.view(f"f{odd.real.itemsize}")
    bits = real.view(f"u{real.itemsize}")
    at = np.flatnonzero(np.isnan(real))[0]
    bits[at] = bits[at] | np.array(1, bits.dtype) | np.array(1 << (real.itemsize * 8 - 1), bits.dtype)
    assert quiet.tobytes() != odd.tobytes()
    assert same(quiet, odd)
    elsewhere = np.ones(n, dtype)
    elsewhere[2] = np.nan
    assert not same(quiet, elsewhere)


def test_signalling_nan_and_huge_numbers_raise_no_warning():
    bits = np.full(600, 0x7FF0000000000001, np.uint64)
    assert same(bits.view(np.float64), np.full(600, np.nan))
    assert same(bits[:3].view(np.float64), np.full(3, np.nan))
    fingerprint(np.array([1e300, -np.inf, np.inf, 1e-320]))
    fingerprint(np.array([6e4, -6e4], np.float16))


def test_scalars_differ_by_type_and_value():
    assert all_differ(
        None, False, True, 0, 1, -1, 1.0, 0.0, -0.0, math.nan, math.inf, 1 + 0j, complex(0, -0.0), "", "1", "None", b"", b"1",
        2**63, 2**64, -(2**63), -(2**200), 255, 256, -128, -129, [], (), {}, set(), frozenset(), [1], (1,), [1.0], [True], ["1"],
        [None], ..., range(3), [0, 1, 2], Decimal(1), Decimal("1.0"), Fraction(1), Decimal("NaN"), Decimal("-0"),
    )  # fmt: skip


def test_numpy_differs_by_kind_dtype_shape_and_bits():
    assert all_differ(
        np.zeros(4), np.ones(4), np.zeros(4, "f4"), np.zeros(4, "i8"), np.zeros(4, "i4"), np.zeros((2, 2)), np.zeros((4, 1)),
        -np.zeros(4), np.zeros(0), np.zeros((0, 2)), np.zeros((2, 0)), np.float64(0), np.array(0.0), 0.0, [0.0] * 4,
        (0.0,) * 4, np.array([1.0, 2]), np.array([2.0, 1]), np.array(["ab", "c"]), np.array(["a", "bc"]), np.array([b"ab", b"c"]),
        np.zeros(4, "M8[s]"), np.zeros(4, "M8[ms]"), np.zeros(4, "m8[s]"), np.zeros(4, "?"), np.zeros(4, "u1"),
        np.ma.masked_array(np.zeros(4)), np.ma.masked_array(np.zeros(4), [0, 0, 0, 1]), np.zeros(4, object), np.zeros(4, "V1"),
        np.zeros(2, [("a", "f8"), ("b", "f8")]), np.zeros(2, [("b", "f8"), ("a", "f8")]),
    )  # fmt: skip


def test_byte_order_of_values_counts_but_not_of_memory():
    little = np.arange(3, dtype="<i4")
    assert same(little, little.astype(">i4"))
    assert not same(little, little.view(">i4").astype("<i4"))


def test_strings_of_any_width_are_equal():
    narrow = np.array(["a", "é", "\U0001f600"])
    assert same(narrow, narrow.astype("U50"), narrow.astype(">U9"))
    if hasattr(np.dtypes, "StringDType"):
        assert same(narrow, narrow.astype(np.dtypes.StringDType()))
    assert all_differ(["\ud800\udc00"], ["\U00010000"], ["\ud800", "\udc00"])


def test_masked_garbage_does_not_count():
    assert same(np.ma.masked_array([1.0, 5], [0, 1]), np.ma.masked_array([1.0, np.nan], [0, 1], fill_value=3))
    assert same(np.ma.masked_array(["a", "b"], [0, 1]), np.ma.masked_array(["a", "zzz"], [0, 1]))


def test_padding_of_structs_does_not_count():
    packed = np.zeros(2, np.dtype([("a", "u1"), ("b", "f8")]))
    padded = np.zeros(2, np.dtype([("a", "u1"), ("b", "f8")], align=True))
    padded.view("u1")[1::16] = 7
    assert same(packed, padded)


def test_true_is_true_whatever_its_byte():
    assert same(np.array([2, 0, 1], "u1").view(bool), np.array([True, False, True]))


def test_times_and_zones():
    utc, berlin = dt.UTC, ZoneInfo("Europe/Berlin")
    naive = dt.datetime(2024, 1, 1)
    winter = dt.timezone(dt.timedelta(hours=1))
    aware = [naive.replace(tzinfo=zone) for zone in (utc, berlin, winter, ZoneInfo("Europe/Paris"))]
    assert all_differ(naive, *aware, naive.date(), naive.time(), "2024-01-01T00:00:00", dt.timedelta(0))
    assert same(aware[0], naive.replace(tzinfo=ZoneInfo("UTC")))
    fold = dt.datetime(2024, 10, 27, 2, 30, tzinfo=berlin)
    assert not same(fold, fold.replace(fold=1))
    assert all_differ(dt.timedelta(microseconds=-1), dt.timedelta(microseconds=1), dt.timedelta(-1))


class Colour(Enum):
    RED = 1
    GREEN = 2


class Level(IntEnum):
    RED = 1


Point = namedtuple("Point", "x y")
Other = namedtuple("Other", "x y")


@dataclass
class Config:
    rate: float
    note: str = field(default="", compare=False)


def test_classes_count_by_name():
    assert all_differ(
        Colour.RED, Colour.GREEN, Level.RED, 1, Point(1, 2), Other(1, 2), (1, 2), Config(1.0), Config(1.0, "n")
    )


def test_context_and_platform_do_not_count():
    with localcontext() as context:
        context.capitals, context.prec = 0, 2
        lower = fingerprint(Decimal("1.234E+50"))
    assert lower == fingerprint(Decimal("1.234E+50"))
    assert same(PurePosixPath("a/b"), PureWindowsPath("a\\b"))
    assert same(range(0), range(5, 5))
    assert same(range(0, 3, 2), range(0, 4, 2))


def test_subclasses_of_scalars_are_their_value():
    class Celsius(float):
        def __repr__(self):
            return "hot"

    class Name(str):
        def __str__(self):
            return "other"

    assert same(Celsius(1.5), 1.5)
    assert same(Name("a"), "a")
    assert same({Name("a"): 1}, {"a": 1})


def test_keys_are_typed():
    assert all_differ(
        {1: 0}, {"1": 0}, {1.5: 0}, {None: 0}, {"None": 0}, {b"1": 0}, {(1,): 0}, {("1",): 0}, {Colour.RED: 0}
    )
    assert same({np.int64(1): 0, np.str_("a"): 1}, {"a": 1, 1: 0})


def test_nan_keys_sort_like_any_other():
    nan = float("nan")
    items = [(nan, 0), (1.0, 1), (-1.0, 2), (5.0, 3), (complex(nan, 1), 4), (0.5, 5)]
    assert same(*(dict(items[at:] + items[:at]) for at in range(len(items))))
    assert same(*({key for key, _ in items[at:] + items[:at]} for at in range(len(items))))


def test_hash_seed_does_not_count():
    code = (
        "from pytest_mlrepro.fingerprints import fingerprint as f\n"
        "v = [{'a', 'bb', 'ccc', ('x', 1)}, {'z': 1, 'y': {2, 'q'}, 3: frozenset('hello')}]\n"
        "print(f(v).digest, end='')"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert runs == {fingerprint([{"a", "bb", "ccc", ("x", 1)}, {"z": 1, "y": {2, "q"}, 3: frozenset("hello")}]).digest}


@pytest.mark.parametrize("n", [524287, 524288, 524289, 1048577, 1600000])
def test_pieces_of_large_arrays_in_any_layout(n):
    array = np.random.default_rng(0).standard_normal(n)
    wide = np.stack([array, array], axis=1)
    assert same(array, wide[:, 0], array[::-1].copy()[::-1], array.astype(">f8"))


def test_large_array_tells_where_it_changed():
    array = np.zeros(3_000_000)
    other = array.copy()
    other[600_000] = 1
    assert fingerprint(array).diff(fingerprint(other)) == ("[524288:1048576]",)
    assert fingerprint({"w": array}).diff(fingerprint({"w": other})) == ("['w'][524288:1048576]",)


def test_long_list_has_few_parts():
    assert len(fingerprint([0.5] * 1_000_000).parts) == 2


def test_diff_names_changed_added_and_removed_parts():
    old = {"a": 1, "b": [1, "x", {"c": Config(0.1)}], "gone": 0}
    new = {"a": 1, "b": [1, "y", {"c": Config(0.2)}], "more": 0}
    found = fingerprint(old).diff(fingerprint(new))
    assert set(found) == {"['b'][1]", "['b'][2]['c'].rate", "['gone']", "['more']"}
    assert fingerprint(old).diff(fingerprint(copy.deepcopy(old))) == ()
    assert fingerprint(1).diff(fingerprint(2)) == ("",)


def test_diff_matches_repeated_names_in_order():
    one, two = fingerprint(1), fingerprint(2)
    left = Fingerprint("l", "k", (("src/a.py", one), ("src/a.py", one)))
    right = Fingerprint("r", "k", (("src/a.py", one), ("src/a.py", two)))
    assert left.diff(right) == ("src/a.py",)


def loop():
    value = {}
    value["self"] = [1, value]
    return value


def deep():
    value = [None]
    for _ in range(2000):
        value = [value, None]
    return value


@pytest.mark.parametrize(
    ("make", "place", "advice"),
    [
        (lambda: {"a": [1, {"b": object()}]}, "value['a'][1]['b']", "__mlrepro__"),
        (lambda: Config(eval("lambda: 0")), "value.rate", "__mlrepro__"),
        (lambda: Point(1, (i for i in [])), "value.y", "list"),
        (lambda: [None, {}.keys()], "value[1]", "list"),
        (loop, "value['self'][1]", "itself"),
        (deep, "value[0][0]", "levels deep"),
        (lambda: [None, np.longdouble(1)], "value[1]", "float64"),
        (lambda: np.array([1, object()], object), "value.items[1]", "__mlrepro__"),
        (lambda: {(1, object()): 2}, "value", "__mlrepro__"),
        (lambda: {"a": threading.Lock()}, "value['a']", "__mlrepro__"),
        (lambda: [sys.stderr, None], "value[0]", "path"),
        (lambda: [os, None], "value[0]", "values in it"),
        (lambda: memoryview(b"a"), "value", "bytes"),
    ],
)
def test_refusal_names_place_type_and_advice(make, place, advice):
    with pytest.raises(FingerprintError) as caught:
        fingerprint(make())
    assert place in str(caught.value)
    assert advice in str(caught.value)
    assert "is of type" in str(caught.value)


def test_refusal_of_a_socket():
    with socket.socket() as open_socket, pytest.raises(FingerprintError, match=r"value\[0\] .*socket.*__mlrepro__"):
        fingerprint([open_socket])


def test_own_method_describes_an_object():
    class Model:
        def __init__(self, weights, cache):
            self.weights, self.cache = weights, cache

        def __mlrepro__(self):
            return {"weights": self.weights}

    assert same(Model([1.0], 1), Model([1.0], 2))
    assert not same(Model([1.0], 1), Model([2.0], 1))
    assert not same(Model([1.0], 1), {"weights": [1.0]})


def test_subclass_of_ndarray_keeps_its_state():
    class Quantity(np.ndarray):
        pass

    metres, feet = np.zeros(2).view(Quantity), np.zeros(2).view(Quantity)
    metres.unit, feet.unit = "m", "ft"
    assert not same(metres, feet)
    assert not same(metres, np.zeros(2))
