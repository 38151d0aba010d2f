"""Combinations that are planted into real data are found and explained, and tables without any are left alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("narwhals")
datasets = pytest.importorskip("sklearn.datasets")
from sklearn.model_selection import train_test_split  # noqa: E402

from pytest_mlrepro import UsageError, assert_no_anomalies, find_anomalies, find_label_errors, fit_anomalies  # noqa: E402
from pytest_mlrepro.contracts.tails import beta_binomial_tail  # noqa: E402

from .split_frames import engines  # noqa: E402


def split(name: str, seed: int = 0) -> tuple[Any, Any]:
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    if name != "diabetes":
        frame = frame.assign(target=frame["target"].map("class {}".format))
    parts = train_test_split(frame, test_size=0.3, random_state=seed)
    return tuple(part.reset_index(drop=True) for part in parts)  # type: ignore[return-value]


def flipped(frame: Any, column: str, rows: int) -> Any:
    """Return a frame whose first rows have a column's value from the other end of its range."""
    low, high = frame[column].quantile([0.1, 0.9])
    flip = np.where(frame[column] > frame[column].median(), low, high)
    return frame.assign(**{column: np.where(np.arange(len(frame)) < rows, flip, frame[column])})


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits"])
def test_rows_like_the_reference_are_left_alone(name: str) -> None:
    rates, alarms = [], 0
    for seed in range(4):
        reference, frame = split(name, seed)
        report = find_anomalies(frame, fit_anomalies(reference))
        rates.append(len(report.found) / report.rows)
        alarms += bool(report.findings)
    assert alarms <= 1  # the rate is 1 %, and these splits hang together
    assert np.mean(rates) <= 0.05


@pytest.mark.parametrize(("name", "column"), [("iris", "petal length (cm)"), ("breast_cancer", "mean perimeter")])
def test_a_value_that_does_not_go_with_the_others_is_named(name: str, column: str) -> None:
    reference, frame = split(name)
    planted = flipped(frame, column, 12)
    assert planted[column][:12].between(reference[column].min(), reference[column].max()).all()
    report = find_anomalies(planted, fit_anomalies(reference))
    found = [anomaly for anomaly in report.found if anomaly.row < 12]
    assert len(found) >= 6
    assert sum(anomaly.reasons[0].column == column for anomaly in found) >= len(found) / 2
    (finding,) = report.findings
    assert finding.count == len(report.found)


def test_a_combination_on_a_curve_is_found() -> None:
    rng = np.random.default_rng(0)
    code = rng.integers(0, 2, (2_000, 2))
    data = np.column_stack([code, code[:, 0] ^ code[:, 1]]) * 4.0 + rng.normal(0, 0.4, (2_000, 3))
    frame = data[1_000:].copy()
    frame[:20, 2] = 4.0 - frame[:20, 2]
    report = find_anomalies(frame, fit_anomalies(data[:1_000]))
    assert sum(anomaly.row < 20 for anomaly in report.found) >= 19
    reasons = [anomaly.reasons[0] for anomaly in report.found if anomaly.row < 20]
    off = [abs(float(reason.expected.removeprefix("about ")) - (4 - float(reason.value))) for reason in reasons]
    assert np.median(off) < 1  # the other value of whichever of the three columns
    assert max(off) < 2
    assert len(report.findings) == 1


def test_a_category_that_does_not_go_with_the_numbers_is_named() -> None:
    reference, frame = split("iris")
    frame.loc[:7, "target"] = frame.loc[:7, "target"].map(
        {"class 0": "class 2", "class 1": "class 0", "class 2": "class 0"}
    )
    with pytest.raises(AssertionError, match=r"far from the reference in combination") as caught:
        assert_no_anomalies(frame, reference)
    assert "target is 'class 0' where 'class" in str(caught.value)
    assert "goes with the other columns" in str(caught.value)


def test_unseen_categories_and_values_out_of_range_are_said() -> None:
    reference, frame = split("iris")
    frame.loc[0, "target"] = "class 9"
    frame.loc[1, "sepal width (cm)"] = 90.0
    words = {anomaly.row: str(anomaly) for anomaly in find_anomalies(frame, fit_anomalies(reference)).found}
    assert "sepal width (cm) is 90 where 2" in words[1]
    if 0 in words:
        assert "target is 'class 9', which no row of the reference has" in words[0]


@pytest.mark.parametrize("engine", engines())
def test_engines_and_orders_of_rows_agree(engine: str) -> None:
    reference, frame = split("breast_cancer")
    frame = flipped(frame, "mean perimeter", 5)
    wanted = find_anomalies(frame, fit_anomalies(reference))
    as_engine = engines()[engine]
    shuffled = reference.sample(frac=1, random_state=3)
    model = fit_anomalies(as_engine(shuffled))
    assert model.threshold == fit_anomalies(reference).threshold
    report = find_anomalies(as_engine(frame), model)
    assert [anomaly.row for anomaly in report.found] == [anomaly.row for anomaly in wanted.found]
    assert [list(map(str, anomaly.reasons)) for anomaly in report.found] == [
        list(map(str, anomaly.reasons)) for anomaly in wanted.found
    ]


