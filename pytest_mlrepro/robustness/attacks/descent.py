"""Gradient attacks: projected steps with momentum, whose length each sample halves for itself when it gets no further.

The schedule is that of Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse
parameter-free attacks", ICML 2020 (Auto-PGD). Unlike there, each sample keeps the first point that breaks it, and a
batch ends once all are broken. foolbox has no such attack, and its PGD draws from one generator for a whole batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from ..._lazy import loaded
from ..generators import drawn
from ..goal import Goal
from ..inputs import Floats
from ..models import Meter
from ..threats import Ball
from .base import Batch, Kind, broadcast
from .geometry import Geometry, geometry_of, uniform_draws
from .losses import Loss, Objective, objective

__all__ = ["Descent", "enabled", "slopes"]

_MOMENTUM = 0.75
_RISING = 0.75
"""Share of steps since the last checkpoint that must have raised the loss, or the step is halved."""


@dataclass(frozen=True, slots=True)
class Descent:
    """`steps` projected gradient steps on one loss, from the sample itself or from a random point of the ball."""

    steps: int
    loss: Loss = "margin"
    number: int = 1
    """Of a targeted loss: which other class, counted from the likeliest."""
    start: int | None = None
    """None starts at the sample; a number is the restart whose random point it starts from."""
    kind: ClassVar[Kind] = "gradient"

    @property
    def label(self) -> str:
        """Return `50 steps on the margin, restart 1` and the like."""
        if self.steps == 1 and self.start is None:
            return f"one gradient step on the {self.loss}"
        of = f"towards class {self.number} by likelihood" if self.loss == "target" else f"on the {self.loss}"
        return f"{self.steps} gradient steps {of}" + ("" if self.start is None else f", start {self.start}")

    @property
    def cost(self) -> int:
        """Return the forward passes; there are as many backward ones, but one."""
        return self.steps + 1 + (self.loss == "target")

    def __call__(self, meter: Meter, batch: Batch, ball: Ball) -> Floats:
        """Return for each sample the first point that breaks it, or the one of the greatest loss."""
        network = meter.network
        assert network is not None
        x = network.tensor(batch.x)
        geometry = geometry_of(ball, x)
        start = x
        if self.start is not None:
            shape = batch.x.shape[1:]
            draws = drawn(batch.keys, (1, self.start), lambda rng: uniform_draws(rng, shape))
            start = geometry.random(network.tensor(draws.astype(batch.x.dtype)))
        targeted = self.loss == "target" and batch.goal.targets is not None
        with enabled():
            clean = meter.tensor_scores(x).detach() if targeted else None
            loss = objective(self.loss, batch.goal, self.number, clean, x.device)
            return network.array(_climb(meter, batch.goal, geometry, loss, start, self.steps)).astype(batch.x.dtype)


def enabled() -> Any:
    """Return a context in which torch keeps graphs, whatever the caller has set."""
    torch: Any = loaded("torch")
    return torch.enable_grad()


def slopes(meter: Meter, loss: Objective, x: Any) -> tuple[Any, Any, Any]:
    """Return scores (batch, columns), losses (batch,) and the slope of the loss (batch, ...), zero where there is none."""
    torch: Any = loaded("torch")
    x = x.detach().requires_grad_()
    scores = meter.tensor_scores(x)
    losses = loss(scores)
    slope = None
    if losses.requires_grad:
        meter.gradients += len(x)
        (slope,) = torch.autograd.grad(losses.sum(), x, allow_unused=True)
    slope = torch.zeros_like(x) if slope is None else torch.nan_to_num(slope, nan=0.0, posinf=0.0, neginf=0.0)
    return scores.detach(), torch.nan_to_num(losses.detach(), nan=-float("inf")), slope


def _climb(meter: Meter, goal: Goal, geometry: Geometry, loss: Objective, x: Any, steps: int) -> Any:
    torch: Any = loaded("torch")
    scores, best_loss, slope = slopes(meter, loss, x)
    best, best_slope, before, last = x, slope, x, best_loss
    broken = torch.as_tensor(goal.broken(_array(scores)), device=x.device)
    hit = x
    step = x.new_full((len(x),), geometry.first_step)
    rose, kept_step, kept_best = torch.zeros_like(best_loss), step.clone(), best_loss.clone()
    checkpoints = _checkpoints(steps)
    for number in range(1, steps + 1):
        ahead = geometry.project(x + broadcast(step, x) * geometry.steepest(slope, x))
        if number > 1:
            ahead = geometry.project(x + _MOMENTUM * (ahead - x) + (1 - _MOMENTUM) * (x - before))
        before, x = x, ahead
        scores, losses, slope = _last(meter, loss, x) if number == steps else slopes(meter, loss, x)
        now = torch.as_tensor(goal.broken(_array(scores)), device=x.device) & ~broken
        hit, broken = torch.where(broadcast(now, x), x, hit), broken | now
        if goal.targets is not None and bool(broken.all()):
            return hit
        better = losses > best_loss
        best_loss = torch.where(better, losses, best_loss)
        best = torch.where(broadcast(better, x), x, best)
        best_slope = torch.where(broadcast(better, x), slope, best_slope)
        rose, last = rose + (losses > last), losses
        if number in checkpoints:
            span = number - checkpoints[number]
            halve = (rose < _RISING * span) | ((kept_step == step) & (kept_best == best_loss))
            kept_step, kept_best = step, best_loss
            step = torch.where(halve, step / 2, step)
            x = torch.where(broadcast(halve, x), best, x)
            slope = torch.where(broadcast(halve, x), best_slope, slope)
            rose = torch.zeros_like(rose)
    return torch.where(broadcast(broken, x), hit, best) if goal.targets is not None else best


def _last(meter: Meter, loss: Objective, x: Any) -> tuple[Any, Any, Any]:
    torch: Any = loaded("torch")
    with torch.no_grad():
        scores = meter.tensor_scores(x)
        return scores, torch.nan_to_num(loss(scores), nan=-float("inf")), torch.zeros_like(x)


def _array(scores: Any) -> Any:
    return np.asarray(scores.double().cpu().numpy())


def _checkpoints(steps: int) -> dict[int, int]:
    """Return the steps at which step lengths are looked at, each with the one before it."""
    places, gap = [0.0, 0.22], 0.22
    while places[-1] < 1:
        gap = max(gap - 0.03, 0.06)
        places.append(places[-1] + gap)
    numbers = sorted({-(-int(place * steps * 1000) // 1000) for place in places})
    return {now: before for before, now in pairwise(numbers)}
