"""The streaming pass against a slow plain reference, on chunks so small that every boundary is crossed."""

import math
import os
import threading
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_mlrepro.compare.numeric import compare_arrays
from pytest_mlrepro.compare.tolerance import Limits
from pytest_mlrepro.values import dtypes
from pytest_mlrepro.values.node import Array
from pytest_mlrepro.values.sources import FlatSource

STORED = {
    "float16": np.uint16, "float32": np.uint32, "float64": np.uint64, "bfloat16": np.uint16, "float8_e4m3fn": np.uint8,
    "float8_e5m2": np.uint8, "float8_e4m3fnuz": np.uint8, "float8_e8m0fnu": np.uint8,
}  # fmt: skip
INTEGERS = ["int8", "uint8", "int16", "uint32", "int64", "uint64"]


class FileSource:
    """A `.npy` on disk that is read into one buffer of each thread."""

    def __init__(self, file, dtype, size):
        self.file, self.dtype, self.size, self.local = file, np.dtype(dtype), size, threading.local()
        self.offset = os.fstat(file.fileno()).st_size - size * self.dtype.itemsize

    def read(self, start, stop):
        buffer = getattr(self.local, "buffer", None)
        if buffer is None or buffer.size < stop - start:
            buffer = self.local.buffer = np.empty(stop - start, self.dtype)
        view = buffer[: stop - start]
        os.preadv(self.file.fileno(), [memoryview(view).cast("B")], self.offset + start * self.dtype.itemsize)
        return view


def array(values, dtype=None, valid=None, shape=None):
    values = np.asarray(values)
    source = None if valid is None else FlatSource(np.asarray(valid, bool))
    return Array("x", dtype or values.dtype.name, shape or values.shape, FlatSource(values.reshape(-1)), source)


def run(e, a, limits, **options):
    return compare_arrays(e, a, limits, **{"step": 3, "workers": 2, **options})


def bits_of(dtype, draw, size):
    """Draw patterns: any, and those near to each other."""
    word = STORED[dtype]
    e = draw(hnp.arrays(word, size))
    shift = draw(hnp.arrays(np.int8, size, elements=st.sampled_from([0, 0, 0, 1, -1, 2, 5])))
    near = e + shift.astype(word)
    return e, draw(st.sampled_from([near, np.where(shift == 5, draw(hnp.arrays(word, size)), near)])).astype(word)


@st.composite
def floats(draw):
    dtype = draw(st.sampled_from(sorted(STORED)))
    e, a = bits_of(dtype, draw, draw(st.integers(1, 20)))
    if dtype.startswith("float") and "_" not in dtype:
        e, a = e.view(dtype), a.view(dtype)
    return dtype, e, a


LIMITS = st.one_of(
    st.builds(
        Limits,
        st.sampled_from([0.0, 1e-7, 1e-3, 0.3, 3.0]),
        st.sampled_from([0.0, 1e-40, 0.5, 1e308]),
        st.sampled_from([None, 0, 1, 4]),
    ),
    st.builds(Limits, st.none(), st.none(), st.sampled_from([0, 1, 4])),
)


def key(pattern, dtype):
    """Number patterns along the real line, so that neighbours differ by one."""
    width = {"float64": 64, "float32": 32, "float16": 16, "bfloat16": 16}.get(dtype, 8)
    if dtype == "float8_e8m0fnu":
        return int(pattern)
    sign, magnitude = int(pattern) >> (width - 1), int(pattern) & ((1 << (width - 1)) - 1)
    return -magnitude if sign else magnitude


def slow(dtype, e, a, limits):
    """Say of each element what is wrong with it: "", nan, infinite or outside; and its exact difference and ulp."""
    verdicts = []
    for x, y, p, q in zip(
        *(dtypes.numbers(s, dtype) for s in (e, a)), *(dtypes.bits(s, dtype) for s in (e, a)), strict=True
    ):
        x, y = float(x), float(y)
        if math.isnan(x) or math.isnan(y):
            verdicts.append(("equal-nan" if math.isnan(x) and math.isnan(y) else "nan", None, None))
        elif math.isinf(x) or math.isinf(y):
            verdicts.append(("" if x == y else "infinite", None, None))
        else:
            difference, ulp = abs(Fraction(y) - Fraction(x)), abs(key(p, dtype) - key(q, dtype))
            ok = limits.rtol is not None and within(x, y, limits)
            ok = ok or (bool(limits.max_ulp) and ulp <= limits.max_ulp)
            ok = p == q if limits.exact else ok
            verdicts.append(("" if ok else "outside", difference, ulp))
    return verdicts


