"""Digests of what torch, pandas, polars, Arrow and scipy hold: the representation leaves no trace, the content does."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.values.describe import describe


def same(*values):
    return len({fingerprint(value).digest for value in values}) == 1


def all_differ(*values):
    return len({fingerprint(value).digest for value in values}) == len(values)


class TestTorch:
    @pytest.fixture(autouse=True)
    def _torch(self):
        self.torch = pytest.importorskip("torch")

    def test_views_and_gradients_do_not_count(self):
        torch = self.torch
        t = torch.arange(6.0).reshape(2, 3)
        assert same(t, torch.cat([t, t])[:2], t.clone().requires_grad_(), t.t().contiguous().t(), torch.nn.Parameter(t))
        assert same(torch.ones(1).expand(3), torch.ones(3))
        assert same(t.to_sparse(), t.to_sparse().coalesce())

    def test_lazy_conjugate_and_negation_are_resolved(self):
        torch = self.torch
        z = torch.tensor([1 + 2j, 3 - 4j])
        assert same(z.conj(), torch.tensor([1 - 2j, 3 + 4j]))
        assert same(z.conj().imag, torch.tensor([-2.0, 4.0]))

    def test_dtypes_and_shapes_differ(self):
        torch = self.torch
        names = "float64 float32 float16 bfloat16 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz int8 uint8 int16"
        names += " int32 int64 bool complex64 complex128 uint16 uint32 uint64"
        tensors = [torch.ones(3).to(getattr(torch, name)) for name in names.split()]
        assert all_differ(*tensors, np.ones(3, "f4"), torch.ones(3, 1), torch.ones(()), [1.0, 1.0, 1.0])

    @pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
    def test_nan_payloads_of_small_floats(self, name):
        torch = self.torch
        dtype = getattr(torch, name)
        wide = torch.int16 if name == "bfloat16" else torch.uint8
        codes = (
            torch.arange(-(2**15), 2**15).to(torch.int16) if name == "bfloat16" else torch.arange(256).to(torch.uint8)
        )
        values = codes.to(wide).view(dtype)
        nan = values.float().isnan()
        digests = {fingerprint(value).digest for value in values[nan]}
        assert len(digests) == 1
        some = values[~nan][::97]
        assert all_differ(*some, values[nan][0])

    def test_order_of_a_state_dict_does_not_count(self):
        state = self.torch.nn.Linear(2, 2).state_dict()
        assert same(state, dict(reversed(state.items())))
        assert fingerprint(state).parts[0][0] == "['bias']"

    def test_dense_and_sparse_differ(self):
        eye = self.torch.eye(3)
        assert all_differ(eye, eye.to_sparse(), eye.to_sparse().transpose(0, 1).to_sparse() * 2)

    @pytest.mark.filterwarnings("ignore:.*torch.jit")
    def test_refusals_say_what_to_pass(self):
        torch = self.torch
        for value, advice in [
            (torch.empty(2, device="meta"), "meta"),
            (torch.nn.LazyLinear(1), "run it once"),
            (torch.jit.script(torch.nn.Identity()), "state_dict()"),
        ]:
            with pytest.raises(FingerprintError, match=r"value\['m'\]") as caught:
                fingerprint({"m": value})
            assert advice in str(caught.value)


class TestPandas:
    @pytest.fixture(autouse=True)
    def _pandas(self):
        self.pd = pytest.importorskip("pandas")

    def frame(self, **columns):
        return self.pd.DataFrame(columns)

    def test_how_a_frame_was_made_does_not_count(self):
        pd = self.pd
        whole = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "c": ["x", None]})
        grown = pd.DataFrame(index=range(2))
        for name in "abc":
            grown[name] = whole[name].to_numpy() if name != "c" else whole[name]
        cut = pd.concat([whole, whole]).iloc[:2]
        listed = whole.set_axis(pd.Index([0, 1]), axis=0)
        assert same(whole, grown, cut, listed, whole.copy())

    def test_what_a_frame_is_counts(self):
        pd = self.pd
        base = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
        named = base.copy()
        named.index.name = "id"
        columns = base.copy()
        columns.columns.name = "id"
        assert all_differ(
            base, base[["b", "a"]], base.rename(columns={"a": "c"}), named, columns, base.astype("int32"), base.astype(float),
            base.set_axis([1, 0]), base.astype("Int64"), base.iloc[::-1], base.iloc[:1], base.astype(str), base.astype(object),
            base.set_axis([0, 1], axis=1), base.set_axis(["0", "1"], axis=1), base.set_axis(["a", "a"], axis=1), base["a"],
            base["a"].rename("z"), base["a"].rename(None), base["a"].rename("None"), base["a"].array, base.index, base.iloc[:0],
            base[[]],
        )  # fmt: skip

    def test_missing_values_keep_their_type(self):
        pd = self.pd
        make = [[None], [np.nan], [pd.NA], [pd.NaT], ["nan"], [0], [""]]
        assert all_differ(*(pd.Series(items, dtype=object) for items in make))

    def test_strings_are_free_of_their_storage(self):
        pd = self.pd
        pytest.importorskip("pyarrow")
        items = ["a", None, "é"]
        python, arrow = (pd.Series(items, dtype=f"string[{storage}]") for storage in ("python", "pyarrow"))
        assert same(python, arrow, pd.concat([arrow[:1], arrow[1:]]))
        if int(pd.__version__.split(".")[0]) >= 3:
            python, arrow = (pd.Series(items, dtype=pd.StringDtype(s, na_value=np.nan)) for s in ("python", "pyarrow"))
            assert same(python, arrow)
            assert not same(python, pd.Series(items, dtype="string"))
        assert not same(pd.Series(["a"], dtype="string"), pd.Series(["a"], dtype=object))

    def test_categories_count_with_order_and_unused_ones(self):
        pd = self.pd

        def make(categories, ordered=False):
            return pd.Series(pd.Categorical(["x", None, "y"], categories, ordered=ordered))

        assert all_differ(make(["x", "y"]), make(["y", "x"]), make(["x", "y", "z"]), make(["x", "y"], True))
        assert all_differ(make(["x", "y"]), make(["x", "y"]).astype(object))

    def test_garbage_under_nulls_does_not_count(self):
        pd = self.pd
        left = pd.array([1, 5, 3], dtype="Int64")
        right = pd.arrays.IntegerArray(np.array([1, 9, 3]), np.array([False, True, False]))
        left[1] = pd.NA
        assert same(pd.Series(left), pd.Series(right))

    def test_time_zones_and_units_count(self):
        pd = self.pd
        naive = pd.Series(pd.to_datetime(["2024-01-01", None]))
        utc, berlin = naive.dt.tz_localize("UTC"), naive.dt.tz_localize("Europe/Berlin")
        assert all_differ(naive, utc, berlin, utc.dt.tz_convert("Europe/Berlin"), naive.dt.as_unit("s"))
        assert same(utc, naive.dt.tz_localize(dt.UTC))
        stamps = [
            pd.Timestamp("2024"),
            pd.Timestamp("2024", tz="UTC"),
            pd.Timestamp("2024", tz="Europe/Berlin"),
            pd.NaT,
            pd.NA,
        ]
        assert all_differ(
            *stamps, dt.datetime(2024, 1, 1), pd.Period("2024-01", "M"), pd.Timedelta(0), pd.Interval(0, 1)
        )

    def test_indexes_by_their_values(self):
        pd = self.pd
        pairs = pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("c", 3)], names=["k", None])
        assert same(pairs[:2], pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None]))
        assert same(pd.RangeIndex(3), pd.Index([0, 1, 2]))
        assert same(pd.RangeIndex(5, 1, -2), pd.Index([5, 3]))
        assert all_differ(
            pd.RangeIndex(3), pd.RangeIndex(3, name="a"), pd.RangeIndex(4), pairs, pairs.set_names(["k", "l"])
        )

    def test_other_array_types(self):
        pd = self.pd
        interval = pd.interval_range(0, 2)
        sparse = pd.arrays.SparseArray([0.0, 1.0])
        assert same(pd.Series(sparse), pd.Series(pd.arrays.SparseArray(np.array([0.0, 1.0]))))
        assert all_differ(
            pd.Series(interval), pd.Series(pd.interval_range(0, 2, closed="left")), pd.Series(sparse), pd.Series([0.0, 1.0]),
            pd.Series(pd.period_range("2024", periods=2, freq="M")), pd.Series(pd.period_range("2024", periods=2, freq="D")),
        )  # fmt: skip

    def test_error_names_the_column(self):
        with pytest.raises(FingerprintError, match=r"value\['f'\]\['b'\]\.items\[1\]"):
            fingerprint({"f": self.pd.DataFrame({"a": [1, 2], "b": [1, object()]})})


class TestPolars:
    @pytest.fixture(autouse=True)
    def _polars(self):
        self.pl = pytest.importorskip("polars")

    def test_chunks_and_slices_do_not_count(self):
        pl = self.pl
        frame = pl.DataFrame(
            {
                "i": [1, None, 3],
                "s": ["a", None, "c"],
                "l": [[1, 2], None, []],
                "t": [{"x": 1, "y": "q"}, None, {"x": None, "y": "r"}],
                "d": [Decimal("1.50"), None, Decimal("2.00")],
                "w": [dt.datetime(2024, 1, 1), None, dt.datetime(2025, 1, 1)],
                "c": pl.Series(["u", None, "v"], dtype=pl.Categorical),
                "e": pl.Series(["u", None, "v"], dtype=pl.Enum(["v", "u"])),
                "a": pl.Series([[1, 2], None, [3, 4]], dtype=pl.Array(pl.Int8, 2)),
                "b": [True, None, False],
                "y": [b"a", None, b""],
                "h": [dt.time(1), None, dt.time(2)],
                "n": [None, None, None],
            }
        )
        cut = pl.concat([frame, frame, frame], rechunk=False).slice(2, 3)
        turned = pl.concat([frame[2:], frame[:2]])
        assert same(cut, turned)
        assert not same(frame, turned)
        assert all(same(frame[name].slice(1, 2), frame[1:][name]) for name in frame.columns)

    def test_categorical_does_not_depend_on_the_process(self):
        pl = self.pl
        late = pl.Series(["zz", "aa", "bb"], dtype=pl.Categorical)[1:]
        early = pl.Series(["aa", "bb"], dtype=pl.Categorical)
        assert same(late, early)
        assert not same(early, pl.Series(["bb", "aa"], dtype=pl.Categorical))
        (_, values), *_ = describe(pl.Series(["zz", "never seen 2", "never seen 1"], dtype=pl.Categorical)[1:]).children
        assert values.children[0][1].data.read(0, 2).tolist() == ["never seen 1", "never seen 2"]

    def test_content_counts(self):
        pl = self.pl
        base = pl.Series("a", [1, 2])
        assert all_differ(
            base, base.rename("b"), base.cast(pl.Int32), base.cast(pl.Float64), base.cast(pl.String), base.to_frame(),
            pl.Series("a", [1, None]), pl.Series("a", [1, 0]), pl.Series("a", [[1], [2]]), pl.Series("a", [[1, 2], []]),
            pl.Series("a", [[], [1, 2]]), pl.Series("a", [None, [1, 2]]), pl.Series("a", [{"a": 1}, {"a": 2}]),
            pl.Series("a", [1, 2], dtype=pl.Datetime("us")), pl.Series("a", [1, 2], dtype=pl.Datetime("ms")),
            pl.Series("a", [1, 2], dtype=pl.Datetime("us", "UTC")), pl.Series("a", [1, 2], dtype=pl.Duration("us")),
        )  # fmt: skip

    def test_lazy_frame_is_refused(self):
        with pytest.raises(FingerprintError, match=r"\.collect\(\)"):
            fingerprint(self.pl.DataFrame({"a": [1]}).lazy())


class TestArrow:
    @pytest.fixture(autouse=True)
    def _arrow(self):
        self.pa = pytest.importorskip("pyarrow")

    def columns(self):
        pa = self.pa
        return {
            "i": pa.array([1, None, 3], pa.int16()),
            "f": pa.array([1.5, None, float("nan")]),
            "s": pa.array(["a", None, "c"]),
            "b": pa.array([True, None, False]),
            "y": pa.array([b"a", None, b""]),
            "x": pa.array([b"ab", None, b"cd"], pa.binary(2)),
            "d": pa.array([dt.date(2024, 1, 1), None, dt.date(1960, 1, 1)]),
            "e": pa.array([dt.date(2024, 1, 1), None, dt.date(1960, 1, 1)], pa.date64()),
            "t": pa.array([dt.time(1), None, dt.time(2)], pa.time32("s")),
            "w": pa.array([dt.datetime(2024, 1, 1), None, dt.datetime(1960, 1, 1)], pa.timestamp("us", "UTC")),
            "u": pa.array([dt.timedelta(1), None, dt.timedelta(2)]),
            "m": pa.array([Decimal("1.50"), None, Decimal("2.00")]),
            "l": pa.array([[1, 2], None, []]),
            "k": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int64(), 2)),
            "p": pa.array([[("a", 1)], None, [("b", 2), ("c", None)]], pa.map_(pa.string(), pa.int64())),
            "q": pa.array([{"x": 1}, None, {"x": None}]),
            "c": pa.array(["u", None, "v"]).dictionary_encode(),
            "h": pa.array([np.float16(1), None, np.float16(2)], pa.float16()),
            "n": pa.nulls(3),
        }

    def test_chunks_slices_and_offsets_do_not_count(self):
        pa = self.pa
        for name, column in self.columns().items():
            doubled = pa.chunked_array([column, column, column])
            pieces = pa.chunked_array([column[:1], column[1:1], column[1:]])
            assert same(pieces, doubled.slice(3, 3), pa.chunked_array([column])), name
            assert same(column[1:], pa.concat_arrays([column, column]).slice(4, 2)), name
            assert not same(column, column[:2]), name

    def test_tables(self):
        pa = self.pa
        table = pa.table(self.columns())
        assert same(table, pa.concat_tables([table[:1], table[1:]]), table.replace_schema_metadata({"a": "b"}))
        assert not same(table, table.rename_columns([f"x{name}" for name in table.column_names]))
        assert fingerprint(table).diff(fingerprint(table.set_column(0, "i", pa.array([1, None, 4], pa.int16())))) == (
            "['i']",
        )

    def test_garbage_under_nulls_does_not_count(self):
        pa = self.pa
        valid = pa.py_buffer(bytes([0b101]))
        left, right = (
            pa.Array.from_buffers(pa.int64(), 3, [valid, pa.py_buffer(np.array([1, garbage, 3]).tobytes())])
            for garbage in (7, 8)
        )
        assert same(left, right, pa.array([1, None, 3]))

    def test_items_under_a_null_map_or_list_do_not_count(self):
        pa = self.pa
        valid = pa.py_buffer(bytes([0b101]))
        for kind in (pa.map_(pa.string(), pa.int64()), pa.list_(pa.int64())):
            full = pa.array([[("a", 1)], [("b", 2)], [("c", 3)]] if pa.types.is_map(kind) else [[1], [2], [3]], kind)
            buffers = full.buffers()[:2]
            child = full.flatten() if not pa.types.is_map(kind) else None
            if child is None:
                fields = [pa.field("key", pa.string(), nullable=False), pa.field("value", pa.int64())]
                child = pa.StructArray.from_arrays([full.keys, full.items], fields=fields)
            hidden = pa.Array.from_buffers(kind, 3, [valid, buffers[1]], children=[child])
            assert hidden.null_count == 1
            assert same(hidden, pa.array(hidden.to_pylist(), kind))

    def test_dictionary_is_an_encoding(self):
        pa = self.pa
        left = pa.DictionaryArray.from_arrays(pa.array([0, 1, None]), pa.array(["a", "b"]))
        right = pa.DictionaryArray.from_arrays(pa.array([2, 0, 1], pa.int8()), pa.array(["b", None, "a", "unused"]))
        assert same(left, right)
        assert not same(left, pa.array(["a", "b", None]))

    def test_width_of_offsets_does_not_count_but_types_do(self):
        pa = self.pa
        assert same(pa.array(["a", None]), pa.array(["a", None], pa.large_string()))
        assert all_differ(
            pa.array([1]), pa.array([1], pa.int32()), pa.chunked_array([[1]]), pa.scalar(1), pa.array(["1"])
        )


class TestScipy:
    @pytest.fixture(autouse=True)
    def _scipy(self):
        self.sp = pytest.importorskip("scipy.sparse")

    def test_order_and_duplicates_do_not_count_and_stay_untouched(self):
        sp = self.sp
        data, cols, ptr = np.array([1.0, 2.0, 3.0]), np.array([2, 0, 0]), np.array([0, 3, 3])
        messy = sp.csr_array((data, cols, ptr), shape=(2, 3))
        neat = sp.csr_array(np.array([[5.0, 0, 1], [0, 0, 0]]))
        assert same(messy, neat)
        assert messy.data.tolist() == [1, 2, 3]
        assert messy.indices.tolist() == [2, 0, 0]
        coo = sp.coo_array(([1.0, 2.0, 3.0], ([0, 0, 0], [2, 0, 0])), shape=(2, 3))
        assert same(coo, sp.coo_array(neat))
        assert coo.nnz == 3

    def test_width_of_indices_does_not_count(self):
        narrow = self.sp.csr_array(np.eye(3))
        wide = narrow.copy()
        wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
        assert same(narrow, wide)

    def test_formats_and_content_differ(self):
        sp = self.sp
        eye = sp.csr_array(np.eye(3))
        zero = eye.copy()
        zero.data[0] = 0
        gone = zero.copy()
        gone.eliminate_zeros()
        forms = [eye.asformat(form) for form in ("csc", "coo", "lil", "dok", "dia", "bsr")]
        assert all_differ(
            eye, zero, gone, *forms, sp.csr_matrix(eye), eye.astype("f4"), np.eye(3), sp.csr_array((3, 4))
        )
