"""Is a delivery of measurements fit for use? The contract was inferred from the training data and edited by a person."""

import pytest
from wines import CONTRACT, incoming, train

from pytest_mlrepro import Contract, assert_contract, assert_split


def test_the_training_data_keeps_its_contract():
    assert_contract(train(), CONTRACT, name="train")


def test_a_good_delivery_keeps_it():
    assert_contract(incoming("good.csv"), CONTRACT, name="the delivery")


def test_a_broken_one_is_told_with_columns_rows_and_counts():
    with pytest.raises(AssertionError, match="the delivery breaks its contract in 8 ways") as failure:
        assert_contract(incoming("broken.csv"), CONTRACT, name="the delivery")
    print(failure.value)
    found = {finding.kind: finding for finding in Contract.read(CONTRACT).check(incoming("broken.csv"))}
    assert found["range"].rows == (4, 17)
    assert found["nulls"].count == 5
    assert found["values"].hint == "'asti ' is a spelling of 'Asti'"
    assert found["format"].count == 3
    assert found["duplicates"].count == 1


def test_a_new_inference_keeps_what_a_person_wrote():
    text = CONTRACT.read_text("utf-8")
    again = Contract.infer(train(), label="cultivar", key="bottle").updated(text)
    assert "agreed with the laboratories" in again


def test_no_bottle_of_the_delivery_was_trained_on():
    assert_split(train=train(), test=incoming("good.csv"), key="bottle", label="cultivar")
