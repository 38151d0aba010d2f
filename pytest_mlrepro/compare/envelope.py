"""How far runs of the same code were seen apart, leaf by leaf, as the tolerances that just allow it, times a safety factor.

Each leaf of floats gets one number r: elements are within when `|actual - expected| <= r * (|expected| + scale)`, so `rtol` is
r and `atol` is r times the scale. The scale is the median magnitude of the leaf's elements that are not zero, since an
element near zero is mostly what is left of larger ones: its error is theirs. A leaf of one number needs no scale, and one
of zeros has none: there `atol` is the greatest difference itself. What never varied is exact: a factor times nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..values import dtypes
from ..values.node import Array, Chunk, Group, Node, Scalar, Source
from ..values.sources import FlatSource
from .elements import ulp_distance
from .tolerance import Tolerance, Tolerances, tolerances
from .walk import compare, dotted

__all__ = ["Envelope", "envelope", "not_numeric"]

Floats = npt.NDArray[np.float64]
CHUNK = 1 << 16
SAMPLED = 1 << 20
"""Elements at most that the scale is taken from, evenly spread."""
ANY = Tolerances(Tolerance(max_ulp=2**64 - 1))
"""Allows any finite float in the place of another, and nothing else."""
TINY = float(np.nextafter(0.0, 1.0))
EXACT = Tolerance(rtol=0.0, atol=0.0)
BUMPS = 12


@dataclass(frozen=True, slots=True)
class Envelope:
    """What was seen."""

    tolerances: Tolerances
    varied: int
    """Leaves that varied."""
    leaves: int
    largest: str
    """The greatest difference in words, with its place; "" if nothing varied."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A piece of two leaves, as float64 or complex128."""

    expected: Chunk
    actual: Chunk
    ulp: int
    """The greatest distance in steps between neighbours."""
    varied: bool
    """Whether any bit differs, the sign of a zero too."""


def not_numeric(golden: Node, run: Node) -> str:
    """Return in a line how a run differs in what no tolerance should allow; "" if only finite floats differ.

    That is: keys, kinds, shapes, integers, booleans, texts, and NaN or infinities at other places.
    """
    return compare(golden, run, ANY).headline


def envelope(golden: Node, runs: Sequence[Node], factor: float) -> Envelope:
    """Return the tolerances, relative to `golden`, that allow `factor` times what these runs differ from it.

    Every run is within them, and with factor 1 at least one element of each leaf that varied is at the bound. The order of
    runs makes no difference. Each run must have passed `not_numeric`. Raises OverflowError for two floats whose
    difference is none.
    """
    found: dict[str, Tolerance] = {}
    leaves, most = 0, (0.0, 0, "")
    for path, expected, others in _leaves(golden, runs, ""):
        leaves += 1
        if _real(expected):
            with np.errstate(all="ignore"):
                tolerance, size, ulp = _leaf(expected, others, factor)
            if tolerance is not None:
                found[path] = _wider(found.get(path), tolerance)  # a key with a dot may read like a path
                most = max(most, (size, ulp, path))
    return Envelope(_tolerances(found), len(found), leaves, _words(*most) if found else "")


def _tolerances(found: dict[str, Tolerance]) -> Tolerances:
    if "" in found:
        return Tolerances(found[""])
    return Tolerances(EXACT, tolerances(tolerance={_literally(path): t for path, t in found.items()}).globs)


