"""golden.json: what was described comes back bit for bit, in a text that version control can show and merge."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import math
import struct
import tempfile
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_mlrepro.compare.tolerance import tolerances
from pytest_mlrepro.errors import GoldenError
from pytest_mlrepro.fingerprints import fingerprint_node
from pytest_mlrepro.golden.record import Golden, dumps, loads
from pytest_mlrepro.golden.store import Staging
from pytest_mlrepro.records import TestId
from pytest_mlrepro.values.describe import describe
from pytest_mlrepro.values.node import Node


def through_json(value: object, folder: Path) -> tuple[str, Node, str]:
    """Return a value's digest, the tree that comes back from the text of golden.json, and that text."""
    node = describe(value)
    digest = fingerprint_node(node).digest
    staging = Staging()
    try:
        staging.add("check", node, tolerances())
        golden = Golden.of(TestId(folder / "test_m.py", "test_m"), folder, staging.checks)
        text, seal = dumps(golden)
        text.encode("utf-8")
        back = loads(text, folder / "golden.json")
        assert back == dataclasses.replace(golden, seal=seal)
        assert dumps(back) == (text, seal)
        tree = back.checks["check"].node(staging.folder)
        assert fingerprint_node(tree).digest == digest
        return digest, tree, text
    finally:
        staging.discard()


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


class Flags(enum.IntFlag):
    A = 1
    B = 2


@dataclasses.dataclass
class Config:
    rate: float
    layers: tuple[int, ...]
    name: str = "café\u2028"


DTYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    hnp.complex_number_dtypes(endianness="?", sizes=(64, 128)),
    hnp.datetime64_dtypes(endianness="="),
    hnp.timedelta64_dtypes(endianness="="),
    hnp.unicode_string_dtypes(min_len=1, max_len=4),
    hnp.byte_string_dtypes(min_len=1, max_len=4),
)
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    TEXT,
    st.binary(max_size=8),
    st.datetimes(timezones=st.none() | st.just(datetime.UTC)),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.decimals(),
    st.fractions(),
    st.uuids(),
    st.sampled_from(
        [*Color, Flags.A | Flags.B, np.float32(0.1), np.float16("-inf"), np.datetime64("NaT", "ns"), Path("a/b")]
    ),
)
KEYS = st.one_of(
    TEXT, st.integers(-(2**63), 2**63 - 1), st.tuples(st.integers(0, 9), TEXT), st.booleans(), st.none(), st.dates()
)
PACKED = st.one_of(
    st.lists(st.floats(), max_size=80),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=80),
    st.lists(TEXT, max_size=80),
    st.lists(st.booleans(), max_size=80).map(tuple),
)
VALUES = st.recursive(
    st.one_of(SCALARS, ARRAYS, PACKED),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(TEXT, inner, max_size=3),
        st.builds(Config, rate=inner, layers=st.tuples(st.integers())),
    ),
    max_leaves=8,
)


@settings(max_examples=250, deadline=None)
@given(value=VALUES)
def test_any_value_comes_back_from_the_text_with_its_digest(value: object) -> None:
    through_json(value, Path(tempfile.gettempdir()))


@settings(max_examples=60, deadline=None)
@given(value=st.dictionaries(st.one_of(TEXT, st.tuples(st.integers(0, 9), TEXT), st.dates()), SCALARS, max_size=4))
def test_any_mapping_comes_back_with_its_keys(value: object) -> None:
    through_json(value, Path(tempfile.gettempdir()))


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


@settings(max_examples=200)
@given(values=st.lists(st.floats(), min_size=1, max_size=70))
def test_floats_come_back_bit_for_bit_as_scalars_and_in_lists(values: list[float]) -> None:
    folder = Path(tempfile.gettempdir())
    _, tree, _ = through_json({"one": (values[0], "x"), "all": values}, folder)
    one = tree.children[1][1].children[0][1].value  # type: ignore[union-attr]  # a group of a group, as was just made
    assert bits(one) == bits(values[0]) or (math.isnan(one) and math.isnan(values[0]))


