"""Arrays as small pictures of block characters: both curves above each other, or a map of where two arrays differ.

Elements are read in pieces and gathered into the cells of the picture, so that memory is bounded whatever the size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..compare.words import amount
from ..values.dtypes import is_complex, is_text, numbers
from ..values.node import Array, Group, Label, Node
from ..values.paths import path_text

__all__ = ["pictures"]

Floats = npt.NDArray[np.float64]

FEWEST: Final = 8
"""Elements below which the table of differences shows as much."""
MOST: Final = 3
"""Arrays that are drawn of one value."""
COLUMNS: Final = 60
ROWS: Final = 12
PIECE: Final = 1 << 16
BARS: Final = "▁▂▃▄▅▆▇█"
SHADES: Final = " ░▒▓█"


def pictures(old: Node, new: Node) -> Iterator[str]:
    """Yield the lines of a picture for each of the first arrays that differ; nothing where none would help.

    A picture needs two arrays of one shape with at least eight elements; text and dates have a map only.
    """
    drawn = 0
    for place, before, after in _pairs(old, new, ()):
        if drawn == MOST:
            return
        picture = _picture(before, after)
        if picture:
            drawn += 1
            yield f"{path_text(place)}  {_shape(before)}"
            yield from (f"  {line}" for line in picture)


def _pairs(old: Node, new: Node, place: tuple[Label, ...]) -> Iterator[tuple[tuple[Label, ...], Array, Array]]:
    """Yield arrays that stand in the same place and have the same shape."""
    if isinstance(old, Group) and isinstance(new, Group):
        after = {path_text((label,)): child for label, child in new.children}
        for label, child in old.children:
            twin = after.get(path_text((label,)))
            if twin is not None:
                yield from _pairs(child, twin, (*place, label))
    elif isinstance(old, Array) and isinstance(new, Array) and old.shape == new.shape and old.data.size >= FEWEST:
        yield place, old, new


def _shape(array: Array) -> str:
    return f"{'x'.join(map(str, array.shape))} {array.dtype}"


@dataclass(frozen=True)
class _Cells:
    """What falls into each cell of a picture; shapes (rows * columns,)."""

    rows: int
    columns: int
    count: Floats
    before: Floats
    """Sums of the finite elements, NaN where there is none."""
    after: Floats
    apart: Floats
    """The greatest difference, infinite where one side is not finite or null."""


def _picture(old: Array, new: Array) -> list[str]:
    height, width = _grid(old.shape)
    cells = _gathered(old, new, height, width)
    worst = float(cells.apart.max())
    if not worst:
        return []
    if cells.rows == 1:
        curves = _curves(cells) if _is_real(old) and _is_real(new) else []
        return [*curves, *_map(cells, worst, len(curves) > 0)]
    return _map(cells, worst, False)


def _grid(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many rows and columns the elements have: the first axis down, all others across."""
    if len(shape) < 2:
        return 1, prod(shape)
    return shape[0], prod(shape[1:])


def _is_real(array: Array) -> bool:
    return not is_text(array.dtype) and not is_complex(array.dtype) and not _is_temporal(array.dtype)


def _is_temporal(dtype: str) -> bool:
    return dtype.startswith(("datetime", "timedelta", "date", "time["))


def _gathered(old: Array, new: Array, height: int, width: int) -> _Cells:
    rows, columns = min(height, ROWS), min(width, COLUMNS)
    size = rows * columns
    sums = [np.zeros(size), np.zeros(size)]
    counts = [np.zeros(size), np.zeros(size)]
    apart = np.zeros(size)
    total = np.zeros(size)
    for start in range(0, old.data.size, PIECE):
        stop = min(start + PIECE, old.data.size)
        at = np.arange(start, stop, dtype=np.int64)
        cell = (at // width) * rows // height * columns + (at % width) * columns // width
        pieces = [_values(array, start, stop) for array in (old, new)]
        np.maximum.at(apart, cell, _apart(*pieces))
        total += np.bincount(cell, minlength=size)
        for side, piece in enumerate(pieces):
            if piece.dtype.kind not in "Oc":
                real = piece.astype(np.float64)
                finite = np.isfinite(real)
                sums[side] += np.bincount(cell[finite], real[finite], minlength=size)
                counts[side] += np.bincount(cell[finite], minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [one / many for one, many in zip(sums, counts, strict=True)]
    return _Cells(rows, columns, total, means[0], means[1], apart)


def _values(array: Array, start: int, stop: int) -> npt.NDArray[Any]:
    """Return elements that can be subtracted, NaN where they are null."""
    found: npt.NDArray[Any] = np.array(numbers(array.data.read(start, stop), array.dtype))
    if found.dtype.kind in "mM":
        found = found.view(np.int64)
    if found.dtype.kind == "b":
        found = found.astype(np.int8)
    if array.valid is not None:
        valid = np.array(array.valid.read(start, stop), dtype=bool)
        if found.dtype.kind in "iu":
            found = found.astype(np.float64)
        found[~valid] = None if found.dtype.kind == "O" else np.nan
    return found


def _apart(one: npt.NDArray[Any], two: npt.NDArray[Any]) -> Floats:
    """Return how far elements are apart: 0 for the same, 1 for texts that differ, infinite beside NaN."""
    same = np.asarray(one == two, dtype=bool)
    if "O" in (one.dtype.kind, two.dtype.kind):
        return np.where(same, 0.0, 1.0)
    with np.errstate(all="ignore"):
        wide = np.complex128 if "c" in (one.dtype.kind, two.dtype.kind) else np.float64
        found = np.abs(one.astype(wide) - two.astype(wide))
        both = np.isnan(one.astype(wide)) & np.isnan(two.astype(wide))
    found[~np.isfinite(found)] = np.inf
    found[(found == 0) & ~same] = np.finfo(np.float64).tiny  # beyond what a float64 tells apart
    found[same | both] = 0.0
    return np.asarray(found, dtype=np.float64)


def _curves(cells: _Cells) -> list[str]:
    """Return both sides as bars over one scale."""
    known = np.concatenate([cells.before, cells.after])
    known = known[np.isfinite(known)]
    if not known.size:
        return []
    low, high = float(known.min()), float(known.max())
    scale = f"{amount(low)} … {amount(high)}" if high > low else amount(low)
    return [f"golden    {_bars(cells.before, low, high)}", f"this run  {_bars(cells.after, low, high)}  {scale}"]


def _bars(values: Floats, low: float, high: float) -> str:
    span = high / 2 - low / 2 or 1.0
    steps = len(BARS) - 1
    return "".join(
        BARS[min(steps, int((value / 2 - low / 2) / span * steps + 0.5))] if np.isfinite(value) else "·"
        for value in values
    )


def _map(cells: _Cells, worst: float, below: bool) -> list[str]:
    """Return where the sides differ: the darker, the nearer to the greatest difference."""
    finite = cells.apart[np.isfinite(cells.apart)]
    top = float(finite.max()) if finite.size else 0.0
    texts = ["".join(_shade(value, top) for value in row) for row in cells.apart.reshape(cells.rows, cells.columns)]
    most = f"█ is {amount(top)} apart" if top else ""
    said = ", ".join(filter(None, (most, "" if np.isfinite(worst) else "! not finite on one side")))
    if below:
        return [f"differs   {texts[0]}  {said}"]
    return [f"where they differ ({said}):", *(f"│{text}│" for text in texts)]


def _shade(value: float, top: float) -> str:
    if not np.isfinite(value):
        return "!"
    if not value:
        return SHADES[0]
    return SHADES[1 + min(len(SHADES) - 2, int(value / top * (len(SHADES) - 1)))]
