"""What can be wrong with a table: contracts, drift and splits say what and where on each engine, and crash on none of it."""

from __future__ import annotations

import datetime as dt
import decimal
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_mlrepro import Contract, UsageError, assert_contract, assert_no_drift, check_split
from pytest_mlrepro.contracts.loosened import loosened
from pytest_mlrepro.drift import Profile, drift_report

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pytest.importorskip("narwhals")

ROWS = 400
EAST = dt.timezone(dt.timedelta(hours=5))
Columns = dict[str, Any]


def good(seed: int = 1) -> Columns:
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=ROWS).tolist(),
        "c": rng.choice(["red", "green", "blue"], ROWS).tolist(),
        "t": [dt.datetime(2024, 1, 1) + dt.timedelta(hours=int(hour)) for hour in rng.integers(0, 2000, ROWS)],
        "y": rng.integers(0, 2, ROWS).tolist(),
    }


def of_polars(columns: Columns) -> Any:
    def series(name: str, values: list[Any]) -> Any:
        several = len({type(value) for value in values if value is not None}) > 1
        return pl.Series(name, values, dtype=pl.Object) if several else pl.Series(name, values)

    return pl.DataFrame([series(name, values) for name, values in columns.items()])


def of_duckdb(columns: Columns) -> Any:
    return pytest.importorskip("duckdb").from_arrow(pa.table(columns))


ENGINES: dict[str, Callable[[Columns], Any]] = {
    "pandas": pd.DataFrame,
    "polars": of_polars,
    "lazy polars": lambda columns: of_polars(columns).lazy(),
    "arrow": pa.table,
    "duckdb": of_duckdb,
    "dask": lambda columns: pytest.importorskip("dask.dataframe").from_pandas(pd.DataFrame(columns), npartitions=2),
}
ORDERED = ("pandas", "polars", "arrow")
"""Rows have positions in these."""


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.infer(pd.DataFrame(good()), label="y")


@pytest.fixture(scope="module")
def profile() -> Profile:
    return Profile.of(pd.DataFrame(good()))


def drifted(frame: Any, profile: Profile) -> list[tuple[str, str, str]]:
    report = drift_report(frame, profile, undecided="pass", effect=0.25)
    return [(finding.what, finding.column, " ".join(finding.words)) for finding in report.drifted]


def kinds(findings: list[Any]) -> list[tuple[str, tuple[str, ...], int]]:
    """Return what is said of columns; with one column less, some rows repeat others, and that is true too."""
    return [(finding.kind, finding.columns, finding.count) for finding in findings if finding.columns]


def split(frame: Any, **more: Any) -> list[Any]:
    return check_split(train=pd.DataFrame(good()), test=frame, label="y", **more)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_empty_frame(engine: str, contract: Contract, profile: Profile) -> None:
    empty = {"x": pa.array([], pa.float64()), "c": pa.array([], pa.string())}
    frame = {
        "pandas": lambda: pd.DataFrame({"x": np.zeros(0), "c": np.zeros(0, "U1")}),
        "polars": lambda: pl.from_arrow(pa.table(empty)),
        "lazy polars": lambda: pl.from_arrow(pa.table(empty)).lazy(),
    }.get(engine, lambda: ENGINES[engine](empty))()
    for check in (contract.check, Contract.infer, Profile.of, lambda frame: drift_report(frame, profile), split):
        with pytest.raises(UsageError, match=r"has no rows \(columns: x, c\)"):
            check(frame)


@pytest.mark.parametrize("engine", ["pandas", "arrow", "duckdb"])  # polars refuses such a frame itself
def test_two_columns_of_one_name(engine: str, contract: Contract, profile: Profile) -> None:
    frame = pa.table([pa.array([1.0, 2.0]), pa.array([3.0, 4.0])], names=["x", "x"])
    frame = frame.to_pandas() if engine == "pandas" else frame
    if engine == "duckdb":
        frame = pytest.importorskip("duckdb").sql("select 1.0 as x, 2.0 as x")
        if frame.columns != ["x", "x"]:
            pytest.skip("this DuckDB renames the second")
    for check in (contract.check, Contract.infer, Profile.of, lambda frame: drift_report(frame, profile), split):
        with pytest.raises(UsageError, match=r"several columns .*'x'"):
            check(frame)


@pytest.mark.parametrize("engine", ENGINES)
def test_columns_that_are_missing_here_or_in_the_reference(engine: str, contract: Contract, profile: Profile) -> None:
    gone = ENGINES[engine]({name: values for name, values in good(2).items() if name != "x"})
    assert kinds(contract.check(gone)) == [("missing-column", ("x",), 1)]
    assert [finding[:2] for finding in drifted(gone, profile)] == [("missing column", "x")]
    assert [finding.columns for finding in split(gone) if finding.kind == "columns"] == [("x",)]
    more = ENGINES[engine]({**good(2), "z": [0.0] * ROWS})
    assert kinds(contract.check(more)) == [("new-column", ("z",), 1)]
    assert [finding[:2] for finding in drifted(more, profile)] == [("new column", "z")]
    assert [finding.columns for finding in split(more) if finding.kind == "columns"] == [("z",)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["x", "c", "t"])