EDGES = {
    "negative zero": [-0.0, 0.0],
    "infinities": [math.inf, -math.inf, math.nan],
    "subnormal": [5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308],
    "digits": [0.1, 1 / 3, 1e22, 1e23, 123456789.12345679],
    "huge integer": {"n": 10**400, "m": -(2**63) - 1},
    "integer beyond python's text limit": {"n": 10**5000},
    "int64 ends": [-(2**63), 2**63 - 1],
    "uint64": np.array([2**64 - 1, 0], dtype="u8"),
    "complex": [complex(-0.0, math.nan), complex(math.inf, -0.0)],
    "NaT": np.array(["NaT", "2020-02-30T00:00:00.123456789".replace("30", "28")], dtype="M8[ns]"),
    "durations": np.array([1, "NaT"], dtype="m8[us]"),
    "longdouble free": np.float64(0.1),
    "zero-d": np.array(3.0),
    "no element": {"a": np.empty((0, 3)), "b": 1},
    "strings of unequal width": np.array(["", "a", "a" * 300, "é\0"]),
    "structured": np.array([(1, 2.0, "x")], dtype=[("a", "i4"), ("b", "f8"), ("c", "U3")]),
    "void": np.array([b"ab"], dtype="V2"),
    "not contiguous": np.arange(24.0).reshape(4, 6)[::2, ::-1].T,
    "big endian": np.arange(3, dtype=">f8"),
    "surrogates": {"\ud800": "\udcff", "a\u2028b": "\x85\0\x7f"},
    "odd keys": {(1, "a"): 1, None: 2, True: 3, 1.5: 4, Color.RED: 5, b"x": 6, frozenset({1}): 7, math.nan: 8},
    "sets": {1, "a", (2, 3)},
    "enum": [Color.RED, Flags.A | Flags.B],
    "dataclass": Config(-0.0, (1, 2)),
    "decimals": [decimal.Decimal("1.10"), decimal.Decimal("NaN"), decimal.Decimal("-0")],
    "more": [fractions.Fraction(1, 3), uuid.UUID(int=7), datetime.timedelta(microseconds=-1), Path("a")],
    "bytes": [b"\0\xff", bytearray(b"x")],
    "like a form of ours": [{"array": 1}, {"group": {"kind": "dict"}}, {"field": "x"}, {"file": "../x", "size": 1}],
    "deep": None,
}
EDGES["deep"] = [[[[[[[[[[{"a": [[[[1.5, "x"]]]]}]]]]]]]]]]


@pytest.mark.parametrize("name", EDGES)
def test_edge_cases_come_back_with_their_digest(name: str, tmp_path: Path) -> None:
    through_json(EDGES[name], tmp_path)


def torch_values() -> dict[str, Any]:
    torch = pytest.importorskip("torch")
    bf = torch.tensor([1.0, float("nan"), -0.0, 1e38], dtype=torch.bfloat16)
    return {
        "bfloat16": bf,
        "bfloat16 scalar": bf[0],
        "float8": torch.arange(4.0).to(torch.float8_e4m3fn),
        "half": torch.arange(3).half(),
        "complex32": torch.tensor([1 + 2j], dtype=torch.complex64).to(torch.complex32),
        "bool": torch.tensor([[True], [False]]),
        "layer": {key: value.detach() for key, value in torch.nn.Linear(2, 3).state_dict().items()},
    }


