"""The robust network stands up to changes of a tenth of the brightness; the usual one is right on clean digits, and falls."""

import pytest
from models import EPSILON, digits, trained

from pytest_mlrepro import L2, Linf


@pytest.fixture(scope="module")
def robust():
    return trained(robust=True)


@pytest.fixture(scope="module")
def fragile():
    return trained(robust=False)


@pytest.fixture
def inputs():
    return digits()[2]


@pytest.fixture
def labels():
    return digits()[3]


@pytest.mark.adversarial(Linf(EPSILON, bounds=(0, 1)), L2(0.3, bounds=(0, 1)), min_accuracy=0.6, model="robust")
def test_robust_network_stands(robustness):
    linf, _ = robustness.reports
    assert linf.clean_accuracy > 0.9
    assert not linf.signs


def test_fragile_network_falls(robustness, fragile, inputs, labels):
    with pytest.raises(AssertionError, match="robust accuracy is at most") as caught:
        robustness.check(fragile, inputs, labels, Linf(EPSILON, bounds=(0, 1)), min_accuracy=0.85)
    assert "counterexamples, each checked against the model" in str(caught.value)
    (report,) = robustness.reports
    assert report.verdict == "failed"
    assert report.clean_accuracy > 0.9


@pytest.mark.adversarial(Linf(0.02, bounds=(0, 1)), min_accuracy=0.8, confidence=0.95, model="robust")
def test_few_samples_settle_a_clear_case(robustness):
    (report,) = robustness.reports
    assert report.samples_used < report.samples