def test_a_column_of_nulls_alone_is_told_by_its_nulls_and_no_other_way(
    engine: str, name: str, contract: Contract, profile: Profile
) -> None:
    frame = ENGINES[engine]({**good(2), name: [None] * ROWS})
    assert kinds(contract.check(frame)) == [("nulls", (name,), ROWS)]
    (found,) = drifted(frame, profile)
    assert found[:2] == ("nulls", name)
    assert "400 of 400" in found[2]
    (found,) = [finding for finding in split(frame) if finding.kind == "null-columns"]
    assert found.columns == (name,)
    assert Contract.infer(frame).check(frame) == []
    assert "nulls" in [what for what, _, _ in drifted(ENGINES[engine](good(2)), Profile.of(frame))]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_single_value(engine: str, contract: Contract, profile: Profile) -> None:
    frame = ENGINES[engine]({**good(2), "x": [3.0] * ROWS, "c": ["red"] * ROWS})
    assert kinds(contract.check(frame)) == [("constant", ("x",), ROWS), ("constant", ("c",), ROWS)]
    assert [finding[:2] for finding in drifted(frame, profile)] == [("distribution", "x"), ("distribution", "c")]
    assert "3" in str(drifted(frame, profile)[0][2])
    split(frame)
    other = ENGINES[engine](good(2))
    assert kinds(Contract.infer(frame).check(other)) == [("not-constant", ("x",), ROWS), ("not-constant", ("c",), ROWS)]


@pytest.mark.parametrize("engine", ["pandas", "polars", "lazy polars"])
def test_objects_of_mixed_types_are_told_with_rows_and_values(
    engine: str, contract: Contract, profile: Profile
) -> None:
    values = ["oops" if at in (3, 9) else value for at, value in enumerate(good(2)["x"])]
    frame = ENGINES[engine]({**good(2), "x": values})
    (found,) = contract.check(frame)
    if engine == "lazy polars":  # whose rows have no positions
        assert found.words == "x: objects of no type in particular, numbers with fractions expected"
    else:
        assert (found.kind, found.count, found.rows) == ("mixed-types", 2, (3, 9))
        assert found.words == (
            "x: values of mixed types (398 float, 2 str), the first others 'oops' in row 3, 'oops' in row 9, "
            "numbers with fractions expected"
        )
    ((what, column, words),) = drifted(frame, profile)
    assert (what, column) == ("mixed types", "x")
    assert "398 float, 2 str" in words
    assert "3 ('oops (str)'), 9 ('oops (str)')" in words
    (found,) = [finding for finding in split(frame) if finding.kind == "dtypes"]
    assert "number in train, mixed in test" in found.words
    assert found.words.endswith("it is compared as text; rows 3, 9 of test are str, most are number")
    assert Contract.infer(frame).check(frame) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_infinities_name_their_rows_and_can_be_allowed(engine: str, contract: Contract, profile: Profile) -> None:
    values = [np.inf if at in (4, 8) else value for at, value in enumerate(good(2)["x"])]
    frame = ENGINES[engine]({**good(2), "x": values})
    (found,) = contract.check(frame)
    assert (found.kind, found.count, found.rows) == ("infinities", 2, (4, 8) if engine in ORDERED else ())
    assert "max = inf" in found.hint
    ((what, _, words),) = drifted(frame, profile)
    assert what == "infinite values"
    assert "rows 4 (inf), 8 (inf)" in words
    split(frame)
    allowed = Contract.infer(frame, label="y")
    assert "max = inf" in str(allowed)
    assert Contract.read(str(allowed)).check(frame) == []
    (found,) = allowed.check(ENGINES[engine]({**good(2), "x": [-value for value in values]}))
    assert (found.kind, found.count) == ("infinities", 2)
    assert "no -infinity expected" in found.words


def test_an_infinite_end_on_the_wrong_side_is_a_mistake() -> None:
    with pytest.raises(UsageError, match=r"columns\.a\.min: no number is beyond inf"):
        Contract.read("[columns.a]\nmin = inf\n")
    with pytest.raises(UsageError, match=r"columns\.a\.max: no number is beyond -inf"):
        Contract.read("[columns.a]\nmax = -inf\n")
    both = Contract.read("extra = true\n[columns.k]\nmin = -inf\nmax = inf\n[columns.x]\nmin = -inf\nmax = inf\n")
    assert both.check(pl.DataFrame({"k": [1, 2], "x": [float("inf"), -1.0]})) == []


