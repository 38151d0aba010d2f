"""Digests of what variables hold: equal for equal values in any layout, other for any change, never an error."""

from __future__ import annotations

import copy
import datetime
import random
import sys
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pytest_mlrepro.determinism.trace.values import Values

digest = Values(lambda file: file == __file__).digest

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4) | st.tuples(inner)
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_a_copy_has_the_same_digest(value) -> None:
    assert digest(value) == digest(copy.deepcopy(value))


@given(arrays(st.sampled_from(["f8", "f4", "i4", "c16", "U3", "M8[ns]", "?"]), array_shapes(max_side=4)))
def test_layout_does_not_count(array) -> None:
    assert digest(array) == digest(np.asfortranarray(array))
    assert digest(array) == digest(np.concatenate([array, array])[: len(array)])


def test_no_mutation_of_an_array_is_missed() -> None:
    rng = np.random.default_rng(0)
    missed = 0
    for _ in range(800):
        array = rng.normal(size=(5, 7)).astype(rng.choice(["f4", "f8"]))
        changed = array.copy()
        one, two = rng.choice(array.size, 2, replace=False)
        kind = rng.integers(4)
        flat = changed.reshape(-1)
        if kind == 0:
            flat[[one, two]] = flat[[two, one]]
        elif kind == 1:
            flat[one] = np.nextafter(flat[one], np.inf)
        elif kind == 2:
            flat[one] = -flat[one]
        else:
            changed = changed.astype("f8" if changed.dtype == "f4" else "f4")
        missed += digest(array) == digest(changed)
    assert missed == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0), (1, True), (0, False), ("1", 1), ("a", b"a"), (0.0, -0.0), (None, 0), ([1], (1,)), ([1, 2], [2, 1]),
        ([], ()), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (np.zeros(4), np.ones(4)), (np.zeros(4), np.zeros((2, 2))),
        ([np.zeros(2)], [np.ones(2)]), (float("nan"), 0.0), (random.Random(0), random.Random(1)),
        (np.random.default_rng(0), np.random.default_rng(1)), (uuid.UUID(int=1), uuid.UUID(int=2)),
        (datetime.date(2026, 1, 1), datetime.date(2026, 1, 2)),
    ],
)  # fmt: skip
def test_what_differs_has_another_digest(one, other) -> None:
    assert digest(one) != digest(other)


def test_sets_are_the_same_in_any_order() -> None:
    assert digest({"a", "b", "c"}) == digest({"c", "a", "b"}) != digest({"a", "b"})


class Holder:
    def __init__(self, value) -> None:
        self.value = value


def test_objects_of_the_project_are_looked_into_and_others_not() -> None:
    assert digest(Holder(1)) == digest(Holder(1)) != digest(Holder(2))
    assert Values(lambda file: False).digest(Holder(1)) is None


class Hostile:
    def __getattribute__(self, name):
        raise RuntimeError(name)

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


def test_nothing_raises_and_cycles_end() -> None:
    cycle: list[object] = [1]
    cycle.append(cycle)
    assert digest(cycle) is not None
    for value in (Hostile(), [Hostile()], {"a": Hostile()}, sys, print, open, lambda: 1, (x for x in [1]), object()):
        digest(value)
    assert digest("/tmp/pytest-1/x") is None  # another name in each run


def test_tables_of_each_library() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0], "b": ["x", None]})
    assert digest(frame) == digest(frame.copy()) != digest(frame.iloc[::-1])
    assert digest(frame) != digest(frame.rename(columns={"a": "c"}))
    assert digest(frame["a"]) != digest(frame["a"] + 1)


def test_polars_and_arrow_tables() -> None:
    polars, arrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    frame = polars.DataFrame({"a": [1.0, 2.0], "b": ["x", None]})
    assert digest(frame) == digest(frame.clone()) != digest(frame.reverse())
    table = arrow.table({"a": [1.0, 2.0], "b": ["x", None]})
    chunks = arrow.concat_tables([table.slice(0, 1), table.slice(1)])
    assert digest(table) == digest(chunks) != digest(table.slice(1))


def test_estimators_by_what_they_have_learned() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    x, y = np.arange(8.0).reshape(4, 2), np.array([0, 0, 1, 1])
    one, two = (linear.LogisticRegression(C=c).fit(x, y) for c in (1.0, 2.0))
    assert digest(one) == digest(linear.LogisticRegression(C=1.0).fit(x, y)) != digest(two)
