"""How far may the rows be off, by errors of measurement or by accident, before the model says something else?"""

import pytest
from model import patients, trained

from pytest_mlrepro import Corruption, Tabular, assert_monotone

TRAIN, _, TEST, LABELS = patients()
MEASURED = Tabular(0.05, missing=1, immutable=["sex", "age"], reference=TRAIN)


@pytest.fixture
def model():
    return trained()


@pytest.fixture
def inputs():
    return TEST


@pytest.fixture
def labels():
    return LABELS


@pytest.mark.adversarial(MEASURED, min_accuracy=0.5)
def test_errors_of_measurement_change_few_answers(robustness):
    (report,) = robustness.reports
    assert report.clean_accuracy > report.robust_accuracy


@pytest.mark.adversarial(
    Corruption("missing_cells", 4, columns=["cholesterol"]), Corruption("swapped_categories", 2), min_accuracy=0.6
)
def test_accidents_are_borne(robustness):
    for report in robustness.reports:
        assert report.verdict == "passed (exact)"  # nothing is searched for: exact for what was drawn


def test_pounds_for_kilograms_are_not(robustness, model, inputs, labels):
    with pytest.raises(AssertionError, match="robust accuracy is at most"):
        robustness.check(model, inputs, labels, Corruption("unit_shift", 4, draws=10), min_accuracy=0.6)


def test_higher_blood_pressure_never_lowers_the_risk(model, inputs):
    assert_monotone(model, inputs, "blood_pressure", output=1)
