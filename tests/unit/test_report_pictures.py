"""Values made small enough for a picture: the kind that suits them, nothing lost that people look for, and few bytes."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro.report.detail.pictures import pictures
from pytest_mlrepro.report.detail.small import envelope, grid, image
from pytest_mlrepro.values.describe import describe


def drawn(one: object, two: object) -> list[dict[str, Any]]:
    found = pictures(describe(one), describe(two))
    text = json.dumps(found, allow_nan=False)
    assert len(text) < 16_000
    return found


def types(one: object, two: object) -> list[str]:
    return [picture["type"] for picture in drawn(one, two)]


def test_each_value_has_the_picture_that_suits_it() -> None:
    rows = np.zeros((300, 10))
    assert types(np.zeros(100), np.arange(100.0)) == ["curve", "histogram"]
    assert types([1.0, 2.0], [1.0, 3.0]) == ["curve"]
    assert types(rows, rows + np.arange(10.0)) == ["map", "histogram"]
    assert types(np.zeros((28, 28)), np.eye(28)) == ["images", "histogram"]
    assert types(np.zeros((5, 28, 28), np.uint8), np.ones((5, 28, 28), np.uint8)) == ["images"]
    assert types(np.zeros((2, 3, 16, 16)), np.random.default_rng(0).random((2, 3, 16, 16))) == ["images", "histogram"]
    assert types(np.zeros((2, 4, 5, 6)), np.arange(240.0).reshape(2, 4, 5, 6)) == ["map", "histogram"]
    assert types({"loss": 1.0, "name": "a"}, {"loss": 1.5, "name": "b"}) == ["numbers"]
    (row,) = drawn({"f1": np.float32(0.5)}, {"f1": np.float32(0.25)})[0]["rows"]
    assert row == {"path": "value['f1']", "golden": "0.5", "now": "0.25", "difference": "-0.25"}


def test_equal_values_and_texts_have_none() -> None:
    assert drawn(np.arange(9.0), np.arange(9.0)) == []
    assert drawn(["a", "b"], ["a", "c"]) == []
    assert drawn({"nan": float("nan")}, {"nan": float("nan")}) == []
    assert drawn(np.array(["2026-01-01"], "datetime64[D]"), np.array(["2026-01-02"], "datetime64[D]")) == []


def test_curves_of_other_lengths_share_an_axis() -> None:
    (curve,) = drawn(np.arange(20.0), np.arange(30.0))
    assert curve["length"] == 30
    assert curve["golden"]["low"][:20] == list(range(20))
    assert curve["golden"]["low"][20:] == [None] * 10
    assert "worst" not in curve


@given(st.integers(1, 5000), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_an_envelope_keeps_every_extreme(size: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=size).astype(np.float32).astype(np.float64).round(3)
    found = envelope(describe(values), size)  # type: ignore[arg-type]  # an array
    low, high = found["low"], found.get("high", found["low"])
    assert min(low) == pytest.approx(values.min(), rel=1e-4)
    assert max(high) == pytest.approx(values.max(), rel=1e-4)
    assert len(low) == len(high) == min(size, 120)


@given(st.integers(1, 90), st.integers(1, 90), st.data())
@settings(max_examples=40, deadline=None)
def test_one_element_that_differs_is_seen_in_its_cell(rows: int, columns: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    one = np.zeros((rows, columns))
    two = one.copy()
    two[at] = 7
    cells = grid(describe(one), describe(two), (rows, columns))  # type: ignore[arg-type]  # arrays
    high, wide = cells.shape
    assert cells[at[0] * high // rows, at[1] * wide // columns] == 7
    assert (cells != 0).sum() == 1


def test_the_largest_difference_and_the_sample_with_it_are_named() -> None:
    two = np.zeros(1000)
    two[123] = -3
    curve, bars = drawn(np.zeros(1000), two)
    assert curve["worst"] == {"at": 123, "difference": 3.0}
    assert sum(bars["counts"]) == 1000
    batch = np.zeros((6, 12, 12))
    batch[4, 3, 3] = 1
    (shown, _) = drawn(np.zeros((6, 12, 12)), batch)
    assert (shown["sample"], shown["samples"], shown["top"]) == (4, 6, 1.0)
    pixels = base64.b64decode(shown["difference"]["pixels"])
    assert max(pixels) == 255
    assert sum(pixels) == 255


def test_what_is_not_finite_is_told_and_breaks_nothing() -> None:
    two = np.arange(50.0)
    two[3:6] = np.nan
    two[7] = np.inf
    two[9] = 9.5
    curve, bars = drawn(np.arange(50.0), two)
    assert curve["worst"] == {"at": 3, "difference": None}
    assert curve["now"]["low"][3:8] == [None, None, None, 6, None]
    assert (bars["odd"], sum(bars["counts"])) == (4, 46)
    odd = np.zeros((40, 40))
    odd[0, 0] = np.nan
    assert types(np.zeros((40, 40)), odd)[0] == "images"
    assert types(np.full(30, np.nan), np.zeros(30))[0] == "curve"
    assert types(np.zeros(30) + 1j, np.zeros(30)) == ["curve"]
    assert types(np.array([2**63], np.uint64), np.array([1], np.uint64)) == ["numbers"]


def test_of_a_frame_the_columns_that_differ_most_are_drawn() -> None:
    pd = pytest.importorskip("pandas")
    one = pd.DataFrame({"a": np.arange(30.0), "b": np.arange(30.0), "c": np.arange(30.0), "d": ["x"] * 30})
    two = one.assign(a=one.a + 0.1, b=one.b * 3, c=one.c * 2)
    found = [picture["path"] for picture in drawn(one, two) if picture["type"] == "curve"]
    assert found == ["value['b']", "value['c']"]


def test_an_image_is_made_smaller_by_means_and_a_map_by_the_greatest() -> None:
    picture = np.zeros((100, 50))
    picture[99, 49] = 32
    assert image(picture).shape == (32, 32)
    assert image(picture, greatest=True).max() == 32
    assert 0 < image(picture).max() < 32


def test_a_large_array_takes_little_memory() -> None:
    import tracemalloc

    one = describe(np.zeros(8_000_000, np.float32))
    two = describe(np.ones(8_000_000, np.float32) * np.arange(8_000_000, dtype=np.float32))
    tracemalloc.start()
    found = pictures(one, two)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [picture["type"] for picture in found] == ["curve", "histogram"]
    assert peak < 120 * 2**20
