"""Exact answers of affine models: the closed form is the truth, proofs are sound, and counterexamples break the model itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pytest_mlrepro import L1, L2, Linf, assert_robust
from pytest_mlrepro.robustness.exact.linear import lowest
from pytest_mlrepro.robustness.robust import check_robust

NUMBERS = st.floats(-3, 3, width=32)
VECTORS = arrays(np.float64, 4, elements=NUMBERS)


def length(change, norm: str):
    return {"linf": np.abs(change).max(1), "l2": np.sqrt((change**2).sum(1)), "l1": np.abs(change).sum(1)}[norm]


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
@given(slope=VECTORS, x=VECTORS, epsilon=st.floats(0.01, 2), bounded=st.booleans())
def test_the_lowest_point_is_inside_and_no_other_is_lower(norm, slope, x, epsilon, bounded) -> None:
    bounds = (-3.0, 3.0) if bounded else None
    least, point = lowest(slope[None], x[None], norm, epsilon, bounds)
    assert length(point - x, norm)[0] <= epsilon * (1 + 1e-9)
    assert not bounded or (np.abs(point) <= 3).all()
    assert slope @ (point[0] - x) == pytest.approx(least[0], abs=1e-9)
    rng = np.random.default_rng(0)
    others = rng.normal(size=(400, 4))
    others *= (epsilon / length(others, norm))[:, None] * rng.random((400, 1)) ** 0.25
    if bounded:
        others = np.clip(x + others, -3, 3) - x
    assert (others @ slope).min() >= least[0] - 1e-9


@pytest.mark.parametrize("bounds", [None, (-1.0, 1.0)])
@pytest.mark.parametrize("norm", ["linf", "l1"])
def test_it_agrees_with_linear_programming(norm: str, bounds) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(1)
    for _ in range(40):
        slope, x, epsilon = rng.normal(size=5), rng.uniform(-1, 1, 5), rng.uniform(0.05, 1.5)
        least, _ = lowest(slope[None], x[None], norm, epsilon, bounds)
        low, high = (-np.inf, np.inf) if bounds is None else bounds
        if norm == "linf":
            box = [(max(low - v, -epsilon), min(high - v, epsilon)) for v in x]
            found = optimize.linprog(slope, bounds=box).fun
        else:  # up and down parts
            up_down = np.concatenate([slope, -slope])
            box = [(0, high - v) for v in x] + [(0, v - low) for v in x]
            found = optimize.linprog(up_down, A_ub=np.ones((1, 10)), b_ub=[epsilon], bounds=box).fun
        assert least[0] == pytest.approx(found, abs=1e-7)


def models():
    linear = pytest.importorskip("sklearn.linear_model")
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler
    from sklearn.svm import LinearSVC

    return {
        "logistic": linear.LogisticRegression(max_iter=500),
        "scaled": make_pipeline(StandardScaler(), linear.LogisticRegression(max_iter=500)),
        "svm": make_pipeline(MinMaxScaler(), LinearSVC()),
        "ridge": linear.RidgeClassifier(),
        "lda": LinearDiscriminantAnalysis(),
        "sgd": make_pipeline(StandardScaler(), linear.SGDClassifier(random_state=0)),
        "perceptron": make_pipeline(StandardScaler(), linear.Perceptron(random_state=0)),
    }


@pytest.mark.parametrize("threat", [Linf(0.3), L2(0.5), L1(0.8), Linf(0.3, bounds=(0, 8))], ids=str)
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("name", ["logistic", "scaled", "svm", "ridge", "lda", "sgd", "perceptron"])
def test_every_sample_is_decided_and_attacks_agree(name: str, binary: bool, threat) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_iris(return_X_y=True)
    x, y = (x[50:], y[50:]) if binary else (x, y)
    model = models()[name].fit(x, y)
    report = check_robust(model, x, y, threat, min_accuracy=0.01, complete=True)
    assert report.robust_accuracy == report.proved
    assert set(report.statuses) <= {"misclassified", "broken", "proved"}
    attacked = check_robust(model, x[::5], y[::5], threat, min_accuracy=0.01, complete=True, exact=None, attacks="fast")
    whole = np.array(report.statuses)[::5]
    for exact, found in zip(whole, attacked.statuses, strict=True):
        assert not (exact == "proved" and found == "broken")
    for example in report.counterexamples:
        assert model.predict(example.form.restore(example.perturbed[None]))[0] != y[example.index]


def test_the_verdict_is_exact_and_cheap() -> None:
    datasets, linear = pytest.importorskip("sklearn.datasets"), pytest.importorskip("sklearn.linear_model")
    x, y = datasets.load_digits(return_X_y=True)
    x = x / 16
    model = linear.LogisticRegression(max_iter=300).fit(x[:1000], y[:1000])
    report = assert_robust(model, x[1000:], y[1000:], Linf(0.005, bounds=(0, 1)), min_accuracy=0.7)
    assert report.verdict == "passed (exact)"
    assert report.evaluations < 4 * len(x[1000:])
    failed = check_robust(model, x[1000:], y[1000:], Linf(0.1, bounds=(0, 1)), min_accuracy=0.7, complete=True)
    assert failed.verdict == "failed"
    assert failed.robust_accuracy == failed.proved


def test_a_stack_of_linear_layers_is_exact_and_one_with_a_kink_is_attacked() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x, y = torch.randn(60, 6), None
    straight = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Dropout(), torch.nn.Linear(5, 3)).eval()
    y = straight(x).argmax(1)
    report = check_robust(straight, x, y, L2(0.2), min_accuracy=0.1, complete=True)
    assert report.robust_accuracy == report.proved
    bent = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)).eval()
    report = check_robust(bent, x, bent(x).argmax(1), L2(0.2), min_accuracy=0.1)
    assert report.proved == 0


def test_a_model_of_somebody_s_own_is_not_taken_for_what_it_inherits() -> None:
    linear = pytest.importorskip("sklearn.linear_model")

    class Cautious(linear.LogisticRegression):
        def predict(self, x):
            return np.zeros(len(x), int)

    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    model = Cautious().fit(x, (x.sum(1) > 0).astype(int))
    report = check_robust(model, x, np.zeros(60, int), Linf(0.1), min_accuracy=0.5, complete=True, attacks="fast")
    assert report.proved == 0
    assert report.robust_accuracy == 1
