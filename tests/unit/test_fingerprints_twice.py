"""Two implementations of the format, the package's and one from the document alone, agree on whatever is drawn."""

import datetime as dt
import struct
from collections import deque, namedtuple
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePosixPath
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_mlrepro.fingerprints import fingerprint, fingerprint_node
from pytest_mlrepro.values.describe import describe
from tests.unit import second_fingerprint as second


class Colour(Enum):
    RED = 1


Point = namedtuple("Point", "x y")


@dataclass(frozen=True)
class Config:
    rate: object
    sizes: object = ()


ZONES = st.sampled_from([None, dt.UTC, ZoneInfo("Europe/Berlin"), dt.timezone(dt.timedelta(hours=-3, minutes=-30))])
TEXTS = st.text(st.characters(codec=None, exclude_categories=()))  # lone surrogates too
KEYS = st.one_of(
    TEXTS,
    st.integers(),
    st.floats(allow_nan=False),
    st.none(),
    st.booleans(),
    st.binary(),
    st.just(Colour.RED),
    st.tuples(st.integers(), TEXTS),
)
LEAVES = st.one_of(
    KEYS,
    st.complex_numbers(),
    st.floats(),
    st.datetimes(timezones=ZONES),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.decimals(),
    st.fractions(),
    st.uuids(),
    st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 4)),
    st.sampled_from([..., PurePosixPath("a/b"), bytearray(b"a"), "x" * 5000, b"y" * 4090, 7**5000]),
    st.frozensets(KEYS),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner, inner),
        st.dictionaries(KEYS, inner),
        st.dictionaries(TEXTS, inner),
        st.builds(Point, inner, inner),
        st.builds(Config, inner, inner),
        st.builds(deque, st.lists(inner)),
        st.lists(st.floats()),
        st.lists(st.integers(-(2**63), 2**63)),
        st.lists(st.booleans()),
        st.lists(TEXTS),
    ),
    max_leaves=12,
)
NUMBERS = st.one_of(
    hnp.floating_dtypes(),
    hnp.integer_dtypes(),
    hnp.unsigned_integer_dtypes(),
    hnp.complex_number_dtypes(),
    hnp.boolean_dtypes(),
    hnp.datetime64_dtypes(),
    hnp.timedelta64_dtypes(),
    hnp.byte_string_dtypes(max_len=5),
    hnp.unicode_string_dtypes(max_len=5),
)
ARRAYS = hnp.arrays(
    st.one_of(NUMBERS, hnp.array_dtypes(NUMBERS)), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
)


def both(value):
    """Compare the two, and the two ways through the package: at once, and over a described tree."""
    expected = second.digest(value)
    assert fingerprint(value).digest == expected
    assert fingerprint_node(describe(value)).digest == expected


@settings(deadline=None, max_examples=400)
@given(VALUES)
@example([2**63, -(2**63)])  # no array of int64: each stands on its own, where -2**63 takes nine bytes
@example(-(2**63))
@example([2**63 - 1, -(2**63)])
@example({"a": [-(2**63), None], "b": (2**63 - 1, -(2**63) - 1, "x"), "c": -(2**63)})
def test_plain_values(value):
    both(value)


@settings(deadline=None, max_examples=300)
@given(ARRAYS)
def test_arrays(array):
    both(array)
    both({"a": array, "b": [array, 1.0]})


@settings(deadline=None)
@given(hnp.arrays(st.sampled_from(["f8", "i2", "U3", "?"]), st.integers(1, 9)), st.data())
def test_masked_arrays(array, data):
    mask = data.draw(hnp.arrays(bool, array.shape))
    both(np.ma.masked_array(array, mask))


