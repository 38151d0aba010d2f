import pytest
from pipeline import predict


@pytest.mark.repro(entropy="allow")  # so that an unseeded generator stays one: by default it would draw from the seed
def test_predictions(golden):
    golden.check(predict(), "predictions", rtol=1e-9, atol=0)
