"""Arrays of any size made small enough for a picture, in one pass over pieces of them and in bounded memory."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..._json import Json
from ...values import dtypes
from ...values.node import Array

__all__ = ["Floats", "drawable", "envelope", "gray", "grid", "histogram", "image", "number", "pieces"]

Floats: TypeAlias = NDArray[np.float64]
PIECE: Final = 1 << 20
POINTS: Final = 120
SIDE: Final = 32
"""Elements along the longer side of a picture."""
BINS: Final = 24
DIGITS: Final = 5
SAME: Final = 1e-9
"""Differences that differ by so little, for their size, are one difference, and no histogram."""


def drawable(array: Array) -> bool:
    """Tell whether the elements are numbers that can be drawn."""
    return not (dtypes.is_text(array.dtype) or dtypes.is_temporal(array.dtype) or array.dtype in ("decimal",))


def pieces(array: Array, *, size: int = PIECE) -> Iterator[tuple[int, Floats]]:
    """Yield the position of each piece and its elements as floats: nulls as NaN, of complex numbers the magnitude."""
    for start in range(0, array.data.size, size):
        stop = min(start + size, array.data.size)
        read: Any = dtypes.numbers(array.data.read(start, stop), array.dtype)
        found = np.abs(read) if np.iscomplexobj(read) else np.asarray(read)
        floats = np.array(found, np.float64)
        if array.valid is not None:
            floats[~np.asarray(array.valid.read(start, stop), bool)] = np.nan
        yield start, floats


def envelope(array: Array, length: int, points: int = POINTS) -> Json:
    """Return the least and greatest element of each stretch of a curve, over an axis of `length` elements.

    Lists as long as there are stretches; None where there is no finite element.
    """
    count = min(length, points)
    edges = _edges(length, count)
    low, high = np.full(count, np.nan), np.full(count, np.nan)
    for start, found in pieces(array):
        found[~np.isfinite(found)] = np.nan
        at = slice(start * count // length, (start + len(found) - 1) * count // length + 1)
        starts = np.maximum(edges[at] - start, 0)
        low[at] = np.fmin(low[at], np.fmin.reduceat(found, starts))
        high[at] = np.fmax(high[at], np.fmax.reduceat(found, starts))
    if length <= points:
        return {"low": numbers(low)}
    return {"low": numbers(low), "high": numbers(high)}


def grid(array: Array, other: Array, shape: tuple[int, int], side: int = SIDE) -> Floats:
    """Return the greatest difference of two arrays in each cell of a grid; NaN where a NaN is on one side."""
    rows, columns = shape
    high, wide = min(rows, side), min(columns, side)
    cells = np.zeros((high, wide))
    edges = _edges(columns, wide)
    whole = max(PIECE // columns, 1) * columns
    for start, gap in _gaps(array, other, size=whole):
        found = np.maximum.reduceat(gap.reshape(-1, columns), edges, axis=1)  # a NaN wins, and stays
        at = np.arange(start // columns, start // columns + len(found)) * high // rows
        np.maximum.at(cells, at, found)
    return cells


def _edges(length: int, count: int) -> Any:
    """Return where each of `count` stretches of `length` elements begins."""
    return -(-np.arange(count) * length // count)


def histogram(array: Array, other: Array) -> Json:
    """Return how often which difference occurs, over all elements; None where none is finite or all are the same."""
    low, high, odd = np.inf, -np.inf, 0
    for _, gap in _gaps(array, other, signed=True):
        finite = gap[np.isfinite(gap)]
        odd += len(gap) - len(finite)
        if len(finite):
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if not high - low > SAME * max(abs(low), abs(high)) or not np.isfinite(high - low):
        return None
    counts = np.zeros(BINS, np.int64)
    for _, gap in _gaps(array, other, signed=True):
        place = (gap[np.isfinite(gap)] - low) / (high - low) * BINS
        counts += np.bincount(np.minimum(place.astype(np.int64), BINS - 1), minlength=BINS)
    return {"type": "histogram", "low": number(low), "high": number(high), "counts": counts.tolist(), "odd": odd}


def _gaps(array: Array, other: Array, *, signed: bool = False, size: int = PIECE) -> Iterator[tuple[int, Floats]]:
    """Yield the differences of two arrays of one size; 0 where both are NaN or the same infinity."""
    for (start, one), (_, two) in zip(pieces(array, size=size), pieces(other, size=size), strict=True):
        with np.errstate(invalid="ignore", over="ignore"):
            gap = two - one
        gap[(one == two) | (np.isnan(one) & np.isnan(two))] = 0.0
        yield start, gap if signed else np.abs(gap)


def image(picture: Floats, side: int = SIDE, *, greatest: bool = False) -> Floats:
    """Return (height, width) or (height, width, channels) with at most `side` elements along each side.

    A cell is the mean of what it stands for, or the greatest.
    """
    for axis in (0, 1):
        length = picture.shape[axis]
        if length > side:
            starts = np.unique(np.arange(side) * length // side)
            if greatest:
                picture = np.maximum.reduceat(picture, starts, axis)
                continue
            sizes = np.diff(np.append(starts, length))
            shape = [-1 if at == axis else 1 for at in range(picture.ndim)]
            picture = np.add.reduceat(picture, starts, axis) / sizes.reshape(shape)
    return picture


def gray(picture: Floats, low: float, high: float) -> Json:
    """Return a picture as bytes from 0 at `low` to 255 at `high`, with its size; what is not finite is `high`."""
    span = high - low if high > low else 1.0
    shades = np.nan_to_num((picture - low) / span, nan=1.0, posinf=1.0, neginf=0.0)
    levels = np.rint(np.clip(shades, 0, 1) * 255).astype(np.uint8)
    channels = levels.shape[2] if levels.ndim == 3 else 1
    return {
        "height": levels.shape[0],
        "width": levels.shape[1],
        "channels": channels,
        "pixels": base64.b64encode(levels.tobytes()).decode("ascii"),
    }


def number(value: Any) -> float | None:
    """Return a number with five digits; None for what JSON has no number for."""
    found = float(value)
    return float(f"{found:.{DIGITS}g}") if np.isfinite(found) else None


def numbers(values: Any) -> list[float | None]:
    """Return numbers with five digits each."""
    return [number(value) for value in np.asarray(values).ravel().tolist()]
