"""Models that are only asked: scikit-learn on arrays and frames, and plain callables."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from pytest_mlrepro import L0, L2, Linf, UsageError, assert_robust
from pytest_mlrepro.robustness.robust import check_robust

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])


def closed_form(weights, bias, x, y, epsilon):
    """Return the robust accuracy of a linear classifier of several classes under Linf without bounds, exactly."""
    scores = x @ weights.T + bias
    stands = np.ones(len(x), bool)
    for other in range(len(weights)):
        change = epsilon * np.abs(weights[y] - weights[other]).sum(1)
        stands &= (y == other) | (scores[np.arange(len(x)), y] - scores[:, other] > change)
    return stands.mean()


@pytest.mark.parametrize("epsilon", [0.1, 0.3])
def test_a_linear_model_comes_within_a_point_of_the_exact_value(epsilon):
    model = LogisticRegression(max_iter=1000).fit(X, Y)
    exact = closed_form(model.coef_, model.intercept_, X, Y, epsilon)
    report = check_robust(model, X, Y, Linf(epsilon), min_accuracy=0.01)
    assert exact <= report.robust_accuracy <= exact + 0.01


@pytest.mark.parametrize(
    "model",
    [SVC(), SVC(decision_function_shape="ovo"), LinearSVC(), RandomForestClassifier(20, random_state=0)],
    ids=lambda model: type(model).__name__,
)
def test_every_kind_of_score_serves(model):
    pipeline = make_pipeline(StandardScaler(), model).fit(X, NAMES[Y])
    report = check_robust(pipeline, X, NAMES[Y], Linf(0.6), min_accuracy=0.01, attacks="fast")
    assert report.clean_accuracy == pipeline.score(X, NAMES[Y])
    assert report.robust_accuracy < 0.9
    for example in report.counterexamples:
        assert (
            pipeline.predict(example.perturbed[None])[0]
            == example.predicted
            != example.label
            == NAMES[Y[example.index]]
        )


def test_two_classes_and_labels_that_are_strings():
    x, y = load_breast_cancer(return_X_y=True)
    labels = np.array(["bad", "good"])[y]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, labels)
    report = check_robust(model, x[:100], labels[:100], L2(5.0), min_accuracy=0.01, attacks="fast")
    assert {example.predicted for example in report.counterexamples} <= {"bad", "good"}
    assert report.robust_accuracy < report.clean_accuracy


def test_a_tuned_threshold_is_respected():
    x, y = load_breast_cancer(return_X_y=True)
    base = make_pipeline(StandardScaler(), LogisticRegression())
    model = FixedThresholdClassifier(base, threshold=0.99).fit(x, y)
    report = check_robust(model, x[:60], y[:60], L2(5.0), min_accuracy=0.01)
    assert report.reading == "labels without scores"
    assert report.clean_accuracy == model.score(x[:60], y[:60])
    for example in report.counterexamples:
        assert model.predict(example.perturbed[None])[0] != example.label


def test_names_and_dtypes_reach_the_model():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = pandas.DataFrame(X, columns=list("abcd")).astype({"b": np.float32})
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, Y)
    seen = []

    def predict_proba(rows):
        seen.append((type(rows), dict(zip(rows.columns, map(str, rows.dtypes), strict=True))))
        table = rows if isinstance(rows, pandas.DataFrame) else pandas.DataFrame(rows.to_dict(as_series=False))
        return model.predict_proba(table)

    plain = check_robust(model, frame, Y, Linf(0.3), min_accuracy=0.01, attacks="fast")
    again = check_robust(predict_proba, frame, Y, Linf(0.3), min_accuracy=0.01, attacks="fast")
    assert set(map(str, seen)) == {
        str((pandas.DataFrame, {"a": "float64", "b": "float32", "c": "float64", "d": "float64"}))
    }
    assert plain.robust_accuracy == pytest.approx(again.robust_accuracy, abs=0.02)
    seen.clear()
    check_robust(
        predict_proba,
        polars.from_dict(frame.to_dict("list")),
        polars.Series(Y),
        Linf(0.3),
        min_accuracy=0.01,
        attacks="fast",
    )
    assert {kind for kind, _ in seen} == {polars.DataFrame}


def test_a_callable_that_gives_labels_only():
    model = LogisticRegression(max_iter=1000).fit(X, Y)
    exact = closed_form(model.coef_, model.intercept_, X, Y, 0.3)
    report = check_robust(lambda rows: NAMES[model.predict(rows)], X, NAMES[Y], Linf(0.3), min_accuracy=0.01)
    assert report.reading == "labels without scores"
    assert exact <= report.robust_accuracy <= exact + 0.03


def test_few_elements_may_change():
    model = LogisticRegression(max_iter=1000).fit(X, Y)
    report = check_robust(model, X, Y, L0(1, bounds=(0, 8)), min_accuracy=0.01)
    assert 0 < report.robust_accuracy < 0.9
    assert all(example.changed == 1 for example in report.counterexamples)


def test_regression_of_a_black_box():
    model = LinearRegression().fit(X[:, :3], X[:, 3])
    exact = 0.1 * np.abs(model.coef_).sum()
    report = check_robust(model, X[:, :3], None, Linf(0.1), max_change=exact * 0.99)
    assert report.verdict == "failed"
    assert assert_robust(model, X[:, :3], None, Linf(0.1), max_change=exact * 1.01).largest_change == pytest.approx(
        exact, rel=0.01
    )
    with pytest.raises(UsageError, match=r"LinearRegression is a regressor: .*max_change"):
        assert_robust(model, X[:, :3], Y, Linf(0.1), min_accuracy=0.5)


def test_a_random_model_is_unreliable():
    rng = np.random.default_rng(0)
    model = LogisticRegression(max_iter=1000).fit(X, Y)
    report = check_robust(
        lambda rows: model.predict_proba(rows + rng.normal(0, 0.3, rows.shape)), X, Y, Linf(0.1), min_accuracy=0.1
    )
    assert report.verdict == "unreliable"
    assert report.signs[0].name == "randomised"
    assert not report.stages


def test_the_same_result_in_any_order_and_batch():
    model = RandomForestClassifier(10, random_state=0).fit(X, Y)
    order = np.random.default_rng(0).permutation(len(X))
    plain = check_robust(model, X, Y, Linf(0.3), min_accuracy=0.01, attacks="fast", complete=True)
    other = check_robust(
        model, X[order], Y[order], Linf(0.3), min_accuracy=0.01, attacks="fast", batch_size=11, complete=True
    )
    assert [other.statuses[i] for i in np.argsort(order)] == list(plain.statuses)


class Proofs:
    """Closed form of a linear model of several classes under Linf without bounds, as an exact method gives it."""

    evaluations = 0

    def __init__(self, model, x, labels, epsilon):
        places = np.searchsorted(model.classes_, labels)
        own = model.coef_[places][:, None] - model.coef_[None]
        scores = x @ model.coef_.T + model.intercept_
        margins = scores[np.arange(len(x)), places][:, None] - scores - epsilon * np.abs(own).sum(2)
        margins[np.arange(len(x)), places] = np.inf
        self.proved, self.broken = (margins > 1e-9).all(1), (margins < -1e-9).any(1)
        worst = own[np.arange(len(x)), margins.argmin(1)]
        self.counterexamples = x - epsilon * np.sign(worst)


def exact(model, inputs, labels, *, norm, epsilon, bounds, seconds_per_sample, form, goal):
    return Proofs(model, inputs, labels, epsilon) if norm == "linf" and bounds is None else None


def test_exact_answers_come_before_attacks():
    model = LogisticRegression(max_iter=1000).fit(X, NAMES[Y])
    truth = closed_form(model.coef_, model.intercept_, X, Y, 0.3)
    passed = check_robust(model, X, NAMES[Y], Linf(0.3), min_accuracy=truth - 0.05, exact=exact)
    assert passed.verdict == "passed (exact)"
    assert passed.proved == pytest.approx(truth)
    assert not passed.stages
    assert "proved" in passed.lines()[0]
    failed = check_robust(model, X, NAMES[Y], Linf(0.3), min_accuracy=truth + 0.05, exact=exact)
    assert failed.verdict == "failed"
    assert failed.proved == pytest.approx(truth) == pytest.approx(failed.robust_accuracy)
    for example in failed.counterexamples:
        assert model.predict(example.perturbed[None])[0] == example.predicted != example.label
    sampled = check_robust(model, X, NAMES[Y], Linf(0.3), min_accuracy=truth - 0.3, confidence=0.95, exact=exact)
    assert sampled.verdict == "passed (exact)"


def test_counterexamples_of_an_exact_method_are_checked():
    def liar(model, inputs, labels, **options):
        proofs = Proofs(model, inputs, labels, 0.3)
        proofs.broken, proofs.proved = np.ones(len(inputs), bool), np.zeros(len(inputs), bool)
        proofs.counterexamples = inputs + 0.001
        return proofs

    model = LogisticRegression(max_iter=1000).fit(X, Y)
    report = check_robust(model, X, Y, Linf(0.3), min_accuracy=0.01, exact=liar, complete=True)
    assert report.robust_accuracy == pytest.approx(closed_form(model.coef_, model.intercept_, X, Y, 0.3), abs=0.01)


def test_a_method_without_an_answer_leaves_it_to_the_attacks():
    model = LogisticRegression(max_iter=1000).fit(X, Y)
    report = check_robust(model, X, Y, L2(0.3), min_accuracy=0.5, exact=exact, attacks="fast")
    assert report.verdict == "passed (up to these attacks)"
