"""Label balance, and columns that give the label away: planted ones are found, good features of real data are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pd = pytest.importorskip("pandas")
pytest.importorskip("narwhals")
datasets = pytest.importorskip("sklearn.datasets")

from pytest_mlrepro import check_split  # noqa: E402
from pytest_mlrepro.contracts.giveaway import told_amounts, told_classes  # noqa: E402
from pytest_mlrepro.contracts.tails import fisher, kolmogorov  # noqa: E402

from .split_frames import REAL, real  # noqa: E402


def giveaways(train: Any, test: Any, **more: Any) -> dict[str, Any]:
    found = check_split(train=train, test=test, label="target", **more)
    assert {finding.kind for finding in found} <= {"giveaway"}
    return {finding.columns[0]: finding for finding in found}


PLANTED = {
    "the label itself": lambda frame: frame["target"],
    "under other names": lambda frame: frame["target"].map({0: "no", 1: "yes", 2: "maybe"}),
    "several codes for each": lambda frame: frame["target"] * 10 + np.arange(len(frame)) % 7,
    "a number with noise": lambda frame: frame["target"] + np.random.default_rng(0).uniform(-0.3, 0.3, len(frame)),
    "a threshold": lambda frame: np.random.default_rng(0).random(len(frame)) + frame["target"],
    "a path": lambda frame: [f"data/{label}/{at:05d}.png" for at, label in enumerate(frame["target"])],
}


@pytest.mark.parametrize("how", PLANTED)
@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_a_column_that_gives_the_label_away_is_named(name: str, how: str) -> None:
    train, test = real(name, stratify=True)
    train["leak"], test["leak"] = PLANTED[how](train), PLANTED[how](test)
    found = giveaways(train, test)
    assert list(found) == ["leak"]
    assert f"right for {len(train)} rows of {len(train)} (100.00% balanced accuracy" in found["leak"].words
    assert giveaways(train, test, allow=["leak"]) == {}


def test_a_column_that_is_null_for_one_class_gives_it_away() -> None:
    train, test = real("breast_cancer", stratify=True)
    for frame in (train, test):
        frame["closed"] = np.where(frame["target"] == 1, np.random.default_rng(0).normal(size=len(frame)), np.nan)
    assert list(giveaways(train, test)) == ["closed"]


def test_identifiers_in_the_order_of_the_label_give_it_away() -> None:
    train, test = real("wine", stratify=True)
    train = train.sort_values("target", ignore_index=True)
    train["number"], test["number"] = np.arange(len(train)), 10_000 + np.arange(len(test))
    found = giveaways(train, test)
    assert "it numbers the rows in the order of the label" in found["number"].words
    assert list(giveaways(train, test, key="number")) == ["number"]
    shuffled = train.assign(number=np.random.default_rng(0).permutation(len(train)))
    assert giveaways(shuffled, test) == {}


def test_a_few_wrong_rows_are_named() -> None:
    train, test = real("digits", stratify=True)
    train["leak"], test["leak"] = train["target"] + 0.5, test["target"] + 0.5
    train.loc[[3, 40], "leak"] = [99.0, 98.0]
    found = giveaways(train, test)["leak"]
    assert found.count == len(train) - 2
    assert "all but rows 3, 40 of train" in found.words


@pytest.mark.parametrize("column", ["a tenth more", "its logarithm"])
def test_a_quantity_is_given_away_too(column: str) -> None:
    train, test = real("diabetes")
    for frame in (train, test):
        noise = np.random.default_rng(0).normal(size=len(frame))
        frame["leak"] = frame["target"] * 1.1 if column == "a tenth more" else np.log(frame["target"]) + 0.001 * noise
    assert list(giveaways(train, test)) == ["leak"]


def test_good_features_are_no_giveaways() -> None:
    data = datasets.load_iris(as_frame=True).frame.sample(frac=1, random_state=0, ignore_index=True)
    found = check_split(train=data[:110], test=data[110:], label="target", allow=["identical-rows"])
    assert found == []


@pytest.mark.parametrize("seed", range(10))
def test_few_rows_and_many_columns_part_classes_by_chance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [(rng.normal(size=(rows, 300)), rng.integers(0, 2, rows)) for rows in (16, 8)]
    assert [found.kind for found in check_split(train=parts[0], test=parts[1])] == []


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), min_size=4, max_size=30), st.integers(0, 999))
@settings(deadline=None)
def test_how_well_a_column_tells_doesn_t_depend_on_the_order_of_rows(rows: list[tuple[int, int]], seed: int) -> None:
    values, codes = (np.array(column) for column in zip(*rows, strict=True))
    places, groups = np.unique(values.astype(float), return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(rows))
    for tell in (told_classes, told_amounts):
        score, right = tell(groups, places, codes)
        again, moved = tell(groups[order], places, codes[order])
        assert again == pytest.approx(score)
        np.testing.assert_array_equal(moved, right[order])
        assert score <= 1 + 1e-12


def test_classes_are_told_as_by_hand() -> None:
    groups, places = np.array([0, 0, 0, 1, 2, 3]), np.array([0.0, 1.0, 2.0, 4.0])
    score, right = told_classes(groups, places, np.array([0, 0, 1, 0, 1, 1]))
    # value 0: for class 0 the other two say 0 and 1, a draw; class 1 is outvoted. 1 lies between class 0 and class 1: a draw;
    # 2 is as near to class 0 as 4 is far: wrong; 4 is next to class 1: right
    assert right.tolist() == [0.5, 0.5, 0.0, 0.5, 0.0, 1.0]
    assert score == pytest.approx((0.5 + 1 / 3) / 2)


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("seed", range(5))
def test_splits_without_stratification_are_balanced_enough(name: str, seed: int) -> None:
    train, test = real(name, seed + 100)
    assert check_split(train=train, test=test, label="target") == []


def test_an_unbalanced_label_names_its_classes() -> None:
    data, target = datasets.load_breast_cancer(return_X_y=True)
    rng = np.random.default_rng(0)
    test = np.concatenate([rng.permutation(np.flatnonzero(target == one))[:rows] for one, rows in ((0, 90), (1, 30))])
    train = np.setdiff1d(np.arange(569), test)
    (found,) = check_split(train=(data[train], target[train]), test=(data[test], target[test]))
    assert (found.kind, found.columns, found.count) == ("label-balance", ("label",), 120)
    assert "0 27.17% and 75.00%, 1 72.83% and 25.00%" in found.words


def test_a_large_sample_does_not_alarm_on_what_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    parts = {name: (rng.normal(size=(100_000, 2)), rng.permutation(np.arange(100_000) < share * 100_000).astype(int))
             for name, share in (("train", 0.50), ("test", 0.51))}  # fmt: skip
    assert check_split(**parts) == []


def test_a_quantity_that_moved_is_said_with_its_medians() -> None:
    train, test = real("diabetes")
    test["target"] += 60
    (found,) = check_split(train=train, test=test, label="target")
    assert found.kind == "label-balance"
    assert "median" in found.words


def test_classes_that_are_new_null_or_all_the_same() -> None:
    train, test = real("wine", stratify=True)
    test.loc[[4, 9], "target"] = [5, 6]
    (found,) = check_split(train=train, test=test, label="target")
    assert (found.kind, found.count, found.rows) == ("unseen-label", 2, (4, 9))
    assert "2 classes of 'target' in test are not in train: 5, 6" in found.words
    test.loc[[4, 9], "target"] = np.nan
    (found,) = check_split(train=train, test=test, label="target")
    assert (found.kind, found.rows) == ("null-labels", (4, 9))
    one = check_split(train=train.assign(target=1), test=test.assign(target=1), label="target")
    assert [finding.kind for finding in one] == ["constant-label"]


@pytest.mark.parametrize(("one", "two", "rows_one", "rows_two"), [(3, 9, 20, 20), (0, 5, 30, 10), (50, 60, 100, 100)])
def test_fisher_s_test_is_scipy_s(one: int, two: int, rows_one: int, rows_two: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    table = [[one, rows_one - one], [two, rows_two - two]]
    tails = [stats.fisher_exact(table, side).pvalue for side in ("less", "greater")]
    assert fisher(one, two, rows_one, rows_two) == pytest.approx(min(1, 2 * min(tails)))


def test_kolmogorov_s_test_is_scipy_s() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    one, two = np.sort(rng.normal(size=400)), np.sort(rng.normal(0.2, 1, size=300))
    wanted = stats.ks_2samp(one, two, method="asymp")
    distance, tail = kolmogorov(one, two)
    assert distance == pytest.approx(wanted.statistic)
    assert tail == pytest.approx(wanted.pvalue, rel=0.2)  # scipy corrects for the size
