import pytest
from scans import incoming, train

from pytest_mlrepro import Profile, assert_no_drift

MATTERS = {"effect": 0.15, "correlation": 0.35}
"""Nine hundred scans can't tell less: by default 0.05 and 0.1 matter, and the check says how many rows that takes."""


def test_incoming_scans_look_like_those_of_training(drift):
    drift.check(incoming("good.csv"), "train", of=train, **MATTERS)


def test_a_scanner_out_of_order_is_noticed_and_told_column_by_column():
    with pytest.raises(AssertionError) as failure:
        assert_no_drift(incoming("broken.csv"), Profile.of(train()), name="train", **MATTERS)
    words = str(failure.value)
    assert "line7: the column is missing" in words
    assert "line2: its distribution moved" in words
    assert "line5: nulls: 0% → 11.1% of the rows" in words
    assert "digit: categories that the reference does not have" in words
    assert "'Digit 7'" in words
    assert "line0" not in words
