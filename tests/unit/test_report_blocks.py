"""Pictures of arrays in block characters: they show where, never more than fits, and never read more than a piece at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pytest_mlrepro.report import blocks
from pytest_mlrepro.report.blocks import pictures
from pytest_mlrepro.values.describe import describe
from pytest_mlrepro.values.node import Array

WIDEST = 12 + blocks.COLUMNS + 60


def drawn(old: object, new: object) -> list[str]:
    return list(pictures(describe(old), describe(new)))


def test_a_curve_is_drawn_above_the_other_and_the_difference_below() -> None:
    old = np.linspace(0, 7, 8)
    new = old.copy()
    new[7] = 3.5
    assert drawn(old, new) == [
        "value  8 float64",
        "  golden    ▁▂▃▄▅▆▇█",
        "  this run  ▁▂▃▄▅▆▇▅  0 … 7",
        "  differs          █  █ is 3.5 apart",
    ]


def test_a_matrix_is_a_map_with_the_place_of_the_difference() -> None:
    old = np.zeros((3, 4))
    new = old.copy()
    new[1, 2], new[2, 0] = 4, 1
    assert drawn(old, new) == [
        "value  3x4 float64",
        "  where they differ (█ is 4 apart):",
        "  │    │",
        "  │  █ │",
        "  │▒   │",
    ]


def test_one_element_of_a_million_is_seen_in_its_cell() -> None:
    old = np.zeros((1200, 1000), dtype=np.float32)
    new = old.copy()
    new[700, 999] = 1e-30
    rows = [line.strip() for line in drawn(old, new) if "│" in line]
    assert len(rows) == blocks.ROWS
    assert [number for number, row in enumerate(rows) if "█" in row] == [7]
    assert rows[7] == "│" + " " * (blocks.COLUMNS - 1) + "█│"


def test_what_is_not_finite_on_one_side_has_its_own_sign() -> None:
    old = np.arange(10.0)
    new = old.copy()
    new[3], new[5] = np.nan, np.inf
    lines = drawn(old, new)
    assert lines[2].startswith("  this run  ▁▂▃·")
    assert "differs      ! !" in lines[3]
    assert lines[3].endswith("! not finite on one side")
    assert drawn(np.full(9, np.nan), np.full(9, np.nan)) == []


OTHERS = [
    (np.array([True] * 9), np.array([True] * 8 + [False])),
    (np.array(["a"] * 9), np.array(["a"] * 8 + ["ä"])),
    (np.array(["2020-01-01"] * 9, "M8[D]"), np.array(["2020-01-01"] * 8 + ["2020-03-01"], "M8[D]")),
    (np.arange(9) + 0j, np.arange(9) + np.array([0] * 8 + [1j])),
    (np.array([2**63 - 1] * 9), np.array([2**63 - 1] * 8 + [2**63 - 2])),
    (np.array([0] * 9, np.uint8), np.array([0] * 8 + [255], np.uint8)),
    ([0.5] * 9, [0.5] * 8 + [0.25]),
    (np.ones(9, np.float16), np.array([1] * 8 + [1.001], np.float16)),
]


@pytest.mark.parametrize(("old", "new"), OTHERS, ids=lambda value: str(getattr(value, "dtype", "list")))
def test_each_kind_of_elements_shows_where_it_differs(old: object, new: object) -> None:
    lines = drawn(old, new)
    assert "        █" in lines[-1]
    assert drawn(old, old) == []


def test_nulls_show_as_well() -> None:
    pandas = pytest.importorskip("pandas")
    old = pandas.DataFrame({"a": pandas.array([1] * 10, "Int64"), "b": range(10)})
    new = old.copy()
    new.loc[4, "a"] = pandas.NA
    lines = drawn(old, new)
    assert lines[0] == "value['a']  10 int64"
    assert "!" in lines[-1]


def test_dtypes_that_numpy_lacks() -> None:
    torch = pytest.importorskip("torch")
    old = torch.zeros(9, dtype=torch.bfloat16)
    new = old.clone()
    new[8] = 2
    assert drawn(old, new)[-1].endswith("█  █ is 2 apart")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (np.arange(7.0), np.arange(7.0) + 1),  # few: the table shows them
        (np.arange(9.0), np.arange(10.0)),
        (1.0, 2.0),
        ({"a": 1}, {"b": 2}),
        (np.zeros((0, 5)), np.zeros((0, 5))),
    ],
    ids=["few", "other shape", "scalars", "other keys", "empty"],
)
def test_no_picture_where_none_would_help(old: object, new: object) -> None:
    assert drawn(old, new) == []


def test_three_arrays_of_a_value_are_drawn_and_no_more() -> None:
    old = {str(number): np.zeros(9) for number in range(6)}
    new = {key: value + (key != "1") for key, value in old.items()}
    assert [line for line in drawn(old, new) if not line.startswith(" ")] == [
        f"value['{number}']  9 float64" for number in (0, 2, 3)
    ]


def test_reading_takes_one_piece_at_a_time() -> None:
    class Counted:
        size = 3 * blocks.PIECE + 5
        largest = 0

        def read(self, start: int, stop: int) -> np.ndarray:
            self.largest = max(self.largest, stop - start)
            return np.arange(start, stop, dtype=np.float64)

    one, two = Counted(), Counted()
    shape = (Counted.size,)
    assert (
        list(pictures(Array("numpy.ndarray", "float64", shape, one), Array("numpy.ndarray", "float64", shape, two)))
        == []
    )
    assert one.largest == two.largest == blocks.PIECE


@given(
    arrays.arrays(np.float64, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9)),
    st.data(),
)
def test_any_pair_of_arrays_gives_lines_that_fit_and_a_picture_exactly_where_they_differ(old: np.ndarray, data) -> None:
    new = data.draw(arrays.arrays(np.float64, old.shape))
    lines = drawn(old, new)
    assert all(len(line) <= WIDEST and line.isprintable() for line in lines)
    same = np.array_equal(old, new, equal_nan=True)
    assert bool(lines) == (old.size >= blocks.FEWEST and not same)
