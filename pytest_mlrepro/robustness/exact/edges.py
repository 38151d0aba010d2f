"""Where a split really parts the inputs: the greatest number, of those that a column can hold, that still goes left.

scikit-learn's trees round inputs to float32 before they compare, scalers before them round too, and inputs have a dtype
of their own. So the edge is not computed from the threshold but found by bisection over the numbers of the column, with
the very steps that the model takes; then a leaf is a closed box of numbers that exist, and whether the ball touches it
is no matter of rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["after", "edges"]

Numbers = NDArray[np.float64]


def edges(goes_left: Callable[[Numbers], NDArray[np.bool_]], narrow: NDArray[np.bool_], limit: float) -> Numbers:
    """Return for each split the greatest number up to `limit` in size that goes left, -inf if none and inf if all do.

    `goes_left` takes one number for each split and must be monotone. `narrow` says which splits are on columns of
    float32; the others are of float64.
    """
    found = np.empty(len(narrow))
    for is_narrow in (False, True):
        rows = narrow if is_narrow else ~narrow
        if rows.any():
            found[rows] = _bisected(goes_left, rows, np.float32 if is_narrow else np.float64, limit)
    return found


def after(numbers: Numbers, narrow: NDArray[np.bool_]) -> Numbers:
    """Return the next greater number of each column's dtype."""
    with np.errstate(over="ignore"):
        short = np.nextafter(numbers.astype(np.float32), np.float32(np.inf)).astype(np.float64)
    return np.where(narrow, short, np.nextafter(numbers, np.inf))


def _bisected(
    goes_left: Callable[[Numbers], NDArray[np.bool_]], rows: NDArray[np.bool_], dtype: Any, limit: float
) -> Numbers:
    """Bisect over the order that floats have, in which neighbours differ by one."""
    whole: Any = np.int32 if dtype is np.float32 else np.int64
    top = int(np.array(min(limit, float(np.finfo(dtype).max)), dtype).view(whole))
    low, high = (
        np.full(rows.sum(), -top - 1, whole),
        np.full(rows.sum(), top, whole),
    )  # low goes left, high + 1 does not

    def left(ranks: NDArray[Any]) -> NDArray[np.bool_]:
        numbers = np.zeros(len(rows))
        numbers[rows] = _float(ranks, dtype)
        return goes_left(numbers)[rows]

    while (low < high).any():
        # the middle, rounded up, without overflow
        middle = (low >> 1) + (high >> 1) + ((low | high) & 1)
        middle = np.where(low < high, middle, high)
        yes = left(middle)
        low, high = (
            np.where(yes & (low < high), middle, low),
            np.where(yes, high, np.where(low < high, middle - 1, high)),
        )
    none = low == -top - 1
    return np.where(none, -np.inf, np.where(low == top, np.inf, _float(np.maximum(low, -top), dtype)))


def _float(ranks: NDArray[Any], dtype: Any) -> Numbers:
    """Return the float of each rank: 0 is zero, 1 the least above it, -1 the greatest below."""
    size = np.abs(ranks).astype(ranks.dtype).view(dtype)
    signed: Numbers = np.copysign(size.astype(np.float64), np.where(ranks < 0, -1.0, 1.0))
    return signed