def within(x, y, limits):
    """Compare as IEEE arithmetic of float64 does, without its overflow."""
    d, limit = abs(y - x), limits.atol + limits.rtol * abs(x)
    if math.isinf(d):
        return abs(y / 4 - x / 4) <= limits.atol / 4 + limits.rtol * abs(x / 4)
    return d <= limit


@settings(max_examples=600, deadline=None)
@given(case=floats(), limits=LIMITS, step=st.integers(1, 9), workers=st.integers(1, 3))
def test_floats_of_all_formats_agree_with_fractions(case, limits, step, workers):
    dtype, e, a = case
    found = compare_arrays(array(e, dtype), array(a, dtype), limits, step=step, workers=workers)
    verdicts = slow(dtype, e, a, limits)
    bad = [i for i, (verdict, _, _) in enumerate(verdicts) if verdict in ("outside", "nan", "infinite")]
    assert found.checked == e.size
    if not bad:
        assert found.difference is None
        return
    d = found.difference
    assert d.outside == len(bad)
    for name in ("nan", "infinite"):
        places = [i for i, verdict in enumerate(verdicts) if verdict[0] == name]
        special = getattr(d, name)
        assert (special.count if special else 0) == len(places)
        assert special is None or special.first.index == (places[0],)
    outside = {i: verdict for i, verdict in enumerate(verdicts) if verdict[0] == "outside"}
    assert d.nan_equal == sum(verdict[0] == "equal-nan" for verdict in verdicts)
    assert {place.index[0] for place in d.worst} == set(outside)
    if outside:
        assert d.ulp.ulp == max(verdict[2] for verdict in outside.values())
        far = max(float_of(verdict[1]) for verdict in outside.values())
        assert d.absolute.difference == far
        for place in d.worst:
            assert place.difference == float_of(outside[place.index[0]][1])
            assert place.ulp == outside[place.index[0]][2]
        relative = [r for r in (ratio(dtype, e, i, v) for i, v in outside.items()) if r is not None]
        assert (d.relative is None) == (not relative)
        assert not relative or d.relative.relative == pytest.approx(max(relative), rel=1e-9)


def float_of(fraction):
    try:
        return float(fraction)
    except OverflowError:
        return math.inf


def ratio(dtype, e, i, verdict):
    size = abs(float(dtypes.numbers(e, dtype)[i]))
    if not size:
        return None
    value = float_of(verdict[1]) / size
    return value if value < math.inf else None


@settings(max_examples=300, deadline=None)
@given(data=st.data(), name=st.sampled_from(INTEGERS), step=st.integers(1, 9))
def test_integers_never_overflow(data, name, step):
    size = data.draw(st.integers(1, 12))
    info = np.iinfo(name)
    extremes = st.sampled_from([info.min, info.min + 1, 0, 1, 7, 100, info.max - 1, info.max])
    elements = st.one_of(extremes, st.integers(int(info.min), int(info.max)))
    e, a = (np.array(data.draw(st.lists(elements, min_size=size, max_size=size)), name) for _ in range(2))
    rtol, atol = data.draw(st.sampled_from([(0.0, 0.0), (0.0, 3.0), (0.5, 0.0), (0.0, 1e18), (2.0, 1.0), (1e30, 0.0)]))
    found = run(array(e), array(a), Limits(rtol, atol), step=step)
    pairs = list(zip(map(int, e), map(int, a), strict=True))
    excess = {}
    for i, (x, y) in enumerate(pairs):
        allowed = math.floor(atol + rtol * abs(float(x)))
        if abs(x - y) > min(allowed, 2**64 - 1):
            excess[i] = abs(x - y) - allowed
    assert (found.difference.outside if found.difference else 0) == len(excess)
    if excess:
        order = sorted(excess, key=lambda i: (-excess[i], i))
        assert [place.index[0] for place in found.difference.worst] == order
        assert found.difference.absolute.difference == max(abs(x - y) for i, (x, y) in enumerate(pairs) if i in excess)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), dtype=st.sampled_from(["complex64", "complex128", "complex32"]))
