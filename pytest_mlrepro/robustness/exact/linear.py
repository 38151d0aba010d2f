"""The least value of an affine function over a ball inside bounds, with where it is: in closed form, for each norm.

Linf: each element goes to its edge. L1: a fractional knapsack, the steepest element first, each up to its bound.
L2: by duality (Boyd and Vandenberghe, *Convex Optimization*, 2004, section 5.5) the point is the step against the slope,
clipped to the bounds; its length grows with the step, which a bisection finds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..threats import Bounds, Norm

__all__ = ["lowest"]

Matrix = NDArray[np.float64]
_HALVINGS = 200
"""More than the doubles between any two steps."""


def lowest(slope: Matrix, x: Matrix, norm: Norm, epsilon: float, bounds: Bounds | None) -> tuple[Matrix, Matrix]:
    """Return the least of `slope @ (y - x)` over the y in the ball and the bounds, (samples,), and y, (samples, features)."""
    least, most = (-np.inf, np.inf) if bounds is None else bounds
    low, high = np.minimum(least, x), np.maximum(most, x)
    room = np.where(slope == 0, 0.0, np.where(slope > 0, x - low, high - x))  # how far each element can go downhill
    match norm:
        case "linf":
            far = np.minimum(room, epsilon)
        case "l1":
            far = _knapsack(np.abs(slope), room, epsilon)
        case _:
            far = _clipped_step(np.abs(slope), room, epsilon)
    return -(np.abs(slope) * far).sum(1), np.clip(x - np.sign(slope) * far, low, high)


def _knapsack(gain: Matrix, room: Matrix, epsilon: float) -> Matrix:
    order = np.argsort(-gain, axis=1, kind="stable")
    sorted_room = np.minimum(np.take_along_axis(room, order, axis=1), epsilon)
    spent = np.cumsum(sorted_room, axis=1) - sorted_room
    far = np.empty_like(room)
    np.put_along_axis(far, order, np.clip(epsilon - spent, 0, sorted_room), axis=1)
    return far


def _clipped_step(gain: Matrix, room: Matrix, epsilon: float) -> Matrix:
    """Return min(step * gain, room) of length epsilon, or all of the room where that is shorter."""
    room = np.minimum(room, epsilon)
    whole = np.sqrt((room * room).sum(1)) <= epsilon
    steepest = gain.max(1, initial=0.0)
    smallest = np.min(np.where(gain > 0, gain, np.inf), axis=1, initial=np.inf)
    most = epsilon / np.where(np.isfinite(smallest), smallest, 1.0)  # here every element has reached its room
    least = epsilon / np.where(steepest > 0, steepest, 1.0) / max(1.0, gain.shape[1] ** 0.5)
    for _ in range(_HALVINGS):
        middle = np.sqrt(least) * np.sqrt(most)
        short = np.sqrt((np.minimum(middle[:, None] * gain, room) ** 2).sum(1)) <= epsilon
        if ((middle == least) | (middle == most)).all():
            break
        least, most = np.where(short, middle, least), np.where(short, most, middle)
    return np.where(whole[:, None], room, np.minimum(least[:, None] * gain, room))
