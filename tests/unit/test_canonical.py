"""Canonical JSON is that of RFC 8785: held against a library of its own, and against the RFC's example of sorting."""

from __future__ import annotations

import json
import math

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro._canonical import canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
def test_it_is_what_the_library_writes_and_reads_back(value: object) -> None:
    text = canonical(value)
    assert text.encode() == rfc8785.dumps(value)
    assert json.loads(text) == value


def test_keys_are_sorted_by_utf_16_as_in_the_rfc() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\xf6"]
    assert [*json.loads(canonical(dict.fromkeys(keys)))] == [
        "\r", "1", "\x80", "\xf6", "\u20ac", "\U0001f600", "\ufb33",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "value", [0.5, math.nan, 2**53, -(2**53), "\ud800", {"\udfff": 1}, {1: 2}, (1,), b"x", {"a": [{"b": 1.0}]}]
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"canonical JSON|surrogates not allowed"):
        canonical(value)