def test_complex_is_measured_by_moduli_and_specials_part_by_part(data, dtype):
    size = data.draw(st.integers(1, 8))
    part = st.sampled_from([0.0, -0.0, 1.0, 1.0009765625, 2.0, -3.0, math.nan, math.inf, -math.inf])
    half = {"complex32": np.float16, "complex64": np.float32, "complex128": np.float64}[dtype]
    e, a = (np.array(data.draw(st.lists(part, min_size=2 * size, max_size=2 * size)), half) for _ in range(2))
    stored = [side.view(dtypes.storage(dtype)) for side in (e, a)]
    limits = Limits(1e-3, 0.0)
    found = run(array(stored[0], dtype), array(stored[1], dtype), limits, step=2).difference
    bad = 0
    for (x, u), (y, v) in zip(e.reshape(-1, 2).tolist(), a.reshape(-1, 2).tolist(), strict=True):
        one, two = [x, u], [y, v]
        same = True
        for i in range(2):
            if not (math.isfinite(one[i]) and math.isfinite(two[i])):
                same &= one[i] == two[i] or (math.isnan(one[i]) and math.isnan(two[i]))
                one[i] = two[i] = 0.0
        bad += not (same and abs(complex(*two) - complex(*one)) <= 1e-3 * abs(complex(*one)))
    assert (found.outside if found else 0) == bad


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("limits", [Limits(0.0, 0.0), Limits(None, None, 0)])
def test_one_ulp_fails_at_zero_tolerance(dtype, limits):
    one = {"bfloat16": np.array([0x3F80], np.uint16)}.get(dtype)
    one = np.ones(1, dtype) if one is None else one
    other = one.copy()
    word = dtypes.bits(one, dtype).dtype
    other.view(word)[0] += word.type(1)
    assert run(array(one, dtype), array(other, dtype), limits).difference.outside == 1
    assert run(array(one, dtype), array(one.copy(), dtype), limits).difference is None


def test_minus_zero_differs_at_zero_tolerance_only():
    e, a = array([0.0, 1.0, np.nan]), array([-0.0, 1.0, -np.nan])
    d = run(e, a, Limits(0.0, 0.0)).difference
    assert (d.outside, d.zero.count, d.zero.first.index, d.nan_equal) == (1, 1, (0,), 1)
    assert run(e, a, Limits(None, None, 0)).difference.outside == 1
    for limits in (Limits(1e-7, 0.0), Limits(0.0, 1e-300), Limits(None, None, 1)):
        assert run(e, a, limits).difference is None


@pytest.mark.parametrize(
    ("limits", "inside", "outside"),
    [
        (Limits(0.0, 0.5), 8.5, np.nextafter(8.5, 9)),
        (Limits(0.125, 0.0), 9.0, np.nextafter(9.0, 10)),
        (Limits(0.125, 0.5), 9.5, np.nextafter(9.5, 10)),
        (Limits(None, None, 2), 8 + 2 * np.spacing(8.0), 8 + 3 * np.spacing(8.0)),
        (Limits(0.0, 0.0, 2), 8 + 2 * np.spacing(8.0), 8 + 3 * np.spacing(8.0)),
        (Limits(1e-7, 0.0, 2), 8 * (1 + 0.99e-7), 8 * (1 + 1.01e-7)),
    ],
)
def test_just_inside_and_just_outside(limits, inside, outside):
    assert run(array([8.0]), array([inside]), limits).difference is None
    assert run(array([8.0]), array([outside]), limits).difference.outside == 1
    assert run(array([8.0] * 50), array([inside] * 49 + [outside]), limits).difference.outside == 1


def test_differences_beyond_float64_are_judged_all_the_same():
    e, a = array([1.7e308, 1.0]), array([-1.7e308, 1.0])
    assert run(e, a, Limits(3.0, 0.0)).difference is None
    found = run(e, a, Limits(1.0, 1e308)).difference
    assert (found.outside, found.absolute.difference) == (1, math.inf)


def test_nulls_are_no_values_and_are_told_apart():
    e = array([1.0, 0.0, 3.0, 0.0], valid=[1, 0, 1, 0])
    a = array([1.0, 0.0, 0.0, 9.0], valid=[1, 0, 0, 1])
    found = run(e, a, Limits(0.0, 0.0))
    d = found.difference
    assert (found.checked, d.total, d.outside, d.null.count, d.null.first.index) == (1, 1, 0, 2, (2,))
    assert (d.null.first.expected, d.null.first.actual) == (3.0, None)
    assert run(e, array([1.0, np.nan, 3.0, 5.0], valid=[1, 0, 1, 0]), Limits(0.0, 0.0)).difference is None


@pytest.mark.parametrize(
    ("dtype", "e", "a"),
    [
        ("str", ["a", "b\udc80", "", "d"], ["a", "b\udc81", "", "D"]),
        ("bytes", [b"a", b"\0", b"", b"d"], [b"a", b"\1", b"", b"D"]),
        ("bool", [True, False, True, True], [True, True, True, False]),
    ],
)
def test_what_has_no_distance_is_equal_or_listed(dtype, e, a):
    kind = bool if dtype == "bool" else object
    d = run(array(np.array(e, kind), dtype), array(np.array(a, kind), dtype), Limits()).difference
    assert (d.outside, [place.index for place in d.worst], d.absolute) == (2, [(1,), (3,)], None)