def test_what_takes_no_part_is_said_with_its_reason() -> None:
    reference, _ = split("digits")
    reference = reference.assign(name=[f"n{at}" for at in range(len(reference))], at=pd.Timestamp("2024-01-01"))
    left_out = fit_anomalies(reference).left_out
    assert left_out["pixel_0_0"] == "a single value"
    assert left_out["name"].endswith("categories, more than 50")
    assert left_out["at"] == "times"


def test_the_table_s_verdict_is_a_binomial_test_that_knows_the_threshold_is_estimated() -> None:
    exact = sum(math.comb(20, k) * 0.1**k * 0.9 ** (20 - k) for k in range(5, 21))
    assert beta_binomial_tail(5, 20, 1e6, 9e6) == pytest.approx(exact, rel=1e-3)
    assert beta_binomial_tail(5, 20, 1, 9) > 3 * exact
    assert beta_binomial_tail(0, 20, 1, 9) == 1.0


def test_a_table_takes_half_as_many_again_whatever_its_size() -> None:
    rng = np.random.default_rng(0)
    model = fit_anomalies(rng.normal(size=(1_000, 2)), false_alarms=0.1)
    report = find_anomalies(rng.normal(size=(60_000, 2)) * 1.05, model)
    assert len(report.found) < 1.5 * report.expected
    assert report.findings == []
    assert find_anomalies(rng.normal(size=(60_000, 2)) * 1.5, model).findings != []


WRONG = {
    "too few rows": (lambda: fit_anomalies(np.ones((30, 2))), "takes 100 rows or more, the reference has 30"),
    "a rate of 0": (lambda: fit_anomalies(np.ones((30, 2)), false_alarms=0), "between 0 and 0.5, got 0"),
    "one column": (
        lambda: fit_anomalies(np.column_stack([np.arange(200.0), np.ones(200)])), r"left out are '1' \(a single value\)"
    ),
    "an unknown column to ignore": (lambda: fit_anomalies(np.ones((200, 2)), ignore=["q"]), "ignore names 'q'"),
    "a missing column": (
        lambda: find_anomalies(pd.DataFrame({"a": [1.0]}), fit_anomalies(_table())), "the frame has no column 'b'"
    ),
    "another type": (
        lambda: find_anomalies(pd.DataFrame({"a": ["x"], "b": [1.0]}), fit_anomalies(_table())), "'a' holds texts, .* numbers"
    ),
}  # fmt: skip


def _table() -> Any:
    return pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=["a", "b"])


@pytest.mark.parametrize("what", WRONG)
def test_what_can_t_be_right_is_said(what: str) -> None:
    call, words = WRONG[what]
    with pytest.raises(UsageError, match=words):
        call()


@pytest.mark.parametrize("own", [False, True])
def test_flipped_labels_are_suspected(own: bool) -> None:
    pytest.importorskip("cleanlab")
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    frame = datasets.load_wine(as_frame=True).frame
    rows = np.array([3, 50, 77, 120, 170])
    frame.loc[rows, "target"] = (frame.loc[rows, "target"] + 1) % 3
    model = make_pipeline(StandardScaler(), LogisticRegression()) if own else None
    errors = find_label_errors(frame, "target", model=model)
    assert set(rows.tolist()) <= {error.row for error in errors[:7]}
    assert errors[0].given != errors[0].suggested
    assert [error.confidence for error in errors] == sorted(error.confidence for error in errors)
    assert len(errors) <= 12
    same = find_label_errors(frame.drop(columns="target"), frame["target"].to_numpy(), model=model)
    assert [error.row for error in same] == [error.row for error in errors]


def test_labels_that_can_t_be_right_are_refused() -> None:
    pytest.importorskip("cleanlab")
    data = np.random.default_rng(0).normal(size=(40, 2))
    for labels, words in (
        (np.zeros(40), "a single class"),
        (np.arange(40) % 40 * 1.5, "a quantity"),
        (np.repeat([0, 1], [38, 2]), "class 1 of 'label' has 2 rows, 5 or more"),
        (np.where(np.arange(40) < 2, np.nan, np.arange(40) % 2), "null in 2 rows: rows 0, 1"),
        (np.zeros(3), r"of shape \(40,\), got shape \(3,\)"),
        ("q", "labels='q' is no column"),
    ):
        with pytest.raises(UsageError, match=words):
            find_label_errors(data, labels)