@pytest.mark.parametrize("naive", [False, True])
def test_time_zones_mixed_in_a_column_of_objects(naive: bool, contract: Contract, profile: Profile) -> None:
    zones = (EAST, None if naive else dt.UTC)
    times = [value.replace(tzinfo=zones[at == 7]) for at, value in enumerate(good(2)["t"])]
    frame = pd.DataFrame({**good(2), "t": pd.Series(times, dtype=object)})
    (found,) = contract.check(frame)
    assert (found.kind, found.count, found.rows) == ("mixed-types", 1, (7,))
    other = "1 times without a zone" if naive else "1 times of the zone UTC"
    assert f"mixed time zones (399 times of the zone UTC+05:00, {other}), the first others 2024" in found.words
    assert "in row 7, times expected" in found.words
    ((what, column, words),) = drifted(frame, profile)
    assert (what, column) == ("time zone", "t")
    assert ("in some rows only" if naive else "several time zones") in words
    with pytest.raises(UsageError, match="time column 't' of test mixes time zones"):
        split(frame, time="t")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_zone_where_there_was_none(engine: str, contract: Contract, profile: Profile) -> None:
    frame = ENGINES[engine]({**good(2), "t": [value.replace(tzinfo=dt.UTC) for value in good(2)["t"]]})
    (found,) = contract.check(frame)
    assert (found.kind, found.words) == ("zone", "t: times of the zone UTC, none expected")
    assert [finding[:2] for finding in drifted(frame, profile)] == [("time zone", "t")]
    assert "time-zones" in [finding.kind for finding in split(frame, time="t")]
    for name, other in ENGINES.items():  # a contract of one engine holds in the others
        if name in ("duckdb", "dask") and importlib.util.find_spec(name) is None:
            continue
        aware = other({**good(3), "t": [value.replace(tzinfo=dt.UTC) for value in good(3)["t"]]})
        assert Contract.infer(frame, label="y").check(aware) == []


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_categories_by_the_hundred_thousand(engine: str) -> None:
    rng = np.random.default_rng(0)
    names = [f"user-{number}" for number in rng.integers(0, 10**9, 150_000)]
    frame = ENGINES[engine]({"c": names})
    learned = Contract.infer(frame)
    assert learned.columns[0].values is None  # no list that nobody can read
    assert len(str(learned)) < 1000
    broken = ENGINES[engine]({"c": [*names[:-2], "nobody", "nothing"]})
    (found,) = learned.check(broken)
    assert (found.kind, found.count, found.rows) == ("format", 2, (149_998, 149_999) if engine in ORDERED else ())
    if engine in ("pandas", "duckdb"):  # the way of the others is that of pandas
        known = Profile.of(frame, kinds={"c": "category"})
        assert drift_report(frame, known).verdict == "passed"
        assert len(str(drift_report(ENGINES[engine]({"c": ["new"] * 100_000}), known))) < 4000
    found = check_split(train=frame, test=broken)
    assert found
    assert all(len(finding.words) < 1000 for finding in found)


@pytest.mark.parametrize("form", [object, "str", "string", "category"])
def test_nulls_of_pandas_are_no_texts_with_spaces_or_of_another_format(form: Any) -> None:
    texts = pd.DataFrame(
        {"c": pd.Series(["ab", None, "cd"] * 40, dtype=form), "d": pd.Series([None, "2024-01-01"] * 60, dtype=form)}
    )
    learned = Contract.infer(texts)
    assert [column.stripped for column in learned.columns] == [True, True]
    assert learned.columns[1].format == "date"
    assert learned.check(texts) == []
    assert learned.check(pl.DataFrame({"c": ["ab", None, "cd"] * 40, "d": [None, "2024-01-01"] * 60})) == []
    strict = Contract.read("[columns.c]\nstripped = true\nformat = 'identifier'\n")
    (found,) = strict.check(pd.DataFrame({"c": pd.Series(["a1", None, "cd"], dtype=form)}))
    assert (found.kind, found.count, found.rows) == ("format", 1, (2,))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([True, None, False] * 20, None),
        ([dt.date(2024, 1, 1), dt.date(2024, 3, 1), None] * 20, None),
        ([decimal.Decimal("1.5"), decimal.Decimal("-3"), None] * 20, None),
        ([1, None, 5] * 20, object),
        ([1, 2.5, None] * 20, object),
    ],
)
def test_objects_of_one_kind_in_pandas_mean_what_they_mean_elsewhere(values: list[Any], dtype: Any) -> None:
    frame = pd.DataFrame({"v": pd.Series(values, dtype=dtype or object)})
    plain = [None if value is None else float(value) for value in values] if dtype else values
    other = pl.DataFrame({"v": plain})
    for one, two in ((frame, other), (other, frame)):
        learned = Contract.infer(one)
        assert learned.columns[0].type != "other"
        assert learned.check(one) == []
        assert learned.check(two) == []
    assert [finding.kind for finding in learned.check(pd.DataFrame({"v": ["text"] * 60}))][:1] == ["type"]


