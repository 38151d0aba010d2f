"""Rows, keys and groups that parts of a split share: planted into real data, and told with exact counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pd = pytest.importorskip("pandas")
pytest.importorskip("narwhals")
datasets = pytest.importorskip("sklearn.datasets")

from pytest_mlrepro import assert_split, check_split  # noqa: E402
from pytest_mlrepro.contracts.encoded import Numbers  # noqa: E402
from pytest_mlrepro.contracts.finding import Finding  # noqa: E402
from pytest_mlrepro.contracts.hashing import STEP, Grid, rounded  # noqa: E402

from .split_frames import REAL, engines, people, real  # noqa: E402


def by_kind(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.kind: finding for finding in findings}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("seed", range(5))
def test_clean_splits_of_real_data_have_no_findings(name: str, seed: int) -> None:
    train, test = real(name, seed)
    assert check_split(train=train, test=test, label="target") == []


@pytest.mark.parametrize("name", REAL)
def test_copied_rows_are_counted_exactly(name: str) -> None:
    train, test = real(name)
    test.iloc[3:8] = train.iloc[10:15].to_numpy()
    (found,) = check_split(train=train, test=test, label="target")
    assert (found.kind, found.count, found.rows) == ("identical-rows", 5, (3, 4, 5, 6, 7))
    assert "5 rows of test" in found.words
    assert "row 3 of test is row 10 of train, 4 is 11" in found.words


def test_iris_own_duplicate_is_found_when_the_split_parts_it() -> None:
    data, target = datasets.load_iris(return_X_y=True)
    assert (data[101] == data[142]).all()
    here = np.isin(np.arange(150), [142, *range(0, 142, 5)])
    found = by_kind(check_split(train=(data[~here], target[~here]), test=(data[here], target[here])))
    assert found["identical-rows"].count == 1


def test_the_same_features_with_another_label_are_a_finding_of_their_own() -> None:
    train, test = real("wine")
    test.iloc[:4] = train.iloc[:4].to_numpy()
    test.loc[:1, "target"] = (train.loc[:1, "target"] + 1) % 3
    found = by_kind(check_split(train=train, test=test, label="target"))
    assert found["identical-rows"].rows == (2, 3)
    assert found["other-label"].rows == (0, 1)
    assert f"({test.target[0]} where train has {train.target[0]})" in found["other-label"].words


def test_rows_under_new_identifiers_are_identical_but_for_them() -> None:
    train, test = people(400, 0), people(100, 1)
    values = [name for name in train if name not in ("id", "patient", "seen")]
    test.loc[:6, values] = train.loc[20:26, values].to_numpy()
    assert check_split(train=train, test=test, ignore=["patient", "seen"]) != []
    (found,) = check_split(train=train, test=test, ignore=["patient", "seen"])
    assert (found.kind, found.count) == ("identical-rows", 7)
    assert "but for 'id', which names rows" in found.words
    (found,) = check_split(train=train, test=test, key="id", ignore=["patient", "seen"])
    assert (found.kind, found.count) == ("identical-rows", 7)


@pytest.mark.parametrize("engine", engines())
def test_every_engine_finds_the_same(engine: str) -> None:
    train, test = people(400, 0), people(100, 1)
    test.loc[:4, "id"] = train.loc[:4, "id"].to_numpy()
    test.loc[:2, "patient"] = train.loc[50:52, "patient"].to_numpy()
    test.loc[5, "seen"] = pd.Timestamp("2024-01-02")
    values = ["age", "pressure", "visits", "city", "smoker", "ill", "seen", "patient"]
    for name in values:
        test.loc[10:12, name] = train.loc[10:12, name].to_numpy()
        test.loc[20:22, name] = train.loc[20:22, name].to_numpy()
    test.loc[20:22, "age"] += 1e-6
    test.loc[20:22, "city"] = test.loc[20:22, "city"].str.upper() + " "
    asked: dict[str, Any] = {"key": "id", "group": "patient", "time": "seen", "label": "ill"}
    wanted = check_split(train=train, test=test, **asked)
    assert {finding.kind: finding.count for finding in wanted} == {
        "shared-keys": 5, "shared-groups": 9, "time-order": 7, "identical-rows": 3, "near-identical-rows": 3,
    }  # fmt: skip
    as_engine = engines()[engine]
    assert check_split(train=as_engine(train), test=as_engine(test), **asked) == wanted


@given(st.integers(0, 2**32 - 1), st.integers(0, 12))
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_changes_no_count(seed: int, copies: int) -> None:
    train, test = real("breast_cancer")
    test.iloc[:copies] = train.iloc[:copies].to_numpy()
    test.iloc[20 : 20 + copies, 0] = train.iloc[20 : 20 + copies, 0].to_numpy() + 1e-7
    for column in range(1, 31):
        test.iloc[20 : 20 + copies, column] = train.iloc[20 : 20 + copies, column].to_numpy()
    rng = np.random.default_rng(seed)
    before = check_split(train=train, test=test, label="target")
    orders = [rng.permutation(len(part)) for part in (train, test)]
    after = check_split(train=train.iloc[orders[0]], test=test.iloc[orders[1]], label="target")
    assert [(found.kind, found.count) for found in before] == [(found.kind, found.count) for found in after]
    assert [found.count for found in before] == [copies] * (2 if copies else 0)
    for one, two in zip(before, after, strict=True):
        planted = set(range(copies)) if one.kind == "identical-rows" else set(range(20, 20 + copies))
        assert {int(orders[1][row]) for row in two.rows} <= planted


def test_wide_and_narrow_numbers_are_the_same() -> None:
    train, test = real("diabetes")
    test.iloc[:3] = train.iloc[:3].to_numpy()
    (found,) = check_split(train=train.astype("float32"), test=test)
    assert (found.kind, found.count) == ("identical-rows", 3)


def test_large_whole_numbers_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    keys = 2**60 + np.arange(200)
    parts = [
        pd.DataFrame({"key": keys[:100], "x": rng.normal(size=100)}),
        pd.DataFrame({"key": keys[100:], "x": rng.normal(size=100)}),
    ]
    assert check_split(train=parts[0], test=parts[1], key="key") == []
    parts[1].loc[0, "key"] = keys[7]
    (found,) = check_split(train=parts[0], test=parts[1], key="key")
    assert (found.kind, found.count) == ("shared-keys", 1)


def test_coarse_tables_coincide_by_chance() -> None:
    rng = np.random.default_rng(0)
    frames = [pd.DataFrame({name: rng.integers(0, 3, rows) for name in "abcd"}) for rows in (900, 300)]
    assert check_split(train=frames[0], test=frames[1]) == []


def test_oversampled_rows_are_found_although_they_recur_in_train() -> None:
    data, target = datasets.load_breast_cancer(return_X_y=True)
    rng = np.random.default_rng(0)
    rows = np.concatenate([np.arange(569), rng.choice(np.flatnonzero(target == 0), 145)])
    rng.shuffle(rows)
    train, test = rows[:500], rows[500:]
    found = by_kind(check_split(train=(data[train], target[train]), test=(data[test], target[test])))
    assert found["identical-rows"].count == int(np.isin(test, train).sum())


def test_near_copies_are_found_by_rounding_spelling_and_noise() -> None:
    train, test = people(500, 0), people(150, 1)
    values = [name for name in train if name not in ("id", "patient", "seen")]
    for start in (0, 10, 20):
        for name in values:
            test.loc[start : start + 4, name] = train.loc[start : start + 4, name].to_numpy()
    test.loc[0:4, "age"] += 1e-6
    test.loc[10:14, "city"] = [" köln", "BONN ", "aachen", "TRIER", "Bonn"]
    train.loc[10:14, "city"] = ["Köln", "Bonn", "Aachen", "Trier", "bonn"]
    test.loc[20:24, "pressure"] *= 1.000001
    (found,) = check_split(train=train, test=test, key="id", ignore=["patient", "seen"])
    assert (found.kind, found.count) == ("near-identical-rows", 15)
    assert found.rows == (0, 1, 2, 3, 4, 10, 11, 12, 13, 14)
    assert "the first pair differs in 1 column: age" in found.words


@pytest.mark.parametrize("name", REAL)
def test_noisy_copies_are_closer_than_rows_are(name: str) -> None:
    train, test = real(name)
    columns = [column for column in train if column != "target"]
    rng = np.random.default_rng(1)
    noise = 0.01 * train[columns].std().to_numpy() * rng.normal(size=(8, len(columns)))
    test.iloc[:8] = train.iloc[30:38].to_numpy()
    test[columns] = test[columns].astype(float)
    test.loc[:7, columns] += noise
    (found,) = check_split(train=train, test=test, label="target")
    assert (found.kind, found.rows) == ("near-identical-rows", tuple(range(8)))
    assert "far closer than rows of train are to each other" in found.words


@pytest.mark.parametrize("columns", [1, 2, 3, 10])
def test_near_rows_are_not_invented_in_dense_tables(columns: int) -> None:
    alarms = 0
    for seed in range(40):
        data = np.random.default_rng(seed).normal(size=(1_200, columns))
        alarms += bool(check_split(train=data[:900], test=data[900:]))
    assert alarms <= 1  # a thousandth of 40 is 0.04


@given(st.floats(-1e6, 1e6), st.floats(-0.49, 0.49))
@settings(deadline=None)
def test_numbers_closer_than_half_a_cell_are_in_one_on_one_of_two_grids(value: float, part: float) -> None:
    near = np.sinh(np.arcsinh(value) + part * STEP)
    cells = rounded(Numbers("number", np.array([value, near]), np.zeros(2, bool)), Grid(0.0, 1.0))
    assert any(one[0] == one[1] for one in cells)


def test_a_number_that_was_rounded_is_found_in_few_rows_too() -> None:
    train = pd.DataFrame({"city": ["a", "b", "c"] * 10, "price": np.random.default_rng(0).lognormal(3, 1, 30)})
    test = train[:3].assign(price=train["price"][:3].round(4))
    (found,) = check_split(train=train, test=test)
    assert (found.kind, found.count) == ("near-identical-rows", 3)


def test_a_copy_in_a_table_of_one_column_is_found() -> None:
    data = np.random.default_rng(0).normal(size=(400, 1))
    data[350] = data[7]
    (found,) = check_split(train=data[:300], test=data[300:])
    assert (found.kind, found.rows) == ("identical-rows", (50,))


@pytest.mark.parametrize(("noise", "kinds"), [(0.1, ["near-identical-rows"]), (0.35, [])])
def test_rows_farther_than_a_fifth_are_not_near(noise: float, kinds: list[str]) -> None:
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(3_000, 60)), rng.normal(size=(50, 60))
    usual = np.sqrt(((train[1:200] - train[0]) ** 2).sum(axis=1)).min()
    test[0] = train[0] + noise * usual / np.sqrt(60) * rng.choice([-1, 1], 60)
    assert [found.kind for found in check_split(train=train, test=test)] == kinds


@pytest.mark.parametrize("engine", [name for name in engines() if name != "mapping"])
def test_a_null_is_no_category(engine: str) -> None:
    frames = [pd.DataFrame({"text": [*values], "x": np.arange(40.0)}) for values in (["a", "a"] * 20, [None, "a"] * 20)]
    train, test = (engines()[engine](frame) for frame in frames)
    (found,) = check_split(train=train, test=test)
    assert (found.kind, found.count) == ("identical-rows", 20)


def test_near_rows_are_not_invented_in_sparse_tables() -> None:
    alarms = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        data = rng.random((2_000, 30)) * (rng.random((2_000, 30)) < 0.1)
        alarms += bool(check_split(train=data[:1_500], test=data[1_500:]))
    assert alarms <= 1


def test_keys_are_found_whatever_their_type_and_spelling() -> None:
    train, test = people(300, 0), people(80, 1)
    test["id"] = test["id"].astype(str)
    test.loc[4, "id"] = str(train["id"][9])
    test.loc[5, "patient"] = f" {train['patient'][3].lower()}"
    found = by_kind(check_split(train=train, test=test, key="id", group="patient"))
    assert (found["shared-keys"].count, found["shared-keys"].rows) == (1, (4,))
    assert found["dtypes"].columns == ("id",)
    assert (found["shared-groups"].count, found["shared-groups"].rows) == (1, (5,))
    assert "once case and spaces are left aside" in found["shared-groups"].words


def test_keys_of_two_columns_are_one_key() -> None:
    train = pd.DataFrame({"site": ["a", "a", "b"] * 10, "number": range(30), "x": np.linspace(0, 1, 30)})
    test = pd.DataFrame({"site": ["b", "a"], "number": [0, 0], "x": [7.0, 8.0]})
    (found,) = check_split(train=train, test=test, key=["site", "number"])
    assert (found.kind, found.count, found.rows) == ("shared-keys", 1, (1,))
    assert "'a' / 0" in found.words


def test_null_keys_are_nobodys() -> None:
    train, test = people(60, 0), people(30, 1)
    for frame in (train, test):
        frame.loc[2:3, "patient"] = None
    found = check_split(train=train, test=test, group="patient", ignore=["id"])
    assert [(one.kind, one.count, one.rows) for one in found] == [("null-keys", 2, (2, 3))] * 2


def test_every_pair_of_three_parts_is_looked_at() -> None:
    data = datasets.load_breast_cancer().data
    parts = {"test": data[:100].copy(), "train": data[100:400].copy(), "valid": data[400:].copy()}
    parts["valid"][5] = parts["train"][7]
    parts["test"][8] = parts["valid"][9]
    words = [found.words for found in check_split(**parts)]
    assert len(words) == 2
    assert "row 5 of valid is row 7 of train" in words[0]
    assert "row 8 of test is row 9 of valid" in words[1]


def test_assert_split_says_all_of_it() -> None:
    train, test = real("wine")
    test.iloc[:2] = train.iloc[:2].to_numpy()
    test.loc[5, "target"] = 7
    with pytest.raises(AssertionError) as caught:
        assert_split(train=train, test=test, label="target")
    text = str(caught.value)
    assert text.startswith("the split into train, test has 2 faults:\n  identical-rows: 2 rows of test (4.44%)")
    assert "unseen-label: 1 class of 'target' in test is not in train: 7; 1 row: row 5 of test" in text
    assert_split(train=train, test=test, label="target", allow=["identical-rows", "unseen-label"])
