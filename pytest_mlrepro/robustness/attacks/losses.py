"""What gradient attacks climb: each is positive where a sample is broken, or at least grows towards it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from ..._lazy import loaded
from ..goal import Goal

__all__ = ["Loss", "Objective", "objective"]

Loss: TypeAlias = Literal["margin", "cross-entropy", "target"]
Objective: TypeAlias = Callable[[Any], Any]
"""Scores (batch, columns) to losses (batch,)."""


def objective(loss: Loss, goal: Goal, number: int, clean: Any, device: Any) -> Objective:
    """Return the loss as a function of scores.

    For `target`, `number` counts from the likeliest other class of the `clean` scores. A regression has one loss for
    "margin" and "cross-entropy", the greatest change of an output; of its targets, the odd ones move an output up and
    the even ones down, the outputs one after the other.
    """
    torch: Any = loaded("torch")
    if goal.targets is None:
        return _change(loss, goal, number, device)
    own = torch.as_tensor(goal.targets, device=device)
    if loss == "cross-entropy":
        return lambda now: torch.nn.functional.cross_entropy(now, own, reduction="none")
    own = own[:, None]
    if loss == "margin":
        return lambda now: now.scatter(1, own, -float("inf")).amax(1) - now.gather(1, own)[:, 0]
    ranked = clean.scatter(1, own, -float("inf")).argsort(dim=1, descending=True, stable=True)
    other = ranked[:, number - 1 : number]
    return lambda now: (now.gather(1, other) - now.gather(1, own))[:, 0]


def _change(loss: Loss, goal: Goal, number: int, device: Any) -> Objective:
    torch: Any = loaded("torch")
    base = torch.as_tensor(goal.base, device=device)
    if loss != "target":
        return lambda now: (now - base.to(now.dtype)).abs().amax(1)
    output, sign = (number - 1) // 2, 1 if number % 2 else -1
    return lambda now: sign * (now - base.to(now.dtype))[:, output]