@pytest.mark.parametrize("size", [3850, 3900, 3950, 4000, 4050, 4100, 5000])
def test_at_the_edge_between_small_and_large(size):
    """Where the digest takes the place of the content, for each way that bytes can come to stand there."""
    for near in range(size - 50, size):
        both({"a": "x" * near, "b": 1})
        both([b"x" * near, None])
        both({"a": np.zeros(near, "i1"), "f": np.zeros(near // 8), "x": 0})
        both([{"k" * near: 1}, {"a": {"b": "y" * (near - 40)}}])
        both({("k" * near,): [1, "a"], ("j",): 2})
    both([0.5] * (size // 8))
    both(["ab"] * (size // 6))
    both([{"id": i, "x": i / 2} for i in range(size // 40)])


def test_every_nan_is_one():
    for bits in (0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001, 0xFFF8000000000123):
        (nan,) = struct.unpack("<d", struct.pack("<Q", bits))
        for value in (
            nan,
            [nan],
            [nan, 1],
            {"a": nan},
            complex(nan, 1.0),
            [complex(1.0, nan)],
            np.float64(nan),
            {nan: 1},
        ):
            both(value)
        both(np.array([nan, 1.0]))


@pytest.mark.parametrize("n", [253, 254, 255, 256, 300])
def test_sizes_of_one_byte_and_of_nine(n):
    both("x" * n)
    both({f"k{i}": None for i in range(n)})
    both([None] * n)
    both(np.zeros((n, 1), "i1"))
    both([{"a": "x" * (n - back)} for back in range(30)])


def test_several_pieces():
    both(np.arange(524_289.0))
    both([f"é{i}" for i in range(65_537)])
    both({"w": np.zeros(600_000), "b": 1.0})
    masked = np.ma.masked_array(np.arange(600_000.0), np.arange(600_000) % 7 == 0)
    both(masked)


def test_depth():
    value = None
    for _ in range(60):
        value = {"a": [value, 1]}
    with pytest.raises(Exception, match="levels deep"):
        fingerprint(value)
    value = None
    for _ in range(49):
        value = {"a": [value, 1]}
    both(value)


def test_a_few_kinds_at_once():
    both([Fraction(1, 3), UUID(int=7), Decimal("1.50"), Colour.RED, Point(1, [2]), Config(0.1), {1: {2: {3, "x"}}}])


class TestPandas:
    @pytest.fixture(autouse=True)
    def _pandas(self):
        self.pd = pytest.importorskip("pandas")

    def columns(self, draw, n):
        pd = self.pd
        texts = st.one_of(st.none(), st.text(max_size=5))
        kinds = {
            "f8": hnp.arrays("f8", n),
            "i4": hnp.arrays("i4", n),
            "bool": hnp.arrays("?", n),
            "date": hnp.arrays("M8[ns]", n),
            "zone": hnp.arrays("i8", n, elements=st.integers(0, 2**31)).map(lambda items: items.view("M8[s]")),
            "text": st.lists(texts, min_size=n, max_size=n),
            "string": st.lists(texts, min_size=n, max_size=n),
            "object": st.lists(st.one_of(texts, st.integers(), st.floats()), min_size=n, max_size=n),
            "Int64": st.lists(st.one_of(st.none(), st.integers(-9, 9)), min_size=n, max_size=n),
            "category": st.lists(st.one_of(st.none(), st.sampled_from("xyz")), min_size=n, max_size=n),
        }
        name = draw(st.sampled_from(sorted(kinds)))
        items = draw(kinds[name])
        if name == "zone":
            return pd.Series(items).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")
        if name == "category":
            return pd.Series(pd.Categorical(items, ["z", "y", "x", "w"], ordered=draw(st.booleans())))
        dtype = {
            "text": "str" if pd.__version__ >= "3" else "string",
            "string": "string",
            "object": object,
            "Int64": "Int64",
        }
        return pd.Series(items, dtype=dtype.get(name))

    @settings(deadline=None, max_examples=200)
    @given(st.data())
    def test_frames_and_series(self, data):
        pd, n = self.pd, data.draw(st.integers(0, 5))
        names = data.draw(st.lists(st.one_of(st.text(max_size=3), st.integers(), st.none()), max_size=4))
        frame = (
            pd.concat([self.columns(data.draw, n) for _ in names], axis=1) if names else pd.DataFrame(index=range(n))
        )
        frame.columns = pd.Index(names, dtype=object, name=data.draw(st.sampled_from([None, "c", 1])))
        if data.draw(st.booleans()):
            frame.index = pd.Index(data.draw(hnp.arrays("i8", n)), name="id")
        both(frame)
        both(frame.iloc[::-1])
        if names:
            both(frame.iloc[:, 0])

    def test_indexes(self):
        pd = self.pd
        frame = pd.DataFrame({("a", 1): [1.5, 2.5], ("b", 2): [3, 4]})
        frame.columns.names = ["top", None]
        both(frame)
        both(pd.RangeIndex(5, 1, -2, name=("a", 1)))
        both(pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["a", None]))
        both(pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin"))
        both(pd.DataFrame({"a": [1], "b": [2]}).set_axis(["a", "a"], axis=1))
