"""A forest that tells tumours apart: how many samples stand is not estimated here, it is known."""

import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pytest_mlrepro import L1, Linf

FEATURES, LABELS = load_breast_cancer(return_X_y=True)
SPREAD = FEATURES.std(axis=0)
PARTS = train_test_split(FEATURES / SPREAD, LABELS, stratify=LABELS, random_state=0)


@pytest.fixture(scope="module")
def model():
    """A forest behind a scaler: the search goes through both."""
    forest = RandomForestClassifier(20, max_depth=6, random_state=0)
    return make_pipeline(StandardScaler(), forest).fit(PARTS[0], PARTS[2])


@pytest.fixture
def inputs():
    """Test samples in units of the features' standard deviations."""
    return PARTS[1]


@pytest.fixture
def labels():
    return PARTS[3]


@pytest.mark.adversarial(Linf(0.1), L1(0.2), min_accuracy=0.8)
def test_small_errors_of_measurement_change_nothing(robustness):
    for report in robustness.reports:
        assert report.verdict == "passed (exact)"


def test_no_sample_is_left_open(robustness, model, inputs, labels):
    report = robustness.check(model, inputs, labels, Linf(0.1), min_accuracy=0.8, complete=True)
    assert report.proved == report.robust_accuracy


def test_large_ones_do_and_each_is_shown(robustness, model, inputs, labels):
    with pytest.raises(AssertionError, match="robust accuracy is at most"):
        robustness.check(model, inputs, labels, Linf(0.5), min_accuracy=0.8, name="large errors")
    (report,) = robustness.reports
    assert report.verdict == "failed"
    for example in report.counterexamples:
        assert model.predict(example.perturbed[None])[0] != example.label