def table_values() -> dict[str, Any]:
    pd, pl, pa = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    sparse = pytest.importorskip("scipy.sparse")
    frame = {"i": [1, None, 3], "s": ["a", None, "\u2028"], "f": [0.5, None, float("nan")]}
    days = pd.date_range("2020-01-01", periods=3, tz="Europe/Berlin")
    return {
        "pandas": pd.DataFrame({"x": [1.5, float("nan")], "y": ["a", "b"]}, index=["r1", "r2"]),
        "pandas nullable": pd.DataFrame(
            {key: pd.array([1, None, 0], dtype=key) for key in ("Int8", "Float32", "boolean")}
        ),
        "pandas categories": pd.Series(pd.Categorical(["a", None, "b"], ["b", "a", "c"], ordered=True), name="c"),
        "pandas times": pd.DataFrame({"t": days, "d": days - days[0], "p": [pd.NaT, *days[1:]]}, index=days),
        "pandas index": pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["k", None]),
        "pandas scalars": [pd.Timestamp("2020-01-01", tz="UTC"), pd.Timedelta(1)],
        "polars": pl.DataFrame(frame, strict=False),
        "polars lists": pl.Series("l", [[1, 2], None, []]),
        "polars categories": pl.Series(["a", None, "b"], dtype=pl.Categorical),
        "polars dates": pl.Series([datetime.date(2020, 1, 1), None]),
        "polars decimals": pl.Series([decimal.Decimal("1.50"), None]),
        "arrow": pa.table(frame),
        "arrow nested": pa.array([{"a": 1, "b": [1.5]}, None]),
        "arrow dictionary": pa.array(["x", None, "x"]).dictionary_encode(),
        "csr": sparse.csr_array(np.eye(3)),
        "coo": sparse.coo_array((np.ones(2), ([0, 1], [1, 0])), shape=(2, 2)),
    }


TORCH = ["bfloat16", "bfloat16 scalar", "float8", "half", "complex32", "bool", "layer"]
TABLES = [
    *("pandas", "pandas nullable", "pandas categories", "pandas times", "pandas index", "pandas scalars", "polars"),
    *("polars lists", "polars categories", "polars dates", "polars decimals", "arrow", "arrow nested"),
    *("arrow dictionary", "csr", "coo"),
]


@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental:UserWarning")
@pytest.mark.parametrize("name", TORCH)
def test_tensors_come_back_with_their_digest(name: str, tmp_path: Path) -> None:
    through_json(torch_values()[name], tmp_path)


@pytest.mark.parametrize("name", TABLES)
def test_tables_come_back_with_their_digest(name: str, tmp_path: Path) -> None:
    through_json(table_values()[name], tmp_path)


def test_the_text_has_sorted_keys_unix_line_ends_and_one_field_a_line(tmp_path: Path) -> None:
    _, _, text = through_json({"b": {"y": 1, "x": [1, 2]}, "a": "é"}, tmp_path)
    assert "\r" not in text
    assert text.endswith("}\n")
    lines = text.splitlines()
    names = [line.split(":")[0] for line in lines if line.startswith(' "')]
    assert names == sorted(names) == [' "checks"', ' "file"', ' "schema"', ' "seal"', ' "test"', ' "variant"']
    data = json.loads(text)
    assert text.count("\n") > 10

    def ordered(part: Any) -> None:
        if isinstance(part, dict):
            assert list(part) == sorted(part)
        for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            ordered(child)

    ordered(data)


@pytest.mark.parametrize(
    "character", ["\u2028", "\u2029", "\x85", "\0", "\x1b", "\u202e", "\ud800", "\ufeff", "\u200b"]
)
def test_characters_that_break_lines_or_hide_are_escaped_and_others_are_readable(
    character: str, tmp_path: Path
) -> None:
    _, _, text = through_json({f"k{character}": f"v{character}", "é": "ß"}, tmp_path)
    assert character not in text
    assert text.splitlines() == text[:-1].split("\n")
    assert '"ß"' in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"test": "test_m"', '"test": "test_x"'),
        ('"variant": {}', '"variant": {"a": "b"}'),
        ('"schema": 1', '"schema": 3'),
        ('"digest": "', '"digest": "x'),
        ('"seal": "', '"seal": "x'),
        ('"seal": ', '"seat": '),
    ],
)
def test_a_changed_field_breaks_the_seal_or_is_named(old: str, new: str, tmp_path: Path) -> None:
    _, _, text = through_json({"a": 1.0}, tmp_path)
    assert old in text
    with pytest.raises(GoldenError):
        loads(text.replace(old, new), tmp_path)
