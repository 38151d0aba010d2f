"""Chunks against chunks, one function per family of dtypes; each adds what it finds to a `Tally`.

Every function gets contiguous chunks in storage dtype that are known to differ somewhere. Floats narrower than float64
are widened, which is exact, so that float16, bfloat16, float8 and float32 follow the same arithmetic as float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..values import dtypes
from ..values.node import Chunk
from .tally import Tally
from .tolerance import Limits

__all__ = ["SURE", "Bench", "count_nan", "integers", "others", "reals", "ulp_distance"]

Mask = npt.NDArray[np.bool_]
SURE = 0.99
"""Above this share of the tolerance an element counts as "just inside", and shares are told apart no more."""


class Bench:
    """Reused memory of one thread, so that a pass allocates next to nothing."""

    def __init__(self, step: int) -> None:
        self.d, self.limit, self.score = (np.empty(step) for _ in range(3))
        self.mask = np.empty(step, bool)


def count_nan(chunk: Chunk, dtype: str, bench: Bench) -> int:
    """Return how many elements are NaN or NaT."""
    if dtypes.is_float(dtype) or dtypes.is_complex(dtype):
        values = dtypes.numbers(chunk, dtype)
        return int(np.count_nonzero(np.isnan(values, out=bench.mask[: chunk.size])))
    if chunk.dtype.kind in "mM":
        return int(np.count_nonzero(np.isnat(chunk, out=bench.mask[: chunk.size])))
    return 0


def reals(tally: Tally, start: int, expected: Chunk, actual: Chunk, dtype: str, limits: Limits, bench: Bench) -> None:
    """Compare floats or complex numbers."""
    e, a = _wide(expected, dtype), _wide(actual, dtype)
    n, is_complex = e.size, e.dtype.kind == "c"
    d = _distance(a, e, bench.d[:n])
    e_bits, a_bits = dtypes.bits(expected, dtype), dtypes.bits(actual, dtype)
    scale = 1.0
    if not d.max() < np.inf:
        e, a, e_bits, a_bits = _without_specials(tally, start, e, a, e_bits, a_bits)
        d = _distance(a, e, d)
        if not d.max() < np.inf:  # finite numbers too far apart for a float64: decide at a quarter of the size
            scale, e, a = 0.25, e * 0.25, a * 0.25
            d = _distance(a, e, d)
    ulp = None
    if limits.exact:
        mask = _pairwise(np.not_equal(e_bits, a_bits), is_complex)
        limit = None
        tally.special("zero", start, mask & (d == 0))
    elif limits.rtol is None or limits.atol is None:
        ulp, limit = _ulp(e_bits, a_bits, dtype), None
        mask = ulp > limits.max_ulp
        if limits.max_ulp:
            _use(tally, ulp[~mask].max(initial=0) / limits.max_ulp)
    else:
        mask, limit = _beyond(tally, d, e, limits.rtol, limits.atol * scale, bench)
        if limits.max_ulp and mask.any():
            ulp = _ulp(e_bits, a_bits, dtype)
            mask &= ulp > limits.max_ulp
    count = int(np.count_nonzero(mask))
    if not count:
        return
    tally.outside += count
    at = None
    if count < n:
        at = np.flatnonzero(mask)
        e, d = e[at], d[at]
        limit = None if limit is None else limit[at]
        if ulp is not None:
            ulp = ulp[at]
        else:
            e_bits, a_bits = _rows(e_bits, at, is_complex), _rows(a_bits, at, is_complex)
    if ulp is None:
        ulp = _ulp(e_bits, a_bits, dtype)
    score = bench.score[: d.size]
    if limits.rtol is None:
        tally.keep(ulp, at, start)
    else:
        tally.keep(d if limit is None else np.subtract(d, limit, out=score), at, start)
    tally.great("absolute", d if scale == 1.0 else d / scale, at, start)
    tally.great("ulp", ulp, at, start)
    _relative(tally, start, at, d, np.abs(e, out=score))


def _wide(chunk: Chunk, dtype: str) -> Chunk:
    values = dtypes.numbers(chunk, dtype)
    wide: Chunk = values.astype(np.complex128 if values.dtype.kind == "c" else np.float64, copy=False)
    return wide


def _distance(a: Chunk, e: Chunk, out: Chunk) -> Chunk:
    np.abs(a - e if e.dtype.kind == "c" else np.subtract(a, e, out=out), out=out)
    return out


def _pairwise(mask: Mask, is_complex: bool) -> Mask:
    return np.any(mask.reshape(-1, 2), axis=1) if is_complex else mask


def _rows(bits: Chunk, at: npt.NDArray[np.intp], is_complex: bool) -> Chunk:
    return bits.reshape(-1, 2)[at].reshape(-1) if is_complex else bits[at]


def _without_specials(
    tally: Tally, start: int, e: Chunk, a: Chunk, e_bits: Chunk, a_bits: Chunk
) -> tuple[Chunk, Chunk, Chunk, Chunk]:
    """Settle NaN and infinities, part by part, and return copies in which they are zero on both sides."""
    e, a, e_bits, a_bits = e.copy(), a.copy(), e_bits.copy(), a_bits.copy()
    ep, ap = e.view(np.float64), a.view(np.float64)
    is_complex = e.dtype.kind == "c"
    nan_e, nan_a = np.isnan(ep), np.isnan(ap)
    nan = _pairwise(nan_e != nan_a, is_complex)
    tally.nan_equal += int(np.count_nonzero(_pairwise(nan_e & nan_a, is_complex) & ~nan))
    odd = ~(np.isfinite(ep) & np.isfinite(ap))
    infinite = _pairwise(odd & ~nan_e & ~nan_a & (ep != ap), is_complex) & ~nan
    tally.outside += tally.special("nan", start, nan) + tally.special("infinite", start, infinite)
    settled = nan | infinite
    odd |= np.repeat(settled, 2) if is_complex else settled
    for part in (ep, ap, e_bits, a_bits):
        part[odd] = 0
    return e, a, e_bits, a_bits


def _beyond(tally: Tally, d: Chunk, e: Chunk, rtol: float, atol: float, bench: Bench) -> tuple[Mask, Chunk | None]:
    """Return which elements are outside, and the limits.

    The first comparison is with the share of the tolerance that was used so far, which also settles that nothing is
    outside; only a chunk that goes beyond it pays for a division. Multiplication and addition round monotonically, so a
    smaller share never gives a greater limit. Once something is outside, the share is of no interest any more.
    """
    n = d.size
    share = tally.used if tally.used < SURE and not tally.outside else 1.0
    mask = np.greater(d, _limit(e, rtol * share, atol * share, bench.limit[:n]), out=bench.mask[:n])
    if share == 1.0 or not mask.any():
        return mask, bench.limit[:n]
    limit = _limit(e, rtol, atol, bench.limit[:n])
    np.greater(d, limit, out=mask)
    ratio = np.divide(d, limit, out=bench.score[:n])
    ratio[mask | (d == 0)] = 0
    _use(tally, ratio.max())
    return mask, limit


def _limit(e: Chunk, rtol: float, atol: float, out: Chunk) -> Chunk:
    np.multiply(np.abs(e, out=out), rtol, out=out)
    return np.add(out, atol, out=out) if atol else out


def _use(tally: Tally, share: Any) -> None:  # a float of numpy or Python
    tally.used = max(tally.used, min(float(share), 1.0))


def _relative(tally: Tally, start: int, at: npt.NDArray[np.intp] | None, d: Chunk, size: Chunk) -> None:
    relative = np.divide(d, size, out=size)
    if not relative.max() < np.inf:
        relative[~(relative < np.inf)] = -1
    if relative.max() >= 0:
        tally.great("relative", relative, at, start)


def _ulp(e_bits: Chunk, a_bits: Chunk, dtype: str) -> Chunk:
    distance = ulp_distance(e_bits, a_bits, signed=not dtype.endswith("e8m0fnu"))
    return distance.reshape(-1, 2).max(axis=1) if dtypes.is_complex(dtype) else distance


def ulp_distance(e_bits: Chunk, a_bits: Chunk, *, signed: bool = True) -> Chunk:
    """Return steps between neighbours, from patterns of sign and magnitude: -0.0 and 0.0 are no step apart."""
    width = e_bits.itemsize * 8
    if not signed:
        steps: Chunk = np.abs(e_bits.astype(np.int64) - a_bits.astype(np.int64))
        return steps
    e, a = e_bits.view(f"int{width}"), a_bits.view(f"int{width}")
    steps = np.subtract(e, a, dtype=np.int64)
    np.abs(steps, out=steps)
    steps = steps.view(np.uint64)
    if np.bitwise_xor(e, a).min() < 0:
        apart = np.flatnonzero((e ^ a) < 0)
        magnitude = e_bits.dtype.type((1 << (width - 1)) - 1)
        one, two = ((side[apart] & magnitude).astype(np.uint64, copy=False) for side in (e_bits, a_bits))
        steps[apart] = one + two
    return steps


def integers(tally: Tally, start: int, expected: Chunk, actual: Chunk, dtype: str, limits: Limits, _: Bench) -> None:
    """Compare integers, or times as counts of their unit, without overflow."""
    if expected.dtype.kind in "mM":
        nat_e, nat_a = np.isnat(expected), np.isnat(actual)
        tally.nan_equal += int(np.count_nonzero(nat_e & nat_a))
        tally.outside += tally.special("nan", start, nat_e != nat_a)
        expected, actual = (np.where(nat_e | nat_a, 0, side.view(np.int64)) for side in (expected, actual))
    wide = np.uint64 if expected.dtype.kind == "u" else np.int64
    e, a = expected.astype(wide, copy=False), actual.astype(wide, copy=False)
    d = np.maximum(e, a).view(np.uint64) - np.minimum(e, a).view(np.uint64)
    size = np.abs(e.astype(np.float64))
    allowed = _whole(size * (limits.rtol or 0.0) + (limits.atol or 0.0))
    mask = d > allowed
    inside = d[~mask] / np.maximum(allowed[~mask], 1)
    _use(tally, inside.max(initial=0.0))
    at = np.flatnonzero(mask)
    if at.size:
        tally.outside += at.size
        tally.keep((d - allowed)[at], at, start)
        tally.great("absolute", d[at], at, start)
        if expected.dtype.kind not in "mM" and not dtypes.is_temporal(dtype):
            _relative(tally, start, at, d[at].astype(np.float64), size[at])


def _whole(allowed: Chunk) -> Chunk:
    """Return the greatest whole number that is allowed, as uint64."""
    huge = allowed >= 2.0**64
    return np.where(huge, np.uint64(2**64 - 1), np.where(huge, 0.0, allowed).astype(np.uint64))


def others(tally: Tally, start: int, expected: Chunk, actual: Chunk, dtype: str, limits: Limits, _: Bench) -> None:
    """Compare booleans, strings and bytes, which are equal or not; the first places are kept."""
    mask = np.asarray(expected != actual, dtype=bool)
    at = np.flatnonzero(mask)
    if at.size:
        tally.outside += at.size
        tally.keep(np.ones(at.size, np.int8), at, start)
