"""Exact answers of regressors: the largest change inside the ball, of linear models and of sums of trees."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlrepro import L1, L2, Linf, assert_robust
from pytest_mlrepro.robustness.robust import check_robust

pytest.importorskip("sklearn")


def models():
    from sklearn.ensemble import (
        ExtraTreesRegressor,
        GradientBoostingRegressor,
        HistGradientBoostingRegressor,
        RandomForestRegressor,
    )
    from sklearn.linear_model import Lasso, LinearRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVR
    from sklearn.tree import DecisionTreeRegressor

    return {
        "linear": LinearRegression(),
        "ridge": make_pipeline(StandardScaler(), Ridge()),
        "lasso": Lasso(0.1),
        "svr": make_pipeline(StandardScaler(), LinearSVR(max_iter=100_000)),
        "tree": DecisionTreeRegressor(max_depth=5, random_state=0),
        "forest": RandomForestRegressor(8, max_depth=4, random_state=0),
        "extra": ExtraTreesRegressor(8, max_depth=4, random_state=0),
        "boosted": GradientBoostingRegressor(n_estimators=8, max_depth=2, random_state=0),
        "histogram": HistGradientBoostingRegressor(max_iter=6, max_leaf_nodes=5, random_state=0),
    }


def diabetes():
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return x[:, :4] * 20, y


@pytest.mark.parametrize("threat", [Linf(0.2), L2(0.4), L1(0.5), Linf(0.2, bounds=(-4, 4))], ids=str)
@pytest.mark.parametrize("name", list(models()))
def test_every_sample_is_decided_and_no_random_point_contradicts(name: str, threat) -> None:
    x, y = diabetes()
    model = models()[name].fit(x, y)
    x = x[::20]
    allowed = 8.0
    report = check_robust(model, x, None, threat, max_change=allowed, min_accuracy=0.01, complete=True)
    assert report.robust_accuracy == report.proved, report
    assert {*report.statuses} <= {"proved", "broken"}
    clean = model.predict(x)
    for example in report.counterexamples:
        assert abs(model.predict(example.perturbed[None])[0] - clean[example.index]) > allowed
    rng = np.random.default_rng(0)
    for index in [at for at, status in enumerate(report.statuses) if status == "proved"]:
        change = rng.uniform(-1, 1, (300, x.shape[1]))
        change[:100] = np.sign(change[:100])
        size = {"linf": np.abs(change).max(1), "l2": np.sqrt((change**2).sum(1)), "l1": np.abs(change).sum(1)}
        points = x[index] + change * (threat.epsilon / size[threat.norm])[:, None]
        if threat.bounds is not None:
            points = np.clip(points, *threat.bounds)
        assert (np.abs(model.predict(points) - clean[index]) <= allowed).all()


def test_a_linear_model_changes_by_its_slope_times_the_radius() -> None:
    from sklearn.linear_model import LinearRegression

    x, y = diabetes()
    model = LinearRegression().fit(x, y)
    most = float(np.abs(model.coef_).sum()) * 0.1
    assert assert_robust(model, x, None, Linf(0.1), max_change=most * 1.001).verdict == "passed (exact)"
    with pytest.raises(AssertionError, match="failed"):
        assert_robust(model, x, None, Linf(0.1), max_change=most * 0.999)


def test_a_regressor_that_goes_on_from_its_map_is_not_claimed() -> None:
    from sklearn.linear_model import PoissonRegressor

    x, y = diabetes()
    model = PoissonRegressor(max_iter=1000).fit(x, y)
    report = check_robust(model, x[:40], None, Linf(0.1), max_change=1e4, attacks="fast")
    assert report.proved == 0


def test_several_outputs_count_by_the_one_that_changes_most() -> None:
    from sklearn.linear_model import LinearRegression
    from sklearn.tree import DecisionTreeRegressor

    x, y = diabetes()
    both = np.stack([y, -3 * y], axis=1)
    linear = LinearRegression().fit(x, both)
    most = float(np.abs(linear.coef_[1]).sum()) * 0.1
    assert check_robust(linear, x, None, Linf(0.1), max_change=most * 1.001).verdict == "passed (exact)"
    assert check_robust(linear, x, None, Linf(0.1), max_change=most * 0.999).verdict == "failed"
    tree = DecisionTreeRegressor(max_depth=3).fit(x, both)
    report = check_robust(tree, x[::20], None, Linf(0.1), max_change=5.0, min_accuracy=0.01, attacks="fast")
    assert 0 <= report.proved <= report.robust_accuracy
