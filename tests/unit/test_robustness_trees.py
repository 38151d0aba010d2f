"""Exact answers of trees: proofs are sound, counterexamples break the model itself, and small models are searched whole."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pytest_mlrepro import L1, L2, Linf, assert_robust
from pytest_mlrepro.robustness.robust import check_robust

pytest.importorskip("sklearn")


def models():
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
        RandomForestClassifier,
    )
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    return {
        "tree": DecisionTreeClassifier(max_depth=5, random_state=0),
        "scaled": make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=5, random_state=0)),
        "forest": RandomForestClassifier(8, max_depth=4, random_state=0),
        "extra": ExtraTreesClassifier(8, max_depth=4, random_state=0),
        "boosted": GradientBoostingClassifier(n_estimators=8, max_depth=2, random_state=0),
        "histogram": HistGradientBoostingClassifier(max_iter=6, max_leaf_nodes=5, random_state=0),
    }


def flowers(*, binary: bool):
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    return (x[50:], y[50:]) if binary else (x, y)


@pytest.mark.parametrize("threat", [Linf(0.25), L2(0.4), L1(0.5), Linf(0.25, bounds=(0, 8))], ids=str)
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ["tree", "scaled", "forest", "extra", "boosted", "histogram"])
def test_every_sample_is_decided_and_no_random_point_contradicts(name: str, dtype, binary: bool, threat) -> None:
    x, y = flowers(binary=binary)
    x = x.astype(dtype)
    model = models()[name].fit(x, y)
    x, y = x[::4], y[::4]
    report = check_robust(model, x, y, threat, min_accuracy=0.01, complete=True)
    assert report.robust_accuracy == report.proved, report
    for example in report.counterexamples:
        assert model.predict(example.form.restore(example.perturbed[None]))[0] != y[example.index]
    rng = np.random.default_rng(0)
    for index in [at for at, status in enumerate(report.statuses) if status == "proved"][:10]:
        change = rng.uniform(-1, 1, (200, 4))
        size = {"linf": np.abs(change).max(1), "l2": np.sqrt((change**2).sum(1)), "l1": np.abs(change).sum(1)}[
            threat.norm
        ]
        points = (x[index] + change * (threat.epsilon / size)[:, None]).astype(dtype)
        assert (model.predict(points) == y[index]).all()


def test_a_small_forest_is_as_a_search_of_all_its_cells_says() -> None:
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 2))
    y = ((x[:, 0] * x[:, 1]) > 0).astype(int)
    model = RandomForestClassifier(5, max_depth=3, random_state=0).fit(x, y)
    edges = [
        np.unique(np.concatenate([tree.tree_.threshold[tree.tree_.feature == column] for tree in model.estimators_]))
        for column in range(2)
    ]
    report = check_robust(model, x[:60], y[:60], Linf(0.3), min_accuracy=0.01, complete=True)
    for index, status in enumerate(report.statuses):
        if status == "misclassified":
            continue
        axes = []
        for column in range(2):
            low, high = x[index, column] - 0.3, x[index, column] + 0.3
            inside = edges[column][(edges[column] > low) & (edges[column] < high)]
            cuts = np.concatenate([[low], inside, [high]])
            axes.append((cuts[1:] + cuts[:-1]) / 2)
        cells = np.array(list(itertools.product(*axes)))
        assert status == ("proved" if (model.predict(cells) == y[index]).all() else "broken")


def test_the_verdict_of_a_forest_is_exact_and_asks_little_of_it() -> None:
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier

    x, y = load_breast_cancer(return_X_y=True, as_frame=True)
    x = (x - x.mean()) / x.std()
    model = RandomForestClassifier(10, max_depth=4, random_state=0).fit(x[:400], y[:400])
    report = assert_robust(model, x[400:], y[400:], Linf(0.1), min_accuracy=0.7)
    assert report.verdict == "passed (exact)"
    assert report.evaluations < 4.5 * len(x[400:])


def test_out_of_time_is_a_bracket_and_no_claim() -> None:
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier

    x, y = load_digits(return_X_y=True)
    model = RandomForestClassifier(60, random_state=0).fit(x[:500], y[:500])
    report = check_robust(model, x[:12], y[:12], Linf(2.0), min_accuracy=0.01, seconds_per_sample=1e-6, attacks="fast")
    assert report.proved < 1
    assert "survived" in report.statuses or "broken" in report.statuses


def test_edges_are_where_the_tree_has_them() -> None:
    from sklearn.tree import DecisionTreeClassifier

    x = np.array([[0.0], [1.0]])
    model = DecisionTreeClassifier().fit(x, [0, 1])  # up to 0.5 goes left; counterexamples have a millionth of slack
    for epsilon, robust in ((0.4999, 1.0), (0.5, 0.0), (0.500001, 0.0)):
        report = check_robust(model, np.array([[0.0]]), np.array([0]), Linf(epsilon), min_accuracy=0.5, complete=True)
        assert report.robust_accuracy == report.proved == robust


def test_a_tie_of_votes_falls_as_the_forest_lets_it_fall() -> None:
    from sklearn.ensemble import RandomForestClassifier

    x = np.array([[0.0], [1.0], [2.0], [3.0]] * 5)
    y = np.array([0, 1, 0, 1] * 5)
    model = RandomForestClassifier(2, random_state=1, max_depth=1).fit(x, y)
    report = check_robust(model, x[:4], y[:4], Linf(1.4), min_accuracy=0.01, complete=True, attacks="fast")
    grid = np.linspace(-1.4, 1.4, 20_001)
    for at, status in enumerate(report.statuses):
        stands = (model.predict(x[at] + grid[:, None]) == y[at]).all()
        if status != "misclassified":
            assert status == ("proved" if stands else "broken")


def test_a_thousand_trees_are_a_bracket_and_no_crash() -> None:
    from sklearn.datasets import load_iris
    from sklearn.ensemble import GradientBoostingClassifier

    x, y = load_iris(return_X_y=True)
    model = GradientBoostingClassifier(n_estimators=700, max_depth=1, random_state=0).fit(x, y)
    report = check_robust(model, x[::10], y[::10], Linf(0.3), min_accuracy=0.01, attacks="fast", seconds_per_sample=20)
    assert 0 < report.proved <= report.robust_accuracy