def _literally(path: str) -> str:
    """Return a glob that matches the path alone."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)


def _wider(one: Tolerance | None, two: Tolerance) -> Tolerance:
    if one is None:
        return two
    assert one.rtol is not None and one.atol is not None and two.rtol is not None and two.atol is not None  # noqa: PT018
    return Tolerance(rtol=max(one.rtol, two.rtol), atol=max(one.atol, two.atol))


def _words(size: float, ulp: int, path: str) -> str:
    steps = f"{ulp:,} ulp" if ulp < 10**6 else f"{size:.2g} relative to what is typical"
    return f"{steps} at {path}" if path else steps


def _leaves(golden: Node, runs: Sequence[Node], path: str) -> Iterator[tuple[str, Array | Scalar, list[Any]]]:
    """Yield the dotted path of each leaf, the leaf, and its counterpart in each run."""
    if not isinstance(golden, Group):
        yield path, golden, list(runs)
        return
    parts = [run.children for run in runs if isinstance(run, Group)]
    for place, (label, child) in enumerate(golden.children):
        name = f"{path}.{dotted(label)}" if path else dotted(label)
        yield from _leaves(child, [children[place][1] for children in parts], name)


def _real(leaf: Array | Scalar) -> bool:
    if isinstance(leaf, Scalar):
        return leaf.kind in ("float", "complex")
    return dtypes.is_float(leaf.dtype) or dtypes.is_complex(leaf.dtype)


def _leaf(golden: Array | Scalar, runs: list[Array | Scalar], factor: float) -> tuple[Tolerance | None, float, int]:
    """Return the tolerance of a leaf (None: nothing varied), the greatest difference relative to its size, and in ulp."""
    expected = _array(golden)
    varied = [run for run in map(_array, runs) if any(pair.varied for pair in _chunks(expected, run))]
    if not varied:
        return None, 0.0, 0
    scale = _scale(expected)
    share = greatest = 0.0
    steps = 0
    for run in varied:
        for pair in _chunks(expected, run):
            apart = np.abs(pair.actual - pair.expected)
            if not np.isfinite(apart).all():
                raise OverflowError("the difference of two of its floats is beyond a float")
            sizes = np.abs(pair.expected) / 4 + scale / 4
            relative = np.divide(apart / 4, sizes, out=np.zeros_like(apart), where=apart > 0)
            share, greatest = max(share, float(relative.max())), max(greatest, float(apart.max()))
            steps = max(steps, pair.ulp)
    return _allowing(expected, varied, (scale, share * factor, greatest * factor)), share, steps


def _allowing(golden: Array, runs: list[Array], sizes: tuple[float, float, float]) -> Tolerance:
    """Return a tolerance that all runs are within, as the comparison rounds it; the form with `atol` alone always is one."""
    scale, share, greatest = sizes
    alone = Tolerance(rtol=0.0, atol=max(greatest, TINY))  # TINY: only the sign of a zero varied
    if not share or not np.isfinite(share):
        return alone
    for bump in range(BUMPS):
        rtol = share * (1 + (2.0**bump - 1) * 2.0**-52)
        atol = rtol * scale
        if not np.isfinite(atol):
            return alone
        if all(_within(golden, run, rtol, atol) for run in runs):
            return Tolerance(rtol=rtol, atol=atol)
    return alone


def _within(golden: Array, run: Array, rtol: float, atol: float) -> bool:
    if not rtol and not atol:
        return False
    return all(
        bool((np.abs(pair.actual - pair.expected) <= np.abs(pair.expected) * rtol + atol).all())
        for pair in _chunks(golden, run)
    )


def _chunks(expected: Array, run: Array) -> Iterator[Pair]:
    """Yield both sides in pieces."""
    for start in range(0, expected.data.size, CHUNK):
        yield _pair(expected, run, start, min(start + CHUNK, expected.data.size))


def _pair(expected: Array, run: Array, start: int, stop: int) -> Pair:
    """Return a piece with what is null, NaN or infinite made zero on both sides, part by part, as the comparison does."""
    raw = [np.ascontiguousarray(side.data.read(start, stop)) for side in (expected, run)]
    wide = [_wide(side, expected.dtype).copy() for side in raw]
    bits = [dtypes.bits(side, expected.dtype).copy() for side in raw]
    parts = [side.view(np.float64) for side in wide]
    odd = ~(np.isfinite(parts[0]) & np.isfinite(parts[1]))
    for valid in (expected.valid, run.valid):
        if valid is not None:
            odd |= np.repeat(~np.asarray(valid.read(start, stop), bool), odd.size // (stop - start))
    for side in (*parts, *bits):
        side[odd] = 0
    steps = ulp_distance(*bits, signed=not expected.dtype.endswith("e8m0fnu"))
    return Pair(wide[0], wide[1], int(steps.max()), bool((bits[0] != bits[1]).any()))


def _wide(chunk: Chunk, dtype: str) -> Chunk:
    values = dtypes.numbers(chunk, dtype)
    wide: Chunk = values.astype(np.complex128 if values.dtype.kind == "c" else np.float64, copy=False)
    return wide


def _scale(golden: Array) -> float:
    """Return the median magnitude of what is finite and not zero; 0 for a single number, and where there is nothing."""
    size = golden.data.size
    if size == 1:
        return 0.0
    step = -(-size // SAMPLED)
    taken = [
        _every(golden.data, golden.dtype, start, min(start + CHUNK, size), step) for start in range(0, size, CHUNK)
    ]
    sizes = np.concatenate(taken)
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    return float(np.median(sizes)) if sizes.size else 0.0


def _every(source: Source, dtype: str, start: int, stop: int, step: int) -> Floats:
    chunk = np.ascontiguousarray(source.read(start, stop))[-start % step :: step]
    sizes: Floats = np.abs(_wide(chunk, dtype))
    return sizes


def _array(leaf: Array | Scalar) -> Array:
    if isinstance(leaf, Array):
        return leaf
    dtype = "complex128" if leaf.kind == "complex" else "float64"
    return Array("list", dtype, (1,), FlatSource(np.array([leaf.value], dtype)))
