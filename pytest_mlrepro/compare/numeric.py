"""The one pass over two arrays of equal dtype and shape: in chunks, on up to two threads, in bounded memory."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..values import dtypes
from ..values.node import Array, Chunk, Source
from .difference import ArrayDifference, Place, Special
from .elements import SURE, Bench, count_nan, integers, others, reals, ulp_distance
from .tally import Tally, merge
from .tolerance import Limits

__all__ = ["ArrayResult", "compare_arrays", "scalar_place"]

CHUNK = 1 << 19
"""Bytes of a chunk as float64: it and the scratch arrays of its size stay in the second-level cache."""
TEXT = 1 << 20
"""Characters of a chunk of strings, roughly."""
THREADED = 1 << 19
"""Elements from which a second thread pays."""

Family: TypeAlias = Callable[[Tally, int, Chunk, Chunk, str, Limits, Bench], None]


@dataclass(frozen=True, slots=True)
class ArrayResult:
    """What the pass found; `difference` is None when all elements are within the tolerance."""

    checked: int
    used: float
    """Greatest share of the tolerance that was used; 1 from 0.99 on, and when there is a difference."""
    difference: ArrayDifference | None


def compare_arrays(
    expected: Array, actual: Array, limits: Limits, *, step: int | None = None, workers: int | None = None
) -> ArrayResult:
    """Compare all elements of two arrays of equal dtype and shape.

    Elements that are null on one side only are told apart; those null on both sides are no values. `step` elements are
    read at a time. The result depends neither on `step` nor on `workers`.
    """
    size = math.prod(expected.shape)
    text = dtypes.is_text(expected.dtype)
    if step is None:
        step = CHUNK // max(8, dtypes.storage(expected.dtype).itemsize)
    if workers is None:
        workers = 1 if text or size < THREADED else min(2, os.cpu_count() or 1)
    scan = partial(_scan, expected, actual, limits, step)
    bounds = [min(-(-size // (step * workers)) * step * worker, size) for worker in range(workers)] + [size]
    if workers == 1:
        total = merge([scan(0, size)])
    else:
        with ThreadPoolExecutor(workers - 1, thread_name_prefix="mlrepro-compare") as pool:
            rest = [pool.submit(scan, *part) for part in pairwise(bounds[1:])]
            total = merge([scan(bounds[0], bounds[1]), *(part.result() for part in rest)])
    differs = total.outside or "null" in total.specials
    used = 1.0 if differs or total.used >= SURE else total.used
    return ArrayResult(total.checked, used, _facts(expected, actual, limits, total) if differs else None)


def _scan(expected: Array, actual: Array, limits: Limits, step: int, start: int, stop: int) -> Tally:
    tally, bench, family = Tally(), Bench(min(step, max(stop - start, 1))), _family(expected.dtype)
    identical = True
    with np.errstate(all="ignore"):
        for low, high in _ranges(expected, step, start, stop):
            e, a = _values(tally, low, high, expected, actual)
            # a chunk that follows a differing one is likely to differ early: don't read all of it to find out
            identical = (identical or _same(e[:512], a[:512], bench)) and _same(e, a, bench)
            if identical:
                tally.nan_equal += count_nan(e, expected.dtype, bench)
            else:
                family(tally, low, e, a, expected.dtype, limits, bench)
    return tally


def _family(dtype: str) -> Family:
    if dtypes.is_float(dtype) or dtypes.is_complex(dtype):
        return reals
    return integers if dtypes.is_integer(dtype) or dtypes.is_temporal(dtype) else others


def _ranges(array: Array, step: int, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield ascending ranges; those of strings grow and shrink with the length of the strings."""
    if not dtypes.is_text(array.dtype):
        yield from ((low, min(low + step, stop)) for low in range(start, stop, step))
        return
    now = min(step, 64)
    while start < stop:
        high = min(start + now, stop)
        yield start, high
        sample = array.data.read(start, min(start + 64, high))
        length = sum(map(len, sample)) / len(sample)
        now = min(step, 4 * now, max(16, int(TEXT / (length + 64))))
        start = high


