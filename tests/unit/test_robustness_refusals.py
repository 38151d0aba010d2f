"""A model that raises on what is allowed has no answer there: never a pass, and never the end of the check."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlrepro import Corruption, Linf, Tabular, UsageError
from pytest_mlrepro.robustness.robust import check_robust

pandas = pytest.importorskip("pandas")
FRAME = pandas.DataFrame({"n": np.linspace(-1, 1, 40), "c": list("ab") * 20})
WIDER = pandas.concat([FRAME, FRAME.assign(c="z")])


def positive(frame) -> np.ndarray:
    return (frame["n"] > 0).to_numpy().astype(int)


class Strict:
    """Right about everything, but for a category and gaps that it refuses."""

    classes_ = np.array([0, 1])

    def predict_proba(self, frame):
        if not frame["c"].isin(["a", "b"]).all() or frame["n"].isna().any():
            raise ValueError("a row\nthat nobody has heard of")
        one = positive(frame)
        return np.stack([1 - one, one], axis=1).astype(float)

    def predict(self, frame):
        return self.predict_proba(frame).argmax(1)


@pytest.mark.parametrize("columns", [["c"], None], ids=["all rows listed", "searched"])
def test_an_unseen_category_breaks_exactly_the_samples_that_can_meet_it(columns: list[str] | None) -> None:
    threat = Tabular(0.01, categorical=1, reference=WIDER, columns=columns)
    report = check_robust(Strict(), FRAME, positive(FRAME), threat, min_accuracy=0.5, complete=True)
    assert {*report.statuses} == {"broken"}
    assert report.verdict == "failed"
    for example in report.counterexamples:
        assert example.predicted is None
        assert example.refusal == "ValueError: a row that nobody has heard of"
        with pytest.raises(ValueError, match="heard of"):
            Strict().predict(example.form.restore(example.perturbed[None]))
    assert "the model raises ValueError: a row that nobody has heard of, 1 of 2 cells changed" in str(report)


@pytest.mark.parametrize("kind", ["scores", "labels", "function"])
def test_a_corruption_that_the_model_refuses_is_no_exact_pass(kind: str) -> None:
    threat = Corruption("missing_cells", 5, columns=["n"])
    model = {
        "scores": Strict(),
        "labels": type("Labels", (), {"predict": Strict().predict})(),
        "function": Strict().predict,
    }[kind]
    report = check_robust(model, FRAME, positive(FRAME), threat, min_accuracy=0.9, complete=True)
    refused = [example for example in report.counterexamples if example.refusal]
    assert report.verdict == "failed"
    assert len(refused) == len(report.counterexamples) == report.statuses.count("broken")
    assert 5 < len(refused) < 35  # about two in five lose the cell; the others are not taken along with them
    assert all(np.isnan(example.perturbed[0]) for example in refused)


def test_a_regression_that_refuses() -> None:
    def model(frame):
        if frame["n"].isna().any():
            raise ValueError("no")
        return frame["n"].to_numpy()

    report = check_robust(
        model,
        FRAME,
        None,
        Corruption("missing_cells", 5, columns=["n"]),
        max_change=0.1,
        min_accuracy=0.9,
        complete=True,
    )
    assert report.verdict == "failed"
    assert report.counterexamples[0].refusal == "ValueError: no"
    assert report.largest_change == 0


def test_a_model_that_answers_with_nan_is_said_to_have() -> None:
    def model(frame):
        score = np.where(frame["n"].isna(), np.nan, frame["n"])
        return np.stack([-score, score], axis=1)

    report = check_robust(
        model, FRAME, positive(FRAME), Corruption("missing_cells", 5, columns=["n"]), min_accuracy=0.9, complete=True
    )
    assert report.counterexamples[0].predicted is None
    assert not report.counterexamples[0].refusal


def test_a_model_that_refuses_clean_samples_says_so_itself() -> None:
    with pytest.raises(ValueError, match="nobody"):
        check_robust(Strict(), WIDER, positive(WIDER), Tabular(0.1), min_accuracy=0.5)


def test_outputs_of_a_wrong_shape_are_still_an_error() -> None:
    def model(frame):
        return np.zeros(len(frame) if frame["c"].isin(["a", "b"]).all() else 1, int)

    with pytest.raises(UsageError, match="one row for each is expected"):
        check_robust(model, FRAME, np.zeros(40, int), Tabular(0.01, categorical=1, reference=WIDER), min_accuracy=0.5)


def test_balls_go_on_as_they_did() -> None:
    def model(x):
        if np.abs(x).max() > 1:
            raise ValueError("too far")
        return np.stack([-x[:, 0], x[:, 0]], axis=1)

    x = np.linspace(-1, 1, 20)[:, None]
    report = check_robust(model, x, (x[:, 0] > 0).astype(int), Linf(0.5), min_accuracy=0.9, complete=True)
    assert not any(example.refusal for example in report.counterexamples)