@pytest.mark.parametrize("make", [pl.DataFrame, pa.table, lambda columns: pl.DataFrame(columns).lazy()])
def test_decimals_have_neither_nan_nor_infinities(make: Callable[[Columns], Any]) -> None:
    values = [decimal.Decimal(at) / 8 for at in range(100)]
    learned = Contract.infer(make({"price": values}))
    assert learned.columns[0].type == "number"
    assert learned.check(make({"price": values})) == []
    beyond = make({"price": [*values, decimal.Decimal(1000)]})
    (found,) = learned.check(beyond)
    assert (found.kind, found.count) == ("range", 1)
    assert loosened(learned, beyond, [found]).check(beyond) == []


def test_what_cannot_be_compared_is_named_with_its_row() -> None:
    frame = pd.DataFrame({"c": [{1}, {2}], "y": [0, 1]})
    for check in (Contract.infer, Profile.of, lambda frame: check_split(train=frame, test=frame)):
        with pytest.raises(UsageError, match=r"column 'c'.* set.*row 0"):
            check(frame)


def test_messages_of_wide_tables_stay_short_and_say_how_many_more() -> None:
    names = [f"a column of a long name, with the number {at}" for at in range(600)]
    table = pl.DataFrame({name: np.arange(50.0) for name in names})
    learned = Contract.infer(table)
    for broken, more in ((table * 1e9 + 1e9, "range"), (table.select(names[:20]), "missing-column")):
        with pytest.raises(AssertionError) as failure:
            assert_contract(broken, learned)
        told = str(failure.value)
        assert len(told.encode()) < 4000
        assert told.splitlines()[-1].startswith("  … and ")
        assert told.endswith(f" {more}")
    with pytest.raises(AssertionError) as failure:
        assert_no_drift(table + 1e9, Profile.of(table))
    assert len(str(failure.value).encode()) < 4000


@pytest.mark.slow
def test_messages_of_a_million_bad_rows_stay_short() -> None:
    rows = 1_000_000
    good_ones = pl.DataFrame({"x": np.arange(rows) % 97 / 7, "c": np.array(["a", "b"])[np.arange(rows) % 2]})
    bad_ones = good_ones.with_columns(pl.col("x") + 1000, pl.col("c") + "\x1b[31m " + "wide " * 10)
    with pytest.raises(AssertionError, match="1,000,000 of 1,000,000 rows are out of range") as failure:
        assert_contract(bad_ones, Contract.infer(good_ones))
    assert len(str(failure.value).encode()) < 4000
    assert "\x1b" not in str(failure.value)
    with pytest.raises(AssertionError, match="its distribution moved") as failure:
        assert_no_drift(bad_ones, Profile.of(good_ones))
    assert len(str(failure.value).encode()) < 4000
    assert "\x1b" not in str(failure.value)


def test_a_name_that_would_break_the_message_is_quoted() -> None:
    name = "a\nb\x1b[31m"
    learned = Contract.infer(pl.DataFrame({name: [1.0, 2.0, 3.0] * 20, "y": [1, 2] * 30}))
    for broken in (pl.DataFrame({name: [None, 2.0, 90.0] * 20, "y": [1, 2] * 30}), pl.DataFrame({"y": [1, 2] * 30})):
        with pytest.raises(AssertionError) as failure:
            assert_contract(broken, learned)
        assert "\x1b" not in str(failure.value)
        assert repr(name) in str(failure.value)


def test_what_moved_is_not_undecided_too(profile: Profile) -> None:
    report = drift_report(pd.DataFrame({**good(2), "c": ["violet"] * ROWS}), profile, effect=0.25, correlation=0.9)
    assert [(finding.column, finding.what) for finding in report.drifted] == [("c", "unseen categories")]
    assert ("c", "undecided") in [(finding.column, finding.state) for finding in report.findings]
    assert "undecided" not in str(report)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Vienna"])
def test_duckdb_shows_moments_in_the_zone_of_its_session_which_is_no_fault_of_the_data(zone: str) -> None:
    connection = pytest.importorskip("duckdb").connect()
    connection.execute("set TimeZone = 'America/New_York'")
    times = pl.Series(good()["t"]).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    aware = pl.DataFrame({"t": times})
    learned = Contract.infer(aware)
    assert learned.columns[0].zone == zone
    assert learned.check(connection.from_arrow(aware.to_arrow())) == []
    naive = connection.from_arrow(pa.table({"t": good()["t"]}))
    assert [finding.kind for finding in learned.check(naive)] == ["zone"]
