"""Contracts: inferred from good data, kept by more of it, broken by each planted fault with its exact count, on every engine."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro import Contract, UsageError, assert_contract

pl = pytest.importorskip("polars")
pytest.importorskip("narwhals")
pytest.importorskip("tomlkit")


def table(rows: int = 2000, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    day = dt.date(2024, 1, 1)
    return pl.DataFrame(
        {
            "id": np.arange(rows) + seed * 10**7,
            "x": rng.normal(size=rows),
            "heavy": rng.lognormal(sigma=1.5, size=rows),
            "count": rng.poisson(3, rows),
            "colour": rng.choice(["red", "green", "blue"], rows),
            "amount": [f"{value:.2f}" for value in rng.random(rows) * 100],
            "day": [str(day + dt.timedelta(days=int(at))) for at in rng.integers(0, 300, rows)],
            "when": [dt.datetime(2024, 1, 1) + dt.timedelta(seconds=int(at)) for at in rng.integers(0, 10**7, rows)],
            "flag": rng.random(rows) < 0.5,
            "mail": [f"u{at + seed * 10**7}@example.org" for at in range(rows)],
            "gap": [None if value < 0.02 else float(value) for value in rng.random(rows)],
            "label": rng.integers(0, 2, rows),
            "const": [7] * rows,
        }
    )


CONTRACT = Contract.infer(table(), label="label")
ENGINES = ("polars", "lazy", "pandas", "arrow", "duckdb", "dask")


def as_engine(frame: Any, engine: str) -> Any:
    match engine:
        case "polars":
            return frame
        case "lazy":
            return frame.lazy()
        case "pandas":
            pytest.importorskip("pandas")
            return frame.to_pandas()
        case "arrow":
            return frame.to_arrow()
        case "dask":
            pytest.importorskip("pandas")
            return pytest.importorskip("dask.dataframe").from_pandas(frame.to_pandas(), npartitions=3)
        case _:
            duckdb = pytest.importorskip("duckdb")
            held = frame.to_arrow()
            return duckdb.connect().from_arrow(held)


def put(frame: Any, name: str, rows: range, value: Any) -> Any:
    values = frame[name].to_list()
    for at in rows:
        values[at] = value
    return frame.with_columns(pl.Series(name, values, frame.schema[name]))


def faults() -> dict[str, tuple[Any, tuple[str, ...], int]]:
    """Return for each fault a table that has it, the columns and the count."""
    good = table(seed=1)
    again = pl.concat([good, good[:3]])
    near = good[5:9].with_columns(pl.Series("id", [1, 2, 3, 4]), pl.Series("mail", list("abcd")) + "@example.org")
    return {
        "missing-column": (good.drop("x"), ("x",), 1),
        "new-column": (good.with_columns(other=pl.lit(1)), ("other",), 1),
        "order": (good.select("x", *[name for name in good.columns if name != "x"]), ("x",), 1),
        "type": (good.with_columns(pl.col("x").cast(pl.String)), ("x",), 2000),
        "nulls": (put(good, "x", range(4, 14), None), ("x",), 10),
        "range": (put(good, "x", range(7, 10), 99.0), ("x",), 3),
        "infinities": (put(good, "x", range(5, 7), float("inf")), ("x",), 2),
        "values": (put(good, "colour", range(20, 31), "violet"), ("colour",), 11),
        "spaces": (put(good, "colour", range(20, 24), "red "), ("colour",), 4),
        "format": (put(good, "amount", range(40, 45), "12,50"), ("amount",), 5),
        "not-unique": (put(good, "id", range(1, 6), int(good["id"][0])), ("id",), 5),
        "constant": (good.with_columns(count=pl.lit(3, pl.Int64)), ("count",), 2000),
        "not-constant": (put(good, "const", range(3), 8), ("const",), 2000),
        "duplicates": (again, (), 3),
        "near-duplicates": (pl.concat([good, near.with_columns(pl.col("x") + 1e-7)]), (), 4),
        "contradictions": (pl.concat([good, near.with_columns((1 - pl.col("label")).alias("label"))]), (), 4),
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", list(faults()))
def test_each_fault_is_found_with_its_count_on_every_engine(kind: str, engine: str) -> None:
    frame, columns, count = faults()[kind]
    if kind in ("near-duplicates", "contradictions"):  # another mail address is no near duplicate
        frame = frame.drop("mail")
        contract = Contract.infer(table().drop("mail"), label="label")
    else:
        contract = CONTRACT
    found = {(finding.kind, finding.columns): finding for finding in contract.check(as_engine(frame, engine))}
    assert found[kind, columns].count == count
    assert found[kind, columns].words
    implied = {
        "duplicates": {"not-unique"}, "spaces": {"values"}, "type": set(), "not-unique": set(), "infinities": set(),
    }.get(kind, set())  # fmt: skip
    assert {other for other, _ in found} <= {kind, *implied}


@pytest.mark.parametrize("engine", ENGINES)
def test_more_of_the_same_keeps_it(engine: str) -> None:
    assert CONTRACT.check(as_engine(table(), engine)) == []
    assert CONTRACT.check(as_engine(table(seed=2), engine)) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_inferred_is_the_same_on_every_engine(engine: str) -> None:
    other = Contract.infer(as_engine(table(), engine), label="label")
    assert other == CONTRACT


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine not in ("lazy", "duckdb", "dask")])
def test_rows_are_named(engine: str) -> None:
    frame = as_engine(put(table(seed=1), "x", range(7, 10), 99.0), engine)
    (finding,) = CONTRACT.check(frame)
    assert finding.rows == (7, 8, 9)
    assert "x: 3 of 2,000 rows are out of range (99 in row 7, 99 in row 8, 99 in row 9)" in finding.words


def test_the_failure_names_all_faults() -> None:
    frame = put(put(table(seed=1), "x", range(7, 10), 99.0), "colour", range(3), "Red")
    with pytest.raises(AssertionError) as caught:
        assert_contract(frame, CONTRACT, name="train")
    told = str(caught.value)
    assert "train breaks its contract in 2 ways:" in told
    assert "colour: 3 of 2,000 rows are of no known category ('Red' in row 0" in told
    assert "'Red' is a spelling of 'red'" in told
    assert len(told) < 4096


def test_messages_stay_short_with_many_bad_rows() -> None:
    frame = table(seed=1).with_columns(
        pl.col("x") + 1000, pl.lit("violet " * 100).alias("colour"), pl.lit(None).alias("gap")
    )
    with pytest.raises(AssertionError) as caught:
        assert_contract(frame, CONTRACT)
    assert len(str(caught.value)) < 4096


def test_text_and_back() -> None:
    text = str(CONTRACT)
    assert Contract.read(text) == CONTRACT
    assert 'format = "decimal point"' in text
    assert 'values = ["blue", "green", "red"]' in text


def test_files_are_read_and_checked_by_path(tmp_path: Path) -> None:
    path = tmp_path / "train.toml"
    path.write_text(str(CONTRACT), "utf-8")
    assert_contract(table(), path)
    assert_contract(table(), str(path))
    with pytest.raises(UsageError, match="no contract can be read"):
        assert_contract(table(), tmp_path / "other.toml")


def test_a_field_that_is_struck_out_is_not_checked_and_one_can_be_loosened() -> None:
    bad = put(table(seed=1), "x", range(7, 10), 99.0)
    lines = str(CONTRACT).splitlines()
    start = lines.index("[columns.x]")
    struck = [line for at, line in enumerate(lines) if not (start < at < start + 7 and line.startswith(("min", "max")))]
    assert Contract.read("\n".join(struck)).check(bad) == []
    loose = [
        "max = 100.0" if start < at < start + 7 and line.startswith("max") else line for at, line in enumerate(lines)
    ]
    assert Contract.read("\n".join(loose)).check(bad) == []


def test_an_update_keeps_comments_and_what_was_struck_out() -> None:
    lines = str(CONTRACT).splitlines()
    start = lines.index("[columns.count]")
    lines.insert(start, "# how many there were, agreed with the laboratory")
    text = "\n".join(line for line in lines if not line.startswith("near_duplicates")) + "\n"
    new = Contract.infer(table(seed=5).with_columns(pl.col("count") * 10, extra=pl.lit(1)).drop("flag"), label="label")
    out = new.updated(text)
    assert "# how many there were, agreed with the laboratory" in out
    assert "near_duplicates" not in out
    read = Contract.read(out)
    assert {column.name for column in read.columns} == {column.name for column in new.columns}
    counts = [next(own for own in held.columns if own.name == "count") for held in (read, new)]
    assert counts[0].max == counts[1].max


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version = 2\n[columns.a]\n", "version = 2 is of another"),
        ("a = [\n", "not TOML"),
        ("ordered = 1\n[columns.a]\n", "ordered: true or false"),
        ("\n", "for at least one column"),
        ("[columns]\na = 3\n", "columns.a: a table"),
        ("[columns.a]\nmin = 'x'\n", "a number, a date"),
        ("[columns.a]\nmin = 3\nmax = 1\n", "in order"),
        ("[columns.a]\nmin = 3\nmax = 2024-01-01\n", "in order"),
        ("[columns.a]\nnulls = 2\n", "a share from 0 to 1"),
        ("[columns.a]\ntype = 'int'\n", "one of whole, number"),
        ("[columns.a]\nformat = 'shape'\n", "one of date"),
        ("[columns.a]\nvalues = []\n", "a list of texts"),
        ("[columns.a]\nmaximum = 3\n", "did you mean max"),
        ("key = ['b']\n[columns.a]\n", r"key names 'b', and there is no \[columns.b\]"),
        ("label = 'b'\n[columns.a]\n", "label names 'b'"),
        ("[columns.a]\nmin = nan\n", "a number, a date"),
        ("x = " + "[" * 5000 + "]" * 5000 + "\n", "TOML|nested"),
    ],
)
def test_mistakes_in_the_text_are_named(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Contract.read(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_contract_or_an_error_of_ours(text: str) -> None:
    with contextlib.suppress(UsageError):
        Contract.read(f"{text}\n")


def test_bad_frames_are_named() -> None:
    pandas = pytest.importorskip("pandas")
    for frame, words in (
        (table()[:0], "no rows"), (pl.DataFrame(), "no columns"), ([1, 2], "a frame of pandas"),
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "several columns are named 'a'"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            Contract.infer(frame)
        with pytest.raises(UsageError, match=words):
            CONTRACT.check(frame)
    wrong = (
        ({"label": "y"}, "no column 'y'"),
        ({"key": ["id", "z"]}, "no column 'z'"),
        ({"slack": -1}, "a share from 0"),
    )
    for arguments, words in wrong:
        with pytest.raises(UsageError, match=words):
            Contract.infer(table(), **arguments)


def test_dull_columns() -> None:
    pandas = pytest.importorskip("pandas")
    nothing = pl.DataFrame({"a": [None] * 30, "b": [1.0] * 30, "c": [1] * 30})
    contract = Contract.infer(nothing)
    assert contract.check(nothing) == []
    single = pl.DataFrame({"a": [3], "b": ["x"]})
    assert Contract.infer(single).check(single) == []
    mixed = pandas.DataFrame({"a": pandas.Series([1, "x", 2.5, None, 3] * 10, dtype=object)})
    assert Contract.infer(mixed).check(mixed) == []
    clean = Contract.infer(pandas.DataFrame({"a": np.arange(50.0)}))
    finding, nulls, again = clean.check(mixed)
    assert [finding.kind, nulls.kind, again.kind] == ["mixed-types", "nulls", "duplicates"]
    assert "20 int" in finding.words
    assert "10 str" in finding.words


def test_whole_numbers_with_gaps_may_be_floats() -> None:
    pandas = pytest.importorskip("pandas")
    contract = Contract.infer(pandas.DataFrame({"a": list(range(10)) * 10}))
    gaps = pandas.DataFrame({"a": [float(value) for value in range(10)] * 10 + [None]})
    assert [finding.kind for finding in contract.check(gaps)] == ["nulls"]
    assert [finding.kind for finding in contract.check(gaps + 0.5)] == ["type", "nulls"]


def test_times_with_and_without_zones() -> None:
    naive = pl.DataFrame({"t": [dt.datetime(2024, 1, day) for day in range(1, 29)]})
    zoned = naive.with_columns(pl.col("t").dt.replace_time_zone("UTC"))
    contract = Contract.infer(naive)
    assert contract.check(naive) == []
    assert [finding.kind for finding in contract.check(zoned)] == ["zone"]
    assert [finding.kind for finding in Contract.infer(zoned).check(naive)] == ["zone"]
    late = naive.with_columns(pl.col("t") + dt.timedelta(days=400))
    assert [finding.kind for finding in contract.check(late)] == ["range"]


def test_many_categories_are_free_text() -> None:
    frame = pl.DataFrame({"a": [f"name {at % 30_000}" for at in range(60_000)]})
    contract = Contract.infer(frame)
    assert contract.columns[0].values is None
    assert contract.check(frame.with_columns(pl.lit("another").alias("a"))[:2]) != []


def test_real_data_of_scikit_learn_keeps_its_contract() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    for load in (datasets.load_iris, datasets.load_wine, datasets.load_breast_cancer, datasets.load_diabetes):
        frame = load(as_frame=True).frame
        half = frame.sample(frac=0.5, random_state=0).reset_index(drop=True)
        rest = frame.drop(half.index, errors="ignore")
        contract = Contract.infer(half, label="target")
        assert contract.check(half) == []
        assert [
            finding.words for finding in contract.check(frame) if finding.kind in ("type", "missing-column", "values")
        ] == []
        assert len(rest) >= 0