def _values(tally: Tally, low: int, high: int, expected: Array, actual: Array) -> tuple[Chunk, Chunk]:
    """Read both sides, with what is null on a side made equal, since nulls are no values."""
    e, a = (np.ascontiguousarray(side.data.read(low, high)) for side in (expected, actual))
    if expected.valid is None and actual.valid is None:
        tally.checked += high - low
        return e, a
    ev, av = _valid(expected.valid, low, high), _valid(actual.valid, low, high)
    tally.special("null", low, ev != av)
    both = ev & av
    tally.checked += int(np.count_nonzero(both))
    if both.all():
        return e, a
    blank = "" if e.dtype.kind == "O" else np.zeros((), e.dtype)
    return np.where(both, e, blank), np.where(both, a, blank)


def _valid(valid: Source | None, low: int, high: int) -> npt.NDArray[np.bool_]:
    return np.ones(high - low, bool) if valid is None else np.array(valid.read(low, high), bool)


def _same(e: Chunk, a: Chunk, bench: Bench) -> bool:
    """Tell whether two chunks hold the same bits; for objects, equal ones."""
    if e.dtype.kind == "O":
        return bool((e == a).all())
    width = min(e.itemsize, 8)
    e, a = e.view(f"uint{8 * width}"), a.view(f"uint{8 * width}")
    out = bench.mask[: e.size] if e.size <= bench.mask.size else None
    return bool(np.equal(e, a, out=out).all())


def _facts(expected: Array, actual: Array, limits: Limits, total: Tally) -> ArrayDifference:
    def place(index: int) -> Place:
        return _place(expected, actual, limits, index)

    found: dict[str, Any] = {name: Special(count, place(first)) for name, (count, first) in total.specials.items()}
    found |= {name: place(index) for name, (_, index) in total.greatest.items()}
    return ArrayDifference(
        total=total.checked,
        outside=total.outside,
        worst=tuple(place(index) for _, index in total.worst),
        nan_equal=total.nan_equal,
        **found,
    )


def _place(expected: Array, actual: Array, limits: Limits, index: int) -> Place:
    where = tuple(int(part) for part in np.unravel_index(index, expected.shape)) if expected.shape else ()
    sides = []
    for array in (expected, actual):
        null = array.valid is not None and not array.valid.read(index, index + 1)[0]
        sides.append(None if null else np.array(array.data.read(index, index + 1)))
    e, a = sides
    with np.errstate(all="ignore"):
        if e is None or a is None:
            return Place(where, _element(e, expected.dtype), _element(a, expected.dtype))
        return scalar_place(where, e, a, expected.dtype, limits)


def _element(chunk: Chunk | None, dtype: str) -> Any:  # an element of any dtype
    return None if chunk is None else dtypes.numbers(chunk, dtype)[0]


def scalar_place(index: tuple[int, ...], e: Chunk, a: Chunk, dtype: str, limits: Limits) -> Place:
    """Return how far apart two arrays of one element are."""
    shown = _element(e, dtype), _element(a, dtype)
    if _family(dtype) is others or _odd(*shown):
        return Place(index, *shown)
    if _family(dtype) is integers:
        return _whole_place(index, *shown, limits)
    wide = complex if dtypes.is_complex(dtype) else float
    one, two = wide(shown[0]), wide(shown[1])
    difference, size = _modulus(two - one), _modulus(one)
    steps = ulp_distance(dtypes.bits(e, dtype), dtypes.bits(a, dtype), signed=not dtype.endswith("e8m0fnu"))
    allowed = None if limits.rtol is None else (limits.atol or 0.0) + limits.rtol * size
    relative = difference / size if size else None
    return Place(index, *shown, difference, relative, int(steps.max()), allowed)


def _modulus(value: complex) -> float:
    """Return the magnitude; infinity when it is beyond float64."""
    try:
        return abs(value)
    except OverflowError:
        return math.inf


def _whole_place(index: tuple[int, ...], expected: Any, actual: Any, limits: Limits) -> Place:
    if expected.dtype.kind in "mM":
        return Place(
            index, expected, actual, abs(int(actual.astype(np.int64)) - int(expected.astype(np.int64))), allowed=0
        )
    e, a = int(expected), int(actual)
    allowed = (limits.atol or 0.0) + (limits.rtol or 0.0) * abs(e)
    return Place(index, expected, actual, abs(a - e), abs(a - e) / abs(e) if e else None, None, allowed)


def _odd(*values: Any) -> bool:
    """Tell whether a value is NaN, NaT or infinite, so that a difference has no size."""
    return any(bool(np.isnat(v)) if v.dtype.kind in "mM" else not np.isfinite(v) for v in values)
