import pytest
from classifier import load, train

from pytest_mlrepro import Tolerance


@pytest.fixture
def split():
    return load()


@pytest.fixture
def model(split):
    return train(split)


@pytest.mark.repro
def test_the_split_is_the_one_we_report_on(split, golden):
    golden.check({"train": split.train_labels, "test": split.test_labels}, "labels")


@pytest.mark.repro
def test_predictions(model, split, golden):
    golden.check(model.predict(split.test), "labels")
    golden.check(model.predict_proba(split.test), "probabilities", rtol=1e-5, atol=1e-8)
    golden.check(model.score(split.test, split.test_labels), "accuracy", rtol=0, atol=0)


@pytest.mark.repro
def test_coefficients(model, golden):
    scaler, regression = model[0], model[-1]
    golden.check(
        {"mean": scaler.mean_, "scale": scaler.scale_, "coef": regression.coef_, "intercept": regression.intercept_},
        "parameters",
        tolerance={"coef": Tolerance(rtol=1e-4, atol=1e-7), "intercept": Tolerance(rtol=1e-4, atol=1e-7)},
    )
