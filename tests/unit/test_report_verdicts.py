"""Records hold what JSON can hold, whatever checks tell."""

from __future__ import annotations

import json

import numpy as np

from pytest_mlrepro.records import Check
from pytest_mlrepro.report.detail.collector import Details
from pytest_mlrepro.report.verdicts import Ended, verdicts_of


def ended(**facts: object) -> Ended:
    given = {"nodeid": "t", "outcome": "passed", "seconds": 0.1, "message": "", "time": "now", "ours": True, **facts}
    return Ended(**given)  # type: ignore[arg-type]  # as each test needs it


def test_odd_numbers_and_objects_become_plain_ones() -> None:
    details = Details()
    details.of["a"] = {"words": [np.float64("nan"), np.int64(3), float("inf"), (1, None), {2: object}]}
    (record,) = verdicts_of(ended(checks=(Check("a", "passed"),)), details)
    text = json.dumps(record, allow_nan=False)
    assert json.loads(text)["detail"]["words"] == [None, 3, None, [1, None], {"2": "<class 'object'>"}]


def test_the_last_word_on_a_check_counts() -> None:
    found = verdicts_of(ended(checks=(Check("a", "missing"), Check("b", "passed"), Check("a", "unused"))), None)
    assert [(record["check"], record["outcome"]) for record in found] == [("a", "unused"), ("b", "passed")]


def test_a_test_that_fails_by_itself_is_a_verdict_only_if_it_is_ours() -> None:
    (mine,) = verdicts_of(ended(outcome="failed", message="no"), None)
    assert (mine["kind"], mine["message"]) == ("test", "no")
    assert verdicts_of(ended(outcome="failed", message="no", ours=False), None) == []
    told = verdicts_of(ended(outcome="failed", message="no", checks=(Check("a", "failed"),)), None)
    assert [(record["kind"], record["message"]) for record in told] == [("golden", "no")]
