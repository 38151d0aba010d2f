"""A broken contract, loosened: the table keeps it, and what the table had kept before is as it was."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro.contracts.contract import Contract

pandas = pytest.importorskip("pandas")
pytest.importorskip("narwhals")

from pytest_mlrepro.contracts.loosened import loosened  # noqa: E402

FAULTS = (
    "outlier",
    "nulls",
    "category",
    "spaces",
    "constant",
    "decimal",
    "duplicates",
    "renamed",
    "moved",
    "typed",
    "late",
)


def good(rows: int = 300) -> Any:
    rng = np.random.default_rng(0)
    return pandas.DataFrame({
        "id": np.arange(rows), "size": rng.normal(size=rows), "colour": rng.choice(["red", "blue"], rows),
        "price": [f"{value:.2f}" for value in rng.uniform(1, 900, rows)],
        "day": pandas.date_range("2026-01-01", periods=rows), "label": rng.integers(0, 2, rows),
    })  # fmt: skip


def broken(faults: set[str]) -> Any:
    frame = good()
    if "outlier" in faults:
        frame.loc[[4, 9], "size"] = [99.0, -77.123456789]
    if "nulls" in faults:
        frame.loc[[1, 2, 3], "size"] = np.nan
    if "category" in faults:
        frame.loc[8, "colour"] = "green"
    if "spaces" in faults:
        frame.loc[8, "price"] = " 5.00"
    if "decimal" in faults:
        frame.loc[[20, 21], "price"] = "7,50"
    if "constant" in faults:
        frame["label"] = 1
    if "duplicates" in faults:
        frame = pandas.concat([frame, frame.iloc[:5]], ignore_index=True)
    if "late" in faults:
        frame.loc[0, "day"] = pandas.Timestamp("2031-05-05 10:20:30.5")
    if "renamed" in faults:
        frame = frame.rename(columns={"price": "cost"})
    if "typed" in faults:
        frame["id"] = frame["id"].astype(str)
    if "moved" in faults:
        frame = frame[["size", "id", *frame.columns[2:]]]
    return frame


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(FAULTS), min_size=1))
def test_the_table_keeps_it_and_other_fields_are_as_they_were(faults: set[str]) -> None:
    held, frame = Contract.infer(good(), label="label"), broken(faults)
    findings = held.check(frame)
    assert findings
    new = loosened(held, frame, findings)
    assert new.check(frame) == []
    assert Contract.read(new.updated(str(held)) + "\n").check(frame) == []  # as text too
    named = {name for finding in findings for name in finding.columns}
    before = {own.name: own for own in held.columns}
    assert all(own == before[own.name] for own in new.columns if own.name not in named)


def test_a_range_goes_to_the_outermost_value_and_no_farther() -> None:
    held = Contract.infer(good(), label="label")
    frame = broken({"outlier"})
    new = loosened(held, frame, held.check(frame))
    assert (new.columns[1].min, new.columns[1].max) == (-77.123456789, 99.0)
    one_sided = frame.assign(size=frame["size"].abs())
    new = loosened(held, one_sided, held.check(one_sided))
    assert new.columns[1] == replace(held.columns[1], max=99.0)


def test_a_time_goes_to_the_next_second() -> None:
    held, frame = Contract.infer(good(), label="label"), broken({"late"})
    new = loosened(held, frame, held.check(frame))
    assert new.columns[4].max == dt.datetime(2031, 5, 5, 10, 20, 31)
    assert new.columns[4].min == held.columns[4].min


def test_a_share_is_rounded_to_no_less() -> None:
    held = Contract.infer(good(), label="label")
    for count in range(1, 60):
        frame = good()
        frame.loc[: count - 1, "size"] = np.nan
        new = loosened(held, frame, held.check(frame))
        assert new.check(frame) == []
        assert new.columns[1].nulls is not None
        assert count / 300 <= new.columns[1].nulls <= count / 300 * 1.1
    assert {field.name for field in fields(held)} >= {"duplicates", "near_duplicates"}


def test_a_column_that_moves_takes_its_comment_with_it() -> None:
    held = Contract.infer(good(), label="label")
    text = (
        str(held).replace("[columns.size]", "# in metres,\n# by hand\n[columns.size]").replace('"text"', '"text"  # ok')
    )
    moved = broken({"moved"})
    new = loosened(held, moved, held.check(moved)).updated(text)
    assert new.index("# in metres,\n# by hand\n[columns.size]") < new.index("[columns.id]")
    assert new.count("# ok") == text.count("# ok")
    assert Contract.read(new).check(moved) == []


def test_text_that_is_laid_out_otherwise_is_left_in_its_order() -> None:
    text = 'ordered = true\ncolumns.b.type = "whole"\ncolumns.a.type = "whole"\n'
    held = Contract.read(text)
    turned = replace(held, columns=held.columns[::-1])
    assert Contract.read(turned.updated(text)) == held
