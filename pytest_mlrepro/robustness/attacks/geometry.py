"""Each norm's ball for gradient steps: where to start, which way is steepest, and the way back inside. Tensors throughout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..._lazy import loaded
from ..inputs import Floats
from ..threats import Ball
from .base import broadcast

__all__ = ["Geometry", "geometry_of"]


class Geometry(Protocol):
    """A ball around each sample of a batch; everything is (batch, ...)."""

    first_step: float

    def random(self, draws: Any) -> Any:
        """Return a starting point inside for draws that are uniform in [-1, 1)."""

    def steepest(self, slope: Any, at: Any) -> Any:
        """Return the direction of length one in which the loss rises most."""

    def project(self, x: Any) -> Any:
        """Return a point inside for any point."""


def geometry_of(ball: Ball, x: Any) -> Geometry:
    """Return the ball around the samples `x`."""
    kinds: dict[str, type[_Linf] | type[_L2] | type[_L1] | type[_L0]] = {"linf": _Linf, "l2": _L2, "l1": _L1, "l0": _L0}
    return kinds[ball.norm](ball, x)


class _Linf:
    def __init__(self, ball: Ball, x: Any) -> None:
        torch: Any = loaded("torch")
        low, high = ball.bounds or (-float("inf"), float("inf"))
        wide = x.double()
        self.low = _inwards((wide - ball.epsilon).clamp_min(low), x.dtype, float("inf"), torch)
        self.high = _inwards((wide + ball.epsilon).clamp_max(high), x.dtype, -float("inf"), torch)
        self.low, self.high = torch.minimum(self.low, x), torch.maximum(self.high, x)
        self.first_step = 2 * ball.epsilon

    def random(self, draws: Any) -> Any:
        return self.low + (draws + 1) / 2 * (self.high - self.low)

    def steepest(self, slope: Any, at: Any) -> Any:
        return slope.sign()

    def project(self, x: Any) -> Any:
        return x.maximum(self.low).minimum(self.high)


def _inwards(edge: Any, dtype: Any, inside: float, torch: Any) -> Any:
    """Round the edge of a box to the dtype, never outwards: x + epsilon in float32 may lie an ulp too far."""
    rounded = edge.to(dtype)
    beyond = rounded.double() < edge if inside > 0 else rounded.double() > edge
    return torch.where(beyond, torch.nextafter(rounded, torch.full_like(rounded, inside)), rounded)


class _L2:
    def __init__(self, ball: Ball, x: Any) -> None:
        self.x, self.epsilon, self.bounds = x, ball.epsilon, ball.bounds
        self.first_step = 2 * ball.epsilon

    def random(self, draws: Any) -> Any:
        return self.project(
            self.x + self.epsilon * draws / _norm(draws) * broadcast(draws.flatten(1)[:, 0].abs(), draws)
        )

    def steepest(self, slope: Any, at: Any) -> Any:
        return slope / _norm(slope)

    def project(self, x: Any) -> Any:
        change = x - self.x
        change = change * (self.epsilon / _norm(change)).clamp_max(1)
        return _clamped(self.x + change, self.bounds)  # clipping to a box around x only shortens the change


def _norm(x: Any) -> Any:
    return broadcast(x.flatten(1).norm(dim=1).clamp_min(1e-12), x)


def _clamped(x: Any, bounds: tuple[float, float] | None) -> Any:
    return x if bounds is None else x.clamp(*bounds)


@dataclass(slots=True)
class _Sparse:
    """Steps along the steepest elements that can still move: the share of them is `share`, as in APGD for L1.

    Source: Croce and Hein, "Mind the box: l1-APGD for sparse adversarial attacks on image classifiers", ICML 2021.
    """

    ball: Ball
    x: Any
    first_step: float = 0.0

    def room(self, slope: Any, at: Any) -> Any:
        """Return which elements can move in the direction of the slope without leaving the bounds."""
        if self.ball.bounds is None:
            return slope != 0
        low, high = self.ball.bounds
        return ((slope > 0) & (at < high)) | ((slope < 0) & (at > low))


class _L1(_Sparse):
    def __init__(self, ball: Ball, x: Any) -> None:
        super().__init__(ball, x, ball.epsilon)
        self.keep = max(1, round(0.02 * x[0].numel()))  # fewer break more (benchmarks/robustness.py)

    def random(self, draws: Any) -> Any:
        flat = draws.flatten(1)
        sharp = flat.sign() * flat.abs() ** 8  # near to few elements, as points of an L1 ball are
        return self.project(self.x + self.ball.epsilon * (sharp / sharp.abs().sum(1, keepdim=True)).view_as(draws))

    def steepest(self, slope: Any, at: Any) -> Any:
        flat = (slope * self.room(slope, at)).flatten(1)
        least = flat.abs().topk(self.keep, dim=1).values[:, -1:]
        sparse = flat.sign() * (flat.abs() >= least)
        return (sparse / sparse.abs().sum(1, keepdim=True).clamp_min(1)).view_as(slope)

    def project(self, x: Any) -> Any:
        """Project onto the meeting of ball and bounds: shrink all elements by one amount that bisection finds."""
        change = (x - self.x).flatten(1)
        size, cap = change.abs(), self._cap(change)
        low, high = size.new_zeros(len(size), 1), size.amax(1, keepdim=True)
        fits = size.minimum(cap).sum(1, keepdim=True) <= self.ball.epsilon
        for _ in range(25):
            middle = (low + high) / 2
            over = (size - middle).clamp_min(0).minimum(cap).sum(1, keepdim=True) > self.ball.epsilon
            low, high = middle.where(over, low), high.where(over, middle)
        shrunk = (size - high.masked_fill(fits, 0)).clamp_min(0).minimum(cap) * change.sign()
        return _clamped(self.x + shrunk.view_as(x), self.ball.bounds)

    def _cap(self, change: Any) -> Any:
        if self.ball.bounds is None:
            return change.new_full((1, 1), float("inf"))
        low, high = self.ball.bounds
        flat = self.x.flatten(1)
        return (high - flat).where(change > 0, flat - low)


class _L0(_Sparse):
    """Projected descent that keeps the greatest changes.

    Source: Croce and Hein, "Sparse and imperceivable adversarial attacks", ICCV 2019 (PGD_0).
    """

    def __init__(self, ball: Ball, x: Any) -> None:
        assert ball.bounds is not None
        low, high = ball.bounds
        super().__init__(ball, x, (high - low) * min(int(ball.epsilon), x[0].numel()))
        self.keep = min(int(ball.epsilon), x[0].numel())

    def random(self, draws: Any) -> Any:
        assert self.ball.bounds is not None
        low, high = self.ball.bounds
        return self.project(self.x + draws * (high - low) / 2)

    def steepest(self, slope: Any, at: Any) -> Any:
        flat = slope * self.room(slope, at)
        return flat / broadcast(flat.abs().flatten(1).sum(1).clamp_min(1e-30), flat)

    def project(self, x: Any) -> Any:
        """Keep the elements whose change brings the point nearest to `x`, counting what the bounds allow of it."""
        inside = _clamped(x, self.ball.bounds)
        change, allowed = (x - self.x).flatten(1), (inside - self.x).flatten(1)
        gain = change**2 - (change - allowed) ** 2
        kept = gain.topk(self.keep, dim=1).indices
        mask = gain.new_zeros(gain.shape).scatter_(1, kept, 1.0).bool()
        return inside.where(mask.view_as(x), self.x)


def uniform_draws(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Return draws in [-1, 1) for `Geometry.random`."""
    return rng.uniform(-1, 1, shape)
