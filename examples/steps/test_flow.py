import flow
import pytest

from pytest_mlrepro import Tolerance

CLOSE = Tolerance(rtol=1e-6, atol=1e-12)  # another processor sums in another order


@pytest.mark.repro(entropy="allow")  # so that an unseeded generator stays one: by default it would draw from the seed
def test_flow(pipeline):
    wine = pipeline.step("load", flow.load, flow.HERE / "data" / "wine.csv")
    cleaned = pipeline.step("clean", flow.clean, wine["measurements"], check=CLOSE)
    features = pipeline.step("featurise", flow.featurise, cleaned, check=CLOSE)
    model = pipeline.step("train", flow.train, features, wine["cultivar"], check=CLOSE)
    assert model.score(features, wine["cultivar"]) > 0.95
