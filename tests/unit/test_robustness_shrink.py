"""Counterexamples are shrunk: to the elements that matter, then to the shortest way, and still hold for the model."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlrepro import L0, L1, L2, Linf
from pytest_mlrepro.robustness.report import by_size
from pytest_mlrepro.robustness.robust import check_robust

pytest.importorskip("foolbox")


class Alone:
    """Looks at one element of twenty; the others are noise."""

    classes_ = np.array([0, 1])

    def predict(self, x):
        return (x[:, 7] > 0).astype(int)

    def predict_proba(self, x):
        positive = 1 / (1 + np.exp(-20 * x[:, 7]))
        return np.stack([1 - positive, positive], axis=1)


def samples():
    return np.random.default_rng(0).normal(size=(50, 20))


def nearest(report):
    return by_size(report.counterexamples)[:3]


def test_one_element_that_decides_is_all_that_is_changed() -> None:
    x = samples()
    report = check_robust(Alone(), x, Alone().predict(x), Linf(0.5), min_accuracy=0.9, complete=True)
    assert report.verdict == "failed"
    for example in nearest(report):
        assert np.flatnonzero(example.perturbed != example.original).tolist() == [7]
        assert example.changed == 1
        assert example.distance <= abs(example.original[7]) + 0.5 / 64, "the shortest way, to a part in 64"
        assert Alone().predict(example.perturbed[None])[0] != example.label


@pytest.mark.parametrize("threat", [Linf(0.4), L2(0.8), L1(2.0), L0(4, bounds=(0, 1))], ids=str)
def test_they_still_break_the_model_inside_the_ball(threat) -> None:
    pytest.importorskip("sklearn")
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    x, y = load_digits(return_X_y=True)
    x = x / 16
    model = LogisticRegression(max_iter=2000).fit(x[:1000], y[:1000])
    x, y = x[1000:1060], y[1000:1060]
    report = check_robust(model, x, y, threat, min_accuracy=0.99, complete=True)
    assert report.counterexamples
    for example in report.counterexamples:
        assert model.predict(example.perturbed[None])[0] == example.predicted != example.label
        assert threat.contains(example.perturbed[None], example.original[None]).all()
    assert min(example.changed for example in nearest(report)) < 30, "of 64, all of which an attack changes"


def test_it_is_the_same_each_time_and_counted() -> None:
    x = samples()
    first, second = (
        check_robust(Alone(), x, Alone().predict(x), Linf(0.5), min_accuracy=0.9, complete=True) for _ in range(2)
    )
    assert first.evaluations == second.evaluations
    for one, two in zip(first.counterexamples, second.counterexamples, strict=True):
        assert np.array_equal(one.perturbed, two.perturbed)


def test_a_change_of_a_regression_is_shrunk_too() -> None:
    x = samples()
    report = check_robust(
        lambda rows: 3 * rows[:, 7], x, None, Linf(0.5), max_change=0.3, min_accuracy=0.5, complete=True
    )
    for example in nearest(report):
        assert example.changed == 1
        assert 0.1 < example.distance <= 0.1 + 0.5 / 64


def test_a_model_that_refuses_what_is_tried_keeps_its_counterexample() -> None:
    x = np.abs(samples()) + 0.1

    def refuses(rows):
        if len({*np.count_nonzero(rows == rows[0], axis=1).tolist()} & {*range(1, 19)}):
            raise ValueError("half a change")
        return (rows.sum(1) > 18).astype(int)

    report = check_robust(refuses, x, (x.sum(1) > 18).astype(int), Linf(0.4), min_accuracy=0.99, attacks="fast")
    for example in report.counterexamples:
        assert refuses(example.perturbed[None])[0] != example.label


def test_the_words_say_how_small_it_is() -> None:
    x = samples()
    report = check_robust(Alone(), x, Alone().predict(x), Linf(0.5), min_accuracy=0.9, complete=True)
    told = str(report)
    assert "1 of 20 elements changed" in told
    assert ", shrunk)" in told
