"""Threats: what may be done to an input. A threat is a value, so that a test states it and a report repeats it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import Any, ClassVar, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .corruption import Corruption
from .tabular import Tabular

__all__ = ["L0", "L1", "L2", "SLACK", "Ball", "Bounds", "Linf", "Norm", "Threat"]

Norm: TypeAlias = Literal["linf", "l2", "l1", "l0"]
Threat: TypeAlias = "Ball | Tabular | Corruption"
"""What a test may ask for."""
Bounds: TypeAlias = tuple[float, float]
Floats: TypeAlias = NDArray[Any]

SLACK = 1e-6
"""How far outside of its ball a counterexample may lie, relative to epsilon: what rounding makes of a point on the edge."""


@dataclass(frozen=True, slots=True)
class Ball:
    """All inputs within `epsilon` of the given one, and inside `bounds` if there are some.

    `epsilon` is in the units of the input; `bounds` are the least and the greatest value that an element of an input
    can have, `(0, 1)` for usual images, and None if everything is allowed.

    Raises:
        UsageError: epsilon is no positive number, or bounds are no pair of finite numbers in order.
    """

    epsilon: float
    bounds: Bounds | None = None
    norm: ClassVar[Norm]

    def __post_init__(self) -> None:
        name = type(self).__name__
        if not _number(self.epsilon) or not self.epsilon > 0:
            raise UsageError(f"{name}(epsilon): a positive number is expected, got {self.epsilon!r}")
        object.__setattr__(self, "epsilon", float(self.epsilon))
        if self.bounds is not None:
            object.__setattr__(self, "bounds", _bounds(name, self.bounds))

    def distance(self, x: Floats, y: Floats) -> NDArray[np.float64]:
        """Return how far each sample of `y` is from that of `x` in this norm: (batch, ...) and (batch, ...) to (batch,)."""
        change = _flat(np.asarray(y, np.float64) - np.asarray(x, np.float64))
        return _NORMS[self.norm](change)

    def project(self, x: Floats, origin: Floats, rounded: Callable[[Floats], Floats] | None = None) -> Floats:
        """Return `x` moved into the ball around `origin` and into the bounds, in the dtype of `origin`.

        Shapes (batch, ...). The result is inside (to `SLACK`), and is `x` itself where that was inside; for L2 and L1
        it is the radial scaling of the change, not the nearest point. NaN goes to the origin. `rounded` rounds to a
        coarser dtype that a model has; `origin` must be rounded so already.
        """
        centre = np.asarray(origin, np.float64)
        change = np.nan_to_num(np.asarray(x, np.float64) - centre, nan=0.0)
        if self.bounds is not None:
            change = np.clip(centre + change, *self.bounds) - centre
        change = self._shorten(change)
        moved, out = origin, np.ones(len(origin), np.bool_)
        for inward in (
            0.0,
            2e-6,
            3e-5,
            5e-4,
            8e-3,
        ):  # as far as rounding has left the ball, first of float32, then of halves
            change[out] *= 1 - inward
            moved = (centre + change).astype(origin.dtype)
            moved = moved if rounded is None else rounded(moved)
            out = ~self.contains(moved, origin)
            if not out.any():
                return moved
        return np.where(out.reshape(-1, *[1] * (origin.ndim - 1)), origin, moved)

    def contains(self, x: Floats, origin: Floats) -> NDArray[np.bool_]:
        """Tell which samples of `x` are in the ball around those of `origin` and in the bounds, both to `SLACK`."""
        inside = self.distance(origin, x) <= self.epsilon * (1 + SLACK)
        if self.bounds is not None:
            low, high = self.bounds
            slack = SLACK * (high - low)
            flat = _flat(np.asarray(x, np.float64))
            inside &= (flat.min(1) >= low - slack) & (flat.max(1) <= high + slack)
        return inside

    def between(self, origin: Floats, point: Floats, part: float) -> Floats:
        """Return what lies on the straight way from `origin` to `point`, `part` of it from 0 to 1, in their dtype."""
        return (origin + part * (point.astype(np.float64) - origin)).astype(point.dtype)

    def _shorten(self, change: NDArray[np.float64]) -> NDArray[np.float64]:
        size = _NORMS[self.norm](_flat(change))
        factor = np.minimum(1.0, self.epsilon / np.maximum(size, np.finfo(np.float64).tiny))
        return cast("NDArray[np.float64]", change * factor.reshape(-1, *[1] * (change.ndim - 1)))

    def __str__(self) -> str:
        """Return what makes this threat again, with the epsilon as people write it: `Linf(8/255, bounds=(0, 1))`."""
        bounds = "" if self.bounds is None else f", bounds=({self.bounds[0]:.12g}, {self.bounds[1]:.12g})"
        return f"{type(self).__name__}({spelled(self.epsilon)}{bounds})"


@dataclass(frozen=True, slots=True)
class Linf(Ball):
    """Each element may change by at most `epsilon`: `Linf(8/255, bounds=(0, 1))`."""

    norm: ClassVar[Norm] = "linf"

    def __post_init__(self) -> None:
        Ball.__post_init__(self)
        if self.bounds is not None and self.epsilon > self.bounds[1] - self.bounds[0]:
            low, high = self.bounds
            raise UsageError(
                f"Linf(epsilon): {self.epsilon:g} is more than the whole width of the bounds ({low:g}, {high:g}), so that "
                f"every input is allowed; for {self.epsilon:g} steps of 255 write Linf({self.epsilon:g}/255)"
            )

    def _shorten(self, change: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(change, -self.epsilon, self.epsilon)


@dataclass(frozen=True, slots=True)
class L2(Ball):
    """The Euclidean length of the change is at most `epsilon`."""

    norm: ClassVar[Norm] = "l2"


@dataclass(frozen=True, slots=True)
class L1(Ball):
    """The sum of the absolute changes of all elements is at most `epsilon`."""

    norm: ClassVar[Norm] = "l1"


@dataclass(frozen=True, slots=True)
class L0(Ball):
    """At most `epsilon` elements change, to anything inside the bounds; a colour pixel has three elements.

    Raises `UsageError` also without bounds: an element that may become anything has no useful answer.
    """

    norm: ClassVar[Norm] = "l0"

    def __post_init__(self) -> None:
        Ball.__post_init__(self)
        if self.epsilon != int(self.epsilon):
            raise UsageError(f"L0(epsilon): a whole number of elements is expected, got {self.epsilon!r}")
        if self.bounds is None:
            raise UsageError(
                "L0(bounds): needed, since a changed element may become anything inside them: bounds=(0, 1)"
            )

    def _shorten(self, change: NDArray[np.float64]) -> NDArray[np.float64]:
        """Keep the greatest changes and undo the others."""
        flat, keep = _flat(change), int(self.epsilon)
        if keep >= flat.shape[1]:
            return change
        kept = np.zeros_like(flat)
        where = np.argpartition(-np.abs(flat), keep - 1, axis=1)[:, :keep]
        np.put_along_axis(kept, where, np.take_along_axis(flat, where, axis=1), axis=1)
        return kept.reshape(change.shape)


def _l0(change: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((change != 0).sum(1), np.float64)


def _l1(change: NDArray[np.float64]) -> NDArray[np.float64]:
    return cast("NDArray[np.float64]", np.abs(change).sum(1))


def _l2(change: NDArray[np.float64]) -> NDArray[np.float64]:
    return cast("NDArray[np.float64]", np.sqrt((change * change).sum(1)))


def _linf(change: NDArray[np.float64]) -> NDArray[np.float64]:
    return cast("NDArray[np.float64]", np.abs(change).max(1, initial=0.0))


_NORMS = {"linf": _linf, "l2": _l2, "l1": _l1, "l0": _l0}


def _flat(x: NDArray[Any]) -> NDArray[Any]:
    return x.reshape(len(x), math.prod(x.shape[1:]))


def _number(value: Any) -> bool:
    return type(value) is not bool and isinstance(value, Real) and math.isfinite(value)


def _bounds(name: str, bounds: object) -> Bounds:
    pair = tuple(bounds) if isinstance(bounds, tuple | list) else ()
    if len(pair) != 2 or not all(map(_number, pair)) or not pair[0] < pair[1]:
        raise UsageError(f"{name}(bounds): two finite numbers in order are expected, as (0, 1), got {bounds!r}")
    return float(pair[0]), float(pair[1])


def spelled(number: float) -> str:
    """Return a number as people write it: steps of 255 as a fraction, else the shortest text that reads back to it."""
    steps = Fraction(number * 255).limit_denominator(4)
    short = repr(number).removesuffix(".0")
    if len(short) > 8 and steps and float(steps / 255) == number:
        top = f"{steps.numerator}" if steps.denominator == 1 else f"{float(steps):g}"
        return f"{top}/255"
    return short