def test_times_are_counted_in_their_unit_and_nat_is_no_number():
    e = np.array(["2020-01-01", "NaT", "NaT", "1677-09-22"], "M8[ns]")
    a = np.array(["2020-01-02", "NaT", "2020-01-01", "2262-04-10"], "M8[ns]")
    d = run(array(e), array(a), Limits()).difference
    assert (d.outside, d.nan.count, d.nan_equal, d.nan.first.index) == (3, 1, 1, (2,))
    assert d.absolute.difference == int(a[3].astype(int)) - int(e[3].astype(int))


@settings(max_examples=100, deadline=None)
@given(size=st.integers(5000, 9000), step=st.integers(500, 9000), workers=st.integers(1, 3), seed=st.integers(0, 99))
def test_worst_twenty_do_not_depend_on_chunks_or_threads(size, step, workers, seed):
    random = np.random.default_rng(seed)
    e = random.normal(size=size)
    a = e + random.integers(0, 30, size) / 16
    d = compare_arrays(array(e), array(a), Limits(1e-3, 0.0), step=step, workers=workers).difference
    distance, limit = np.abs(a - e), np.abs(e) * 1e-3
    outside = np.flatnonzero(distance > limit)
    order = sorted(outside.tolist(), key=lambda i: (-(distance[i] - limit[i]), i))[:20]
    assert [place.index[0] for place in d.worst] == order
    assert d.outside == outside.size
    assert d.absolute.index[0] == int(distance.argmax())


@pytest.mark.parametrize("seed", range(5))
def test_worst_twenty_of_one_large_chunk(seed):
    a = np.random.default_rng(seed).permutation(30_000).astype(float)
    d = compare_arrays(array(np.full(a.size, -1.0)), array(a), Limits(0.0, 0.0), workers=1).difference
    assert [place.actual for place in d.worst] == list(range(29_999, 29_979, -1))


def test_worst_place_has_the_index_of_the_shape():
    e, a = np.zeros((2, 3, 4)), np.zeros((2, 3, 4))
    a[1, 2, 3] = 1
    assert run(array(e), array(a), Limits()).difference.worst[0].index == (1, 2, 3)
    assert run(array(np.array(1.0)), array(np.array(2.0)), Limits()).difference.worst[0].index == ()
    assert run(array(np.zeros((0, 3))), array(np.zeros((0, 3))), Limits()).checked == 0


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_greatest_used_share_is_exact_below_certainty(data):
    shares = data.draw(st.lists(st.integers(0, 60), min_size=1, max_size=30))
    e = np.full(len(shares), 4.0)
    found = run(array(e), array(e + np.array(shares) / 64), Limits(0.0, 1.0), step=4)
    assert found.difference is None
    assert found.used == max(shares) / 64


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "complex128", "bool"])
@pytest.mark.parametrize("change", ["same", "near", "all", "special"])
def test_memory_stays_below_16_mib(tmp_path, dtype, change):
    random = np.random.default_rng(0)
    size = 2_000_000
    e = (random.normal(size=size) * 100).astype(dtype)
    a = {"same": e.copy(), "near": e * (1 + 1e-12), "all": e + 1, "special": e.copy()}[change].astype(dtype)
    if change == "all" and dtype == "bool":
        a = ~e
    if change == "special" and a.dtype.kind in "fc":
        a[:] = np.nan
    np.save(tmp_path / "e.npy", e)
    with open(tmp_path / "e.npy", "rb", buffering=0) as file:
        golden = Array("x", dtype, e.shape, FileSource(file, dtype, size))
        tracemalloc.start()
        try:
            found = compare_arrays(golden, array(a), Limits(1e-9, 0.0), workers=2)
            assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
        finally:
            tracemalloc.stop()
    assert (found.difference is not None) == (change == "all" or (change == "special" and a.dtype.kind in "fc"))


def test_long_strings_are_compared_in_bounded_memory():
    class Made:
        size = 5000

        def __init__(self, end):
            self.end = end

        def read(self, start, stop):
            return np.array([f"{i}".rjust(20_000) + self.end for i in range(start, stop)], object)

    e, a = (Array("x", "str", (5000,), Made(end)) for end in "ab")
    tracemalloc.start()
    try:
        assert compare_arrays(e, a, Limits()).difference.outside == 5000
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()
