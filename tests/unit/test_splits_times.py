"""The order of time, and input that can't be right: each with its column and rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("narwhals")

from pytest_mlrepro import UsageError, check_split  # noqa: E402

from .split_frames import engines, has  # noqa: E402


def frame(times: Any, seed: int = 0) -> Any:
    return pd.DataFrame({"when": times, "x": np.random.default_rng(seed).normal(size=len(times))})


def days(start: str, count: int, **more: Any) -> Any:
    return pd.date_range(start, periods=count, freq="D", **more)


@pytest.mark.parametrize("engine", engines())
def test_rows_before_the_end_of_training_are_counted(engine: str) -> None:
    as_engine = engines()[engine]
    train, test = frame(days("2024-01-01", 60)), frame(days("2024-02-20", 40), 1)
    (found,) = check_split(train=as_engine(train), test=as_engine(test), time="when")
    assert (found.kind, found.count, found.rows) == ("time-order", 9, tuple(range(9)))
    assert "9 rows of test (22.50%) are before the last row of train in 'when'" in found.words
    assert "test begins at 2024-02-20, train ends at 2024-02-29, an overlap of 9 days" in found.words
    assert "9 rows of train are after that begin: rows 51, 52, 53, 54, 55, … of train" in found.words
    later = as_engine(frame(days("2024-02-29", 40), 1))
    assert check_split(train=as_engine(train), test=later, time="when") == []


FORMS = {
    "text": lambda times: times.strftime("%Y-%m-%d"),
    "dates": lambda times: [time.date() for time in times],
    "numbers": lambda times: np.arange(len(times)) + (times[0] - pd.Timestamp("2024-01-01")).days,
    "aware": lambda times: times.tz_localize("Europe/Berlin"),
    "milliseconds": lambda times: times.astype("datetime64[ms]"),
    "aware objects": lambda times: pd.Series(
        [time.to_pydatetime().replace(tzinfo=dt.UTC) for time in times], dtype=object
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_times_have_many_forms(form: str) -> None:
    train, test = frame(FORMS[form](days("2024-01-01", 60))), frame(FORMS[form](days("2024-02-20", 40)), 1)
    (found,) = check_split(train=train, test=test, time="when")
    assert (found.kind, found.count) == ("time-order", 9)
    assert ("an overlap of 9;" if form == "numbers" else "an overlap of 9 days;") in found.words


def test_hours_are_said_too() -> None:
    train, test = frame(days("2024-01-01", 60)), frame(days("2024-02-28 18:30", 40), 1)
    (found,) = check_split(train=train, test=test, time="when")
    assert "test begins at 2024-02-28 18:30:00, train ends at 2024-02-29, an overlap of 5:30:00" in found.words


def test_the_order_is_that_of_the_names_not_of_the_arguments() -> None:
    parts = {"test": frame(days("2024-03-01", 20), 1), "train": frame(days("2024-01-01", 60))}
    assert check_split(**parts, time="when") == []
    assert check_split(later=parts["test"], earlier=parts["train"], time="when") != []


def test_other_zones_and_none() -> None:
    train = frame(days("2024-01-01", 30, tz="UTC"))
    (found,) = check_split(train=train, test=frame(days("2024-03-01", 30, tz="Asia/Tokyo"), 1), time="when")
    assert found.kind == "time-zones"
    assert "train UTC, test Asia/Tokyo; they are compared as moments" in found.words
    (found,) = check_split(train=train, test=frame(days("2024-03-01", 30), 1), time="when")
    assert "train UTC, test none; their order can't be told" in found.words


def test_objects_of_other_zones_are_compared_as_moments() -> None:
    zones = [dt.timezone(dt.timedelta(hours=hours)) for hours in (-10, 10)]
    parts = [
        frame(pd.Series([dt.datetime(2024, 1, 1, 12 + at, tzinfo=zone) for at in range(5)], dtype=object))
        for zone in zones
    ]
    found = check_split(train=parts[0], test=parts[1], time="when", ignore=["x"], allow=["identical-rows"])
    assert [finding.kind for finding in found][:2] == ["time-zones", "time-order"]
    assert "test begins at 2024-01-01 02:00:00 UTC, train ends at 2024-01-02 02:00:00 UTC" in found[1].words


def test_zones_mixed_in_one_column() -> None:
    mixed = pd.Series([dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2024, 1, 2)] * 10, dtype=object)
    with pytest.raises(UsageError, match="time column 'when' of train mixes time zones: none, UTC"):
        check_split(train=frame(mixed), test=frame(days("2024-03-01", 30), 1), time="when")


def test_null_times_are_found_with_their_rows() -> None:
    test = frame(days("2024-03-01", 30), 1)
    test.loc[[3, 8], "when"] = pd.NaT
    (found,) = check_split(train=frame(days("2024-01-01", 30)), test=test, time="when")
    assert (found.kind, found.count, found.rows) == ("null-times", 2, (3, 8))


GOOD = pd.DataFrame({"a": np.arange(5.0), "b": list("vwxyz")})
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "one part": ({"train": GOOD}, "two parts or more are needed"),
    "an empty part": ({"train": GOOD, "test": GOOD[:0]}, r"test has no rows \(columns: a, b\)"),
    "no columns": ({"train": GOOD, "test": GOOD[[]]}, "test has no"),
    "nothing in common": ({"train": GOOD, "test": GOOD.rename(columns={"a": "c", "b": "d"})}, "no column in common"),
    "duplicate names": (
        {"train": GOOD, "test": pd.concat([GOOD, GOOD["a"]], axis=1)}, "test has several columns of one name: 'a'"
    ),
    "no such key": ({"train": GOOD, "test": GOOD, "key": "id"}, "key='id' is no column of train, which has 'a', 'b'"),
    "a key that one part lacks": (
        {"train": GOOD, "test": GOOD.drop(columns="b"), "key": "b"}, "key='b' is no column of test"
    ),
    "no such label": ({"train": GOOD, "test": GOOD, "label": "y"}, "label='y' is no column of train"),
    "no such column to ignore": ({"train": GOOD, "test": GOOD, "ignore": ["q"]}, "ignore='q' is no column"),
    "an unknown name to allow": ({"train": GOOD, "test": GOOD, "allow": ["q"]}, "allow names 'q'"),
    "a text to allow": ({"train": GOOD, "test": GOOD, "allow": "a"}, "must be a collection of names"),
    "an image": ({"train": np.zeros((3, 8, 8)), "test": np.zeros((3, 8, 8))}, r"shape \(3, 8, 8\).*reshape"),
    "no frame": ({"train": GOOD, "test": 7}, "test must be a frame .*, got int"),
    "a tuple of three": ({"train": GOOD, "test": (1, 2, 3)}, r"tuple of 3, \(X, y\) is expected"),
    "labels of another length": ({"train": (np.zeros((3, 2)), [1, 2]), "test": GOOD}, r"3 rows and y of shape \(2,\)"),
    "times that are all null": (
        {"train": GOOD.assign(t=np.nan), "test": GOOD.assign(t=1.0), "time": "t"}, "'t' of train is null in all 5 rows"
    ),
    "text that is no time": ({"train": GOOD, "test": GOOD, "time": "b"}, "'b' of train holds 'v' in row 0, a time in ISO"),
    "a giveaway of 2": ({"train": GOOD, "test": GOOD, "giveaway": 2}, "giveaway must be a number above 0.5"),
    "objects of no type": (
        {"train": GOOD.assign(o=[[{1}]] * 5), "test": GOOD.assign(o=[[{1}]] * 5)}, "column 'o' of train holds a list in row 0"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_can_t_be_right_is_said(what: str) -> None:
    arguments, words = WRONG[what]
    with pytest.raises(UsageError, match=words):
        check_split(**arguments)


def test_columns_that_are_missing_or_of_another_type() -> None:
    train = pd.DataFrame(
        {"a": np.linspace(0, 1, 40), "b": np.arange(40), "c": np.random.default_rng(0).normal(size=40)}
    )
    test = pd.DataFrame({"a": [0.0, 7.0, 8.0], "b": ["0", "70", "80"], "c": [train["c"][0], 5.0, 6.0], "d": 1})
    found = {finding.kind: finding for finding in check_split(train=train, test=test)}
    assert found["columns"].words == "column 'd' is in test and missing in train: it is not compared"
    assert found["dtypes"].columns == ("b",)
    assert "number in train, text in test (all 3 rows there)" in found["dtypes"].words
    assert found["identical-rows"].rows == (0,)


def test_a_column_that_is_null_in_one_part_hides_no_copies() -> None:
    train, test = frame(days("2024-01-01", 60)), frame(days("2024-01-01", 30))
    (nulls, same) = check_split(train=train, test=test.assign(when=pd.NaT))
    assert (nulls.kind, nulls.words[:41]) == ("null-columns", "column 'when' of test is null in all 30 r")
    assert (same.kind, same.count) == ("identical-rows", 0 + int(np.isin(test["x"], train["x"]).sum()))


def test_columns_of_mixed_types_nested_values_and_infinities() -> None:
    values = [1, "1", 2.5, None, (1, 2), [1.0, np.inf], {"k": 1}, b"x", True, dt.date(2024, 1, 1)]
    parts = [
        pd.DataFrame({"o": pd.Series(values, dtype=object), "x": np.append(np.arange(9.0) + at, np.inf)})
        for at in (0, 100)
    ]
    assert check_split(train=parts[0], test=parts[1][:9]) == []
    found = check_split(train=parts[0], test=parts[1])
    assert [(finding.kind, finding.rows) for finding in found] == [("identical-rows", (9,))]


@pytest.mark.skipif(not has("torch"), reason="needs torch")
def test_tensors_are_matrices() -> None:
    import torch

    data = torch.arange(400.0).reshape(100, 4) ** 1.5
    test = data[60:].clone()
    test[3] = data[5]
    (found,) = check_split(train=data[:60], test=test)
    assert (found.kind, found.rows) == ("identical-rows", (3,))
