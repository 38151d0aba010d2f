"""Tables come back to the model as they were, cell by cell, and mean the same in any order and in another run."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro import Corruption, Tabular
from pytest_mlrepro.robustness.columns import Column, number_of
from pytest_mlrepro.robustness.kept import load, points_of, save
from pytest_mlrepro.robustness.robust import check_robust
from pytest_mlrepro.robustness.tables import read_table, read_texts

pandas = pytest.importorskip("pandas")
DAYS = [dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)]


def columns_of_pandas() -> dict[str, object]:
    return {
        "nullable": pandas.array([1, None, 3], dtype="Int64"),
        "nullable floats": pandas.array([1.5, None, 3], dtype="Float64"),
        "nullable booleans": pandas.array([True, None, False], dtype="boolean"),
        "strings": pandas.array(["b", None, "a"], dtype="string"),
        "objects with None": pandas.Series(["b", None, "a"], dtype=object),
        "objects with NaN": pandas.Series(["b", np.nan, "a"], dtype=object),
        "objects of both kinds": pandas.Series([1, True, "1"], dtype=object),
        "ordered": pandas.Categorical(["b", None, "a"], categories=["c", "b", "a"], ordered=True),
        "categories of numbers": pandas.Categorical([3, 1, 2]),
        "times": pandas.to_datetime(["2020-01-01", None, "2021-01-01"], utc=True),
        "periods": pandas.period_range("2020-01", periods=3, freq="M"),
        "intervals": pandas.cut([1, 2, 3], 2),
        "singles": np.array([0.1, 0.2, 0.3], np.float32),
        "bytes": np.array([1, -128, 127], np.int8),
        "identifiers": np.array([2**60 + 1, 2**60 + 3, 5]),
        "unsigned": np.array([1, 2, 2**64 - 1], np.uint64),
        "nullable identifiers": pandas.array([2**60 + 1, None, 5], dtype="Int64"),
        "lists": pandas.Series([[1], [2], [3]]),
        "arrays": pandas.Series([np.arange(2), np.arange(3), np.arange(2)]),
    }


@pytest.mark.parametrize("name", list(columns_of_pandas()))
def test_columns_of_pandas_come_back(name: str) -> None:
    frame = pandas.DataFrame({"x": columns_of_pandas()[name], "y": [1.0, 2.0, 3.0]})
    table, form = read_table(frame)
    again = form.restore(table)
    pandas.testing.assert_frame_equal(again, frame)
    assert [type(value) for value in again["x"]] == [type(value) for value in frame["x"]]  # 1 and True are equal


@pytest.mark.parametrize(
    "index",
    [
        pandas.RangeIndex(3, name="row"), pandas.Index([5, 3, 1]), pandas.date_range("2020", periods=3),
        pandas.Index(["a", "b", "a"], name="key"), pandas.MultiIndex.from_tuples([(1, "a"), (2, "b"), (3, "c")], names=["u", "v"]),
    ],
    ids=["range", "numbers", "times", "texts", "multi"],
)  # fmt: skip
def test_the_kind_of_an_index_comes_back_and_labels_go_with_their_rows(index) -> None:
    frame = pandas.DataFrame({"x": [1.0, 2.0, 3.0]}, index=index)
    table, form = read_table(frame)
    again = form.restore(table[[2, 0, 0]])
    assert type(again.index) is type(index) or isinstance(index, pandas.RangeIndex | pandas.DatetimeIndex)
    assert again.index.names == index.names
    assert again.index.dtype == index.dtype
    if index.dtype.kind not in "iu":
        assert again.index.tolist() == [index[2], index[0], index[0]]
    assert form.names == ("x",)


@pytest.mark.parametrize(
    "columns",
    [
        pandas.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["u", "v"]), pandas.Index(["a", "b"], name="c"),
        pandas.Index(["a", "b"], dtype=object), pandas.RangeIndex(2), pandas.CategoricalIndex(["a", "b"]),
    ],
)  # fmt: skip
def test_columns_themselves_come_back(columns) -> None:
    frame = pandas.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=columns)
    table, form = read_table(frame)
    pandas.testing.assert_frame_equal(form.restore(table), frame)


def test_columns_of_polars_come_back() -> None:
    polars = pytest.importorskip("polars")
    from polars.testing import assert_frame_equal

    frame = polars.DataFrame(
        {
            "decimals": [Decimal("1.10"), None, Decimal("2.25")], "days": DAYS, "texts": ["b", None, "a"],
            "nan": [1.0, float("nan"), 2.0], "null": [1.0, None, 2.0], "identifiers": [2**60 + 1, None, 2**60 + 3],
            "lists": [[1], None, [2]], "structs": [{"a": 1}, {"a": 2}, {"a": 3}], "nothing": [None] * 3,
        },
        schema_overrides={"texts": polars.Enum(["c", "b", "a"])},
    )  # fmt: skip
    table, form = read_table(frame)
    assert_frame_equal(form.restore(table), frame)


@pytest.mark.parametrize(
    ("array", "categorical"),
    [
        (np.array([["b", "long"], ["a", "x"]]), ()), (np.array([[True, False], [False, False]]), ()),
        (np.array([[5.0, 1.0], [3.0, np.nan]]), (0,)), (np.array([[5, 1], [3, 2**60 + 1]]), (0,)),
        (np.array([["b", None], [1, 2.5]], dtype=object), ()),
    ],
)  # fmt: skip
def test_arrays_come_back(array, categorical) -> None:
    table, form = read_table(array, categorical)
    again = form.restore(table)
    assert again.dtype == array.dtype
    assert np.array_equal(again, array) or np.array_equal(again.astype(float), array.astype(float), equal_nan=True)


def test_tensors_with_categories_come_back() -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.tensor([[5.0, 1.0], [3.0, 2.0]])
    table, form = read_table(tensor, (0,))
    assert torch.equal(form.restore(table), tensor)


def test_what_a_dtype_can_t_hold_is_rounded_into_it() -> None:
    frame = pandas.DataFrame(
        {"small": np.array([1, 2], np.int8), "single": np.array([0.1, 0.2], np.float32), "x": [1, 2]}
    )
    _, form = read_table(frame)
    rounded = form.rounded(np.array([[500.0, 0.1, 1.0], [-500.0, 0.3, 2.0]]))
    assert rounded[:, 0].tolist() == [127, -128]
    assert rounded[0, 1] == np.float32(0.1)
    seen: list[int] = []

    def model(rows):
        seen.extend(rows["small"].tolist())
        return np.zeros(len(rows), int)

    check_robust(model, frame, [0, 0], Corruption("unit_shift", 5, columns=["small"], draws=5), min_accuracy=0.5)
    assert 127 in seen  # and no number that came around from the other end
    assert min(seen) >= 0


def test_texts_of_series_come_back() -> None:
    polars = pytest.importorskip("polars")
    for series in (pandas.Series(["b", "a"], name="t"), polars.Series("t", ["b", "a"])):
        codes, form = read_texts(series)
        again = form.restore(codes)
        assert type(again) is type(series)
        assert (again.to_list(), again.name) == (["b", "a"], "t")


@given(
    st.lists(
        st.one_of(st.booleans(), st.integers(-5, 5), st.text(max_size=2)), min_size=1, unique_by=lambda x: (type(x), x)
    )
)
def test_levels_mean_the_same_whatever_the_order(values) -> None:
    one, two = Column("x", object, "category"), Column("x", object, "category")
    forward, backward = one.codes(values), two.codes(reversed(values))
    assert len({number_of(value) for value in values}) == len(values)
    assert (two.back(one.portable(forward)) == backward[::-1]).all()
    assert one.values(one.in_order(forward)) == two.values(two.in_order(backward))


def people(rows: int = 120):
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {"c": rng.choice(list("abcdefgh"), rows), "d": rng.choice(list("abc"), rows), "n": rng.normal(size=rows)}
    )
    return frame, jagged(frame)


def jagged(frame) -> np.ndarray:
    """A model whose every answer depends on all cells, so that a row that was read wrongly is seen."""
    return np.array(
        [(7 * ord(c) + 3 * ord(d) + int(5 * n)) % 4 for c, d, n in zip(frame["c"], frame["d"], frame["n"], strict=True)]
    )


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), size=st.integers(5, 120), batch=st.integers(1, 128))
def test_a_row_s_search_is_its_own(seed: int, size: int, batch: int) -> None:
    frame, labels = people()
    for threat in (Tabular(0.001, categorical=1, reference=frame), Corruption("swapped_categories", 5)):
        fixed = isinstance(threat, Tabular)
        order = np.random.default_rng(seed).permutation(len(frame))[
            : size if fixed else None
        ]  # spreads are of the inputs

        def found(rows, length, threat=threat):
            report = check_robust(
                jagged, frame.iloc[rows], labels[rows], threat, min_accuracy=0.01, complete=True, batch_size=length
            )
            return {
                int(rows[example.index]): tuple(example.form.restore(example.found[None]).iloc[0])
                for example in report.counterexamples
            }

        whole = found(np.arange(len(frame)), 128)
        assert found(order, batch) == {at: row for at, row in whole.items() if at in order}


def test_counterexamples_are_replayed_in_another_order_of_rows(tmp_path) -> None:
    frame, labels = people()
    threat = Tabular(0.2, categorical=1, reference=frame)
    report = check_robust(jagged, frame, labels, threat, min_accuracy=0.01, complete=True)
    save(tmp_path / "kept.npz", points_of(report))
    kept = load(tmp_path / "kept.npz")
    assert len(kept) == len(report.counterexamples) > 50
    order = np.random.default_rng(1).permutation(len(frame))
    again = check_robust(
        jagged, frame.iloc[order], labels[order], threat, min_accuracy=0.01, complete=True, replayed=kept
    )
    assert again.stages[0].attack == "replay of kept counterexamples"
    assert again.stages[0].broke == len(kept)
    other = frame.assign(c="z")  # categories that nobody has heard of then: nothing to replay, and no mistake
    elsewhere = check_robust(jagged, other, jagged(other), Tabular(0.2), min_accuracy=0.01, replayed=kept)
    assert elsewhere.stages[0].broke == 0
