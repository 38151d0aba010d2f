"""Sources read any range of any layout in bounded memory, from several threads; dtypes become exact numbers."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.values import dtypes
from pytest_mlrepro.values.describe import describe
from pytest_mlrepro.values.node import Array, Field, Scalar
from pytest_mlrepro.values.paths import axis, path_text
from pytest_mlrepro.values.sources import array_source

ARRAYS = hnp.arrays(
    st.sampled_from(["<i4", ">f8", "c8", "?"]), hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)
)


@given(ARRAYS, st.data())
def test_any_range_of_any_layout(array, data):
    order = data.draw(st.permutations(range(array.ndim)))
    view = array.transpose(order)
    if view.ndim:
        view = view[:: data.draw(st.sampled_from([1, -1, 2]))]
    start = data.draw(st.integers(0, view.size))
    stop = data.draw(st.integers(start, view.size))
    piece = array_source(view).read(start, stop)
    assert piece.dtype == view.dtype.newbyteorder("=")
    assert piece.dtype.isnative
    np.testing.assert_array_equal(piece, view.flatten()[start:stop])


LARGE = {
    "fortran": lambda: np.ones((2000, 4000), order="F"),
    "reversed": lambda: np.ones(8_000_000)[::-1],
    "big-endian": lambda: np.ones(8_000_000, ">f8"),
    "column": lambda: np.ones((8_000_000, 2))[:, 0],
    "broadcast": lambda: np.broadcast_to(np.ones((1, 8)), (4_000_000, 8)),
    "three axes": lambda: np.ones((200, 200, 200)).transpose(2, 0, 1),
    "nans": lambda: np.full(8_000_000, np.nan),
}


@pytest.mark.parametrize("layout", LARGE)
def test_fingerprint_takes_little_memory(layout):
    array = LARGE[layout]()
    tracemalloc.start()
    fingerprint(array)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16.5 * 2**20


@pytest.mark.parametrize("value", [np.arange(4e5).reshape(400, 1000).T, np.array([str(i) for i in range(5000)])])
def test_threads_may_read_at_once(value):
    node = describe(value)
    step = value.size // 50
    with ThreadPoolExecutor(8) as executor:
        pieces = list(executor.map(lambda at: node.data.read(at, at + step), range(0, value.size, step)))
    assert np.concatenate(pieces).tolist() == value.ravel().tolist()


def test_scalar_reads_of_an_empty_array():
    source = array_source(np.zeros((0, 3), order="F").T)
    assert source.size == 0
    assert source.read(0, 0).size == 0


@pytest.mark.parametrize(
    "name",
    ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"],
)
def test_every_pattern_of_small_floats_is_the_number_that_torch_sees(name):
    torch = pytest.importorskip("torch")
    stored = np.arange(2 ** (dtypes.storage(name).itemsize * 8)).astype(dtypes.storage(name))
    width = torch.int16 if name == "bfloat16" else torch.uint8
    signed = torch.from_numpy(stored.view(np.int16) if name == "bfloat16" else stored)
    truth = signed.view(width).view(getattr(torch, name)).float().numpy()
    np.testing.assert_array_equal(
        dtypes.numbers(stored, name).view(np.uint32)[~np.isnan(truth)], truth.view(np.uint32)[~np.isnan(truth)]
    )
    np.testing.assert_array_equal(np.isnan(dtypes.numbers(stored, name)), np.isnan(truth))


@pytest.mark.parametrize(
    ("name", "ulp"), [("float16", 2**-10), ("float32", 2**-23), ("float64", 2**-52), ("bfloat16", 2**-7)]
)
def test_ulp_at_one(name, ulp):
    assert 2.0 ** -dtypes.nmant(name) == ulp


def test_complex32_becomes_complex64():
    stored = np.array([1.5, -2.0], np.float16).view(np.uint32)
    assert dtypes.numbers(stored, "complex32").tolist() == [1.5 - 2j]


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("bool", "is_bool"),
        ("uint8", "is_integer"),
        ("bfloat16", "is_float"),
        ("float8_e5m2", "is_float"),
        ("complex64", "is_complex"),
        ("datetime64[ns, Europe/Berlin]", "is_temporal"),
        ("date", "is_temporal"),
        ("time[us]", "is_temporal"),
        ("str", "is_text"),
        ("decimal(10,2)", "is_text"),
    ],
)
def test_each_dtype_has_one_family(name, properties):
    families = ("is_bool", "is_integer", "is_float", "is_complex", "is_temporal", "is_text")
    assert [family for family in families if getattr(dtypes, family)(name)] == [properties]
    dtypes.storage(name)


def test_paths_read_like_python():
    labels = ["layers", 3, Field("weight"), Scalar("int", 1), axis("index"), "it's"]
    assert path_text(labels) == "value['layers'][3].weight[1].index[\"it's\"]"
    assert path_text([], root="golden") == "golden"


def test_numpy_native_types_have_portable_names():
    for code in "bhilqBHILQ":
        node = describe(np.zeros(1, code))
        assert isinstance(node, Array)
        assert node.dtype == f"{'u' if code.isupper() else ''}int{np.dtype(code).itemsize * 8}"


def test_describing_leaves_the_value_alone():
    array = np.array([1.0, np.nan, -np.nan])
    array.flags.writeable = False
    before = array.tobytes()
    fingerprint({"a": array})
    assert array.tobytes() == before
