"""The picture that suits a value that differs: curve over curve, image beside image, a map of where, or a table of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias

import numpy as np

from ..._json import Json
from ...values.node import Array, Group, Label, Node, Scalar
from ...values.paths import path_text
from .small import Floats, drawable, envelope, gray, grid, histogram, image, number, pieces

__all__ = ["pictures"]

Leaf: TypeAlias = "Array | Scalar"
MOST: Final = 2
"""Arrays of one value that are drawn: those that differ most, measured by their own size."""
ROWS: Final = 12
TEXT: Final = 60
WHOLE: Final = 1 << 22
"""Elements up to which an image, or a row of a map, is read as a whole."""
FLAT: Final = 4
"""How much longer than wide something may be that people look at as a picture."""
LEAST: Final = 8


def pictures(then: Node, now: Node) -> list[Json]:
    """Return what to draw of two values that differ: data for `report.html`, a few kilobytes however large the values are."""
    before, after = dict(_leaves(then, ())), dict(_leaves(now, ()))
    apart = [(path, before[path], after[path]) for path in before if path in after]
    arrays = [
        (path, one, two)
        for path, one, two in apart
        if isinstance(one, Array) and isinstance(two, Array) and drawable(one) and drawable(two)
    ]
    found: list[Json] = []
    ranked = sorted(((_distance(one, two), path, one, two) for path, one, two in arrays), key=lambda item: -item[0])
    for distance, path, one, two in ranked[:MOST]:
        if distance > 0:
            found += [{"path": path, **picture} for picture in _of_arrays(one, two)]
    scalars = [row for path, one, two in apart if (row := _scalar(path, _single(one), _single(two))) is not None]
    if scalars:
        found.append({"type": "numbers", "rows": scalars[:ROWS], "more": max(len(scalars) - ROWS, 0)})
    return found


def _leaves(node: Node, path: tuple[Label, ...]) -> Iterator[tuple[str, Leaf]]:
    if isinstance(node, Group):
        for label, child in node.children:
            yield from _leaves(child, (*path, label))
    else:
        yield path_text(path), node


def _single(leaf: Leaf) -> Leaf:
    """Return an array of one number, such as a metric that numpy made, as that number."""
    if isinstance(leaf, Array) and leaf.data.size == 1 and drawable(leaf):
        return Scalar(leaf.dtype, next(found for _, found in pieces(leaf)).item())
    return leaf


def _scalar(path: str, one: Leaf, two: Leaf) -> Mapping[str, Json] | None:
    if not isinstance(one, Scalar) or not isinstance(two, Scalar) or (one.kind, one.value) == (two.kind, two.value):
        return None
    if (
        isinstance(one.value, float)
        and isinstance(two.value, float)
        and one.value != one.value
        and two.value != two.value
    ):
        return None
    row = {"path": path[:TEXT], "golden": _text(one.value), "now": _text(two.value), "difference": ""}
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one.value, two.value)):
        with suppress(OverflowError):  # integers beyond the range of floats
            row["difference"] = f"{two.value - one.value:+.4g}"
    return row


def _text(value: Any) -> str:
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    return text if len(text) <= TEXT else text[: TEXT - 1] + "…"


def _distance(one: Array, two: Array) -> float:
    """Return how far two arrays are apart for their own size; infinite where they have other shapes, 0 for equal ones."""
    if one.shape != two.shape:
        return np.inf
    worst, size = 0.0, 0.0
    for (_, before), (_, after) in zip(pieces(one), pieces(two), strict=True):
        if not np.array_equal(before, after, equal_nan=True):
            with np.errstate(invalid="ignore", over="ignore"):
                gap = np.where(before == after, 0.0, np.abs(after - before))
            gap = np.where(np.isnan(before) & np.isnan(after), 0.0, gap)
            worst = max(worst, float(np.nan_to_num(gap, nan=np.inf).max()))
        size = max(size, float(np.nan_to_num(np.abs(before), posinf=0.0).max(initial=0.0)))
    return worst / size if size else worst


def _of_arrays(one: Array, two: Array) -> Iterator[Json]:
    same = one.shape == two.shape
    shown = _as_image(one) if same else None
    if shown is not None:
        yield _images(_whole(one, shown), _whole(two, shown))
    elif same and len(one.shape) > 1 and 1 < one.data.size <= WHOLE * one.shape[0]:
        yield _map(one, two)
    elif (same or len(one.shape) == len(two.shape) == 1) and max(one.data.size, two.data.size) > 1:
        length = max(one.data.size, two.data.size)
        curve: Json = {"type": "curve", "length": length, "golden": envelope(one, length), "now": envelope(two, length)}
        yield {**curve, "worst": _worst(one, two)} if same else curve
    if same and one.data.size >= 2 * LEAST:
        bars = histogram(one, two)
        if bars is not None:
            yield bars


def _worst(one: Array, two: Array) -> Json:
    """Return where two arrays are farthest apart, and how far; of the mismatches without a distance the first."""
    best, place = -1.0, 0
    for (start, before), (_, after) in zip(pieces(one), pieces(two), strict=True):
        with np.errstate(invalid="ignore", over="ignore"):
            gap = np.where(before == after, 0.0, np.abs(after - before))
        gap = np.nan_to_num(np.where(np.isnan(before) & np.isnan(after), 0.0, gap), nan=np.inf)
        at = int(gap.argmax())
        if gap[at] > best:
            best, place = float(gap[at]), start + at
    return {"at": place, "difference": number(best)}


def _map(one: Array, two: Array) -> Json:
    shape = (one.shape[0], one.data.size // one.shape[0])
    cells = grid(one, two, shape)
    finite = cells[np.isfinite(cells)]
    top = float(finite.max()) if len(finite) else 0.0
    return {
        "type": "map",
        "shape": list(one.shape),
        "top": number(top),
        "odd": int((~np.isfinite(cells)).sum()),
        "cells": gray(cells, 0.0, top),
    }


def _as_image(array: Array) -> tuple[int, ...] | None:
    """Return the shape (.., height, width, channels or 1) order in which people would look at it, None if they wouldn't."""
    shape = array.shape
    if array.data.size > WHOLE or len(shape) < 2 or len(shape) > 4:
        return None
    if len(shape) == 2:
        return (1, *shape, 1) if _picture_like(*shape) else None
    tail = shape[-3:]
    if tail[2] in (1, 3) and _picture_like(tail[0], tail[1]):
        return (array.data.size // (tail[0] * tail[1] * tail[2]), *tail)
    if tail[0] in (1, 3) and _picture_like(tail[1], tail[2]):
        return (array.data.size // (tail[0] * tail[1] * tail[2]), -tail[0], tail[1], tail[2])
    if len(shape) == 3 and _picture_like(shape[1], shape[2]):
        return (*shape, 1)
    return None


def _picture_like(height: int, width: int) -> bool:
    return min(height, width) >= LEAST and max(height, width) <= FLAT * min(height, width)


def _whole(array: Array, shown: tuple[int, ...]) -> Floats:
    """Return all of an array as pictures (samples, height, width, channels)."""
    flat = np.concatenate([piece for _, piece in pieces(array)])
    if shown[1] < 0:  # channels first
        return np.moveaxis(flat.reshape(shown[0], -shown[1], shown[2], shown[3]), 1, 3)
    return flat.reshape(shown)


def _images(one: Floats, two: Floats) -> Json:
    """Return the sample that differs most: as recorded, as it is now, and the difference."""
    with np.errstate(invalid="ignore", over="ignore"):
        gaps = np.where((one == two) | (np.isnan(one) & np.isnan(two)), 0.0, np.abs(two - one))
    at = int(np.nan_to_num(gaps, nan=np.inf).reshape(len(one), -1).max(axis=1).argmax())
    before, after, gap = one[at], two[at], gaps[at].max(axis=2)
    finite = np.concatenate([before.ravel(), after.ravel()])
    finite = finite[np.isfinite(finite)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    odd = gap[np.isfinite(gap)]
    top = float(odd.max()) if len(odd) else 0.0
    drop = before.shape[2] == 1
    return {
        "type": "images",
        "sample": at,
        "samples": len(one),
        "low": number(low),
        "high": number(high),
        "top": number(top),
        "golden": gray(image(before[:, :, 0] if drop else before), low, high),
        "now": gray(image(after[:, :, 0] if drop else after), low, high),
        "difference": gray(image(gap, greatest=True), 0.0, top),
    }
