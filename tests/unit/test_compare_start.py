"""The first look at large values: it may only say that they part where they do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_mlrepro.compare.start import is_large, part_at_once
from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.values.describe import describe


def arrays() -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(st.sampled_from(["f2", "f8", "i4", "bool", "M8[s]", "U3"]), st.integers(0, 5))


@given(arrays(), arrays())
def test_what_parts_at_once_has_other_digests(one: np.ndarray, two: np.ndarray) -> None:
    if part_at_once(describe(one), describe(two)):
        assert fingerprint(one).digest != fingerprint(two).digest


@given(arrays())
def test_a_value_does_not_part_from_its_copy(value: np.ndarray) -> None:
    assert not part_at_once(describe({"a": [value, 1]}), describe({"a": [value.copy(), 1]}))


@pytest.mark.parametrize("at", [0, 1023])
def test_an_early_element_tells(at: int) -> None:
    value = np.zeros(5000)
    other = value.copy()
    other[at] = 1e-300
    assert part_at_once(describe([value]), describe([other]))


def test_a_late_element_is_left_to_the_digest() -> None:
    value = np.zeros(5000)
    other = value.copy()
    other[1024] = 1
    assert not part_at_once(describe(value), describe(other))


def test_other_structures_are_left_to_the_comparison() -> None:
    assert not part_at_once(describe(np.zeros(3)), describe({"a": 1.0}))
    assert not part_at_once(describe(np.zeros(3)), describe(np.zeros(3, "f4") + 1))


def test_large_is_counted_over_all_arrays() -> None:
    assert is_large(describe({"a": np.zeros(1 << 16), "b": [np.zeros((1 << 8, 1 << 8))]}))
    assert not is_large(describe({"a": np.zeros(1 << 16), "b": 1}))
