"""Tables attacked as they are: every candidate is allowed, fragile models fall, honest ones stand, and the truth is met."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro import Tabular, UsageError, assert_robust, strategies
from pytest_mlrepro.robustness.attacks.base import Batch
from pytest_mlrepro.robustness.attacks.table import Cells, Chance, Steps
from pytest_mlrepro.robustness.generators import keys_of
from pytest_mlrepro.robustness.goal import Goal
from pytest_mlrepro.robustness.models import Meter, opened
from pytest_mlrepro.robustness.outputs import Reading
from pytest_mlrepro.robustness.report import by_size
from pytest_mlrepro.robustness.robust import check_robust
from pytest_mlrepro.robustness.shown import shown
from pytest_mlrepro.robustness.spaces import space_of
from pytest_mlrepro.robustness.tables import read_table

pandas = pytest.importorskip("pandas")
CITY = {"a": 0.0, "b": 1.0, "c": -1.0}


def people(rows: int = 120):
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {
            "age": rng.integers(18, 80, rows),
            "income": rng.normal(3.0, 1.0, rows),
            "debt": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(0.0, 1.0, rows)),
            "city": rng.choice(list("abc"), rows),
            "sex": pandas.Categorical(rng.choice(["f", "m"], rows)),
            "member": rng.random(rows) < 0.5,
        }
    )
    return frame, (score(frame) > 0).astype(int)


def score(frame) -> np.ndarray:
    """A model that is linear in everything, of which the worst case is known."""
    return (
        (frame["age"].to_numpy() - 50) / 20 + frame["income"].to_numpy() - 3
        - frame["debt"].fillna(0).to_numpy() * 0.5 + frame["city"].map(CITY).astype(float).to_numpy() * 0.7
        + frame["member"].to_numpy() * 0.3
    )  # fmt: skip


class Linear:
    classes_ = np.array([0, 1])

    def predict_proba(self, frame):
        positive = 1 / (1 + np.exp(-score(frame)))
        return np.stack([1 - positive, positive], axis=1)

    def predict(self, frame):
        return (score(frame) > 0).astype(int)


def truth(frame, labels, noise: float) -> float:
    """The robust accuracy under noise, one swap and one missing cell: the best of all swaps with the worst numbers."""
    sign = np.where(labels == 1, 1.0, -1.0)
    margin, spread = sign * score(frame), {name: frame[name].std(ddof=0) for name in ("age", "income", "debt")}
    numbers = {}
    for name, weight in (("age", 1 / 20), ("income", 1.0), ("debt", -0.5)):
        held = frame[name].to_numpy(float)
        low = np.maximum(held - noise * spread[name], np.nanmin(held))
        high = np.minimum(held + noise * spread[name], np.nanmax(held))
        low, high = (np.ceil(low), np.floor(high)) if name == "age" else (low, high)
        way = sign * weight
        numbers[name] = np.nan_to_num(np.where(way > 0, weight * (held - low) * sign, weight * (held - high) * sign))
    swaps = np.zeros(len(frame))
    own = frame["city"].map(CITY).astype(float).to_numpy()
    swaps = np.maximum(swaps, np.max([sign * 0.7 * (own - other) for other in CITY.values()], axis=0))
    swaps = np.maximum(swaps, sign * 0.3 * np.where(frame["member"], 1.0, -1.0))
    gone = np.nan_to_num(sign * -0.5 * frame["debt"].to_numpy()) - numbers["debt"]
    worst = margin - sum(numbers.values()) - swaps - np.maximum(gone, 0)
    return float((worst > 0).mean())


def test_it_finds_what_is_known_of_a_linear_model() -> None:
    frame, labels = people()
    for noise in (0.05, 0.2):
        report = check_robust(
            Linear(), frame, labels, Tabular(noise, categorical=1, missing=1, immutable=["sex"]), min_accuracy=0.01,
            complete=True,
        )  # fmt: skip
        assert report.robust_accuracy == pytest.approx(truth(frame, labels, noise), abs=0.01)
        for example in report.counterexamples:
            row = example.form.restore(example.perturbed[None])
            assert [str(dtype) for dtype in row.dtypes] == [str(dtype) for dtype in frame.dtypes]
            assert Linear().predict(row)[0] != labels[example.index]
            old = frame.iloc[example.index]
            assert row["sex"].iloc[0] == old["sex"]
            assert (row["city"].iloc[0] != old["city"]) + (row["member"].iloc[0] != old["member"]) <= 1
            assert abs(row["age"].iloc[0] - old["age"]) <= noise * frame["age"].std(ddof=0)


def test_an_immutable_column_that_decides_makes_a_robust_model() -> None:
    frame, _ = people()

    def by_sex(rows):
        return (rows["sex"] == "f").to_numpy().astype(int)

    threat = Tabular(0.5, categorical=2, missing=1, immutable=["sex"])
    assert assert_robust(by_sex, frame, by_sex(frame), threat, min_accuracy=1.0).passed
    with pytest.raises(AssertionError, match="robust accuracy is at most"):
        assert_robust(by_sex, frame, by_sex(frame), Tabular(0.5, categorical=1), min_accuracy=0.5)


def test_few_choices_are_all_tried_and_proved() -> None:
    frame = pandas.DataFrame({"a": [0, 1, 2, 3] * 5, "b": list("xyzx") * 5})

    def model(rows):
        return ((rows["a"] == 2) & (rows["b"] == "x")).to_numpy().astype(int)

    report = check_robust(
        model, frame, model(frame), Tabular({"a": 1.0}, categorical=1), min_accuracy=0.01, complete=True
    )
    spread = frame["a"].std(ddof=0)
    for at, status in enumerate(report.statuses):
        near = [value for value in range(4) if abs(value - frame["a"][at]) <= spread]
        around = pandas.DataFrame(itertools.product(near, "xyz"), columns=["a", "b"])
        stands = (model(around) == model(frame)[at]).all()
        assert status == ("proved" if stands else "broken")


def test_the_words_show_cells_before_and_after() -> None:
    frame, labels = people()
    with pytest.raises(AssertionError) as caught:
        assert_robust(Linear(), frame, labels, Tabular(0.2, categorical=1), min_accuracy=0.99)
    assert "of 6 cells changed" in str(caught.value)
    report = check_robust(Linear(), frame, labels, Tabular(0.2), min_accuracy=0.99, complete=True)
    lines = "\n".join(shown(by_size(report.counterexamples)[0]))
    assert "standard deviations" in lines
    assert "before" in lines


@pytest.mark.parametrize("kind", ["polars", "numpy", "objects", "torch"])
def test_other_kinds_of_tables(kind: str) -> None:
    frame, labels = people()
    if kind == "polars":
        polars = pytest.importorskip("polars")
        table = polars.from_pandas(frame)
        seen = table.schema

        def model(rows):
            assert rows.schema == seen
            return Linear().predict_proba(rows.to_pandas())

        threat = Tabular(0.2, categorical=1, missing=1)
    elif kind == "objects":
        table = frame.astype(object).to_numpy()

        def model(rows):
            assert rows.dtype == object
            return Linear().predict_proba(
                pandas.DataFrame(rows, columns=frame.columns).astype(
                    {"debt": float, "age": float, "income": float, "member": bool}
                )
            )

        threat = Tabular(0.2, categorical=1)
    else:
        table = frame[["age", "income"]].to_numpy(float)
        labels = (table[:, 1] > 3).astype(int)
        threat = Tabular({1: 0.2})

        def model(rows):
            return np.stack([3 - np.asarray(rows)[:, 1], np.asarray(rows)[:, 1] - 3], axis=1)

        if kind == "torch":
            torch = pytest.importorskip("torch")
            table = torch.from_numpy(table)
    report = check_robust(model, table, labels, threat, min_accuracy=0.01, complete=True)
    assert 0.3 < report.robust_accuracy < 1.0
    for example in report.counterexamples[:5]:
        assert np.asarray(model(example.form.restore(example.perturbed[None]))).argmax(1)[0] != labels[example.index]


def test_a_regression_of_a_table() -> None:
    frame, _ = people()
    report = check_robust(score, frame, None, Tabular(0.2, categorical=1), max_change=10.0)
    assert report.passed
    assert 0.5 < report.largest_change < 3
    assert check_robust(score, frame, None, Tabular(0.2, categorical=1), max_change=0.5).verdict == "failed"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100), noise=st.floats(0, 2), swaps=st.integers(0, 3), gone=st.integers(0, 2))
def test_every_candidate_of_every_search_is_allowed(seed: int, noise: float, swaps: int, gone: int) -> None:
    frame, labels = people(30)
    rows = frame.sample(6, random_state=seed)
    threat = Tabular(max(noise, 0.01), categorical=swaps, missing=gone, immutable=["member"], reference=frame)
    table, form = read_table(rows)
    space = space_of(threat, table, form)
    with opened(Linear(), form, table, regression=False) as (face, _):
        from dataclasses import replace

        known = replace(face, reading=Reading("probabilities", (0, 1)))
        batch = Batch(table, Goal(labels[:6].astype(np.int64)), keys_of(table, labels[:6], seed))
        for search in (Cells(), Steps(), Steps(between=2, starts=2), Chance(60)):
            found = search(Meter(known), batch, space)
            assert space.contains(found, table).all(), search.label


def test_a_row_s_result_does_not_depend_on_its_batch_or_place() -> None:
    frame, labels = people(60)
    threat = Tabular(0.1, categorical=1, reference=frame)

    def statuses(rows, named, size):
        report = check_robust(Linear(), rows, named, threat, min_accuracy=0.01, complete=True, batch_size=size)
        found = {example.index: example.found.tobytes() for example in report.counterexamples}
        return [(status, found.get(at)) for at, status in enumerate(report.statuses)]

    whole = statuses(frame, labels, 128)
    assert statuses(frame, labels, 7) == whole
    order = np.random.default_rng(0).permutation(60)
    shuffled = statuses(frame.iloc[order], labels[order], 128)
    # codes of categories follow the order in which they are met, so only what became of each row is compared
    assert [shuffled[place][0] for place in np.argsort(order)] == [status for status, _ in whole]


def test_hypothesis_draws_rows_of_a_table() -> None:
    frame, _ = people(20)
    threat = Tabular(0.3, categorical=1, missing=1, immutable=["sex"])

    @settings(max_examples=80, deadline=None)
    @given(strategies.rows(frame, threat))
    def allowed(row) -> None:
        assert [str(dtype) for dtype in row.dtypes] == [str(dtype) for dtype in frame.dtypes]
        same = (frame["sex"] == row["sex"].iloc[0]) & ((frame["income"] - row["income"].iloc[0]).abs() <= 0.31)
        assert same.any()

    allowed()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Tabular(0), "nothing may change"),
        (lambda: Tabular(-1), "standard deviations from 0 on"),
        (lambda: Tabular(0.1, categorical=1.5), "whole number of cells"),
        (lambda: Tabular(0.1, immutable="sex"), "a list of columns"),
        (lambda: Tabular(0.1, missing_in=["debt"]), "missing=1"),
        (lambda: Tabular(0.1, immutable=["height"]), "no column 'height'"),
        (lambda: Tabular({"height": 1}), "no column 'height'"),
        (lambda: Tabular(0.1, reference=people()[0].drop(columns="age")), "no column 'age'"),
        (lambda: Tabular(0.1, reference=people()[0].assign(age="old")), "column 'age' is"),
        (lambda: Tabular(0.1, missing=1, missing_in=["age"]), "has no missing value"),
        (lambda: Tabular(0.1, bounds={"age": (9, 3)}), "in order"),
        (lambda: Tabular({"age": 0.1}, immutable=["age"]), "lets nothing of this table change"),
    ],
)
def test_bad_input_is_named(make, words: str) -> None:
    frame, labels = people()
    with pytest.raises(UsageError, match=words):
        check_robust(Linear(), frame, labels, make(), min_accuracy=0.5)


def test_tables_that_make_no_sense_are_named() -> None:
    frame, labels = people()
    twice = frame.set_axis(["age", "age", *frame.columns[2:]], axis=1)
    for table, words in ((twice, "two columns"), (frame[:0], "no rows"), (frame.assign(debt=np.inf), "infinity")):
        with pytest.raises(UsageError, match=words):
            check_robust(Linear(), table, labels[: len(table)], Tabular(0.1), min_accuracy=0.5)


def test_the_reference_gives_spread_range_and_categories() -> None:
    frame, labels = people()
    wide = frame.assign(income=frame["income"] * 5)
    near = check_robust(Linear(), frame, labels, Tabular(0.1), min_accuracy=0.01, complete=True)
    far = check_robust(Linear(), frame, labels, Tabular(0.1, reference=wide), min_accuracy=0.01, complete=True)
    assert far.robust_accuracy < near.robust_accuracy
    held = check_robust(
        Linear(),
        frame,
        labels,
        Tabular(9.0, bounds={"income": (2.9, 3.1), "age": (49, 51)}),
        min_accuracy=0.01,
        complete=True,
    )
    for example in held.counterexamples:
        row, old = example.form.restore(example.perturbed[None]).iloc[0], frame.iloc[example.index]
        for name, low, high in (("income", 2.9, 3.1), ("age", 49, 51)):
            assert min(low, old[name]) - 1e-9 <= row[name] <= max(high, old[name]) + 1e-9
