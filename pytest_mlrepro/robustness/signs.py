"""Signs that an attack was misled rather than the model robust: each turns a pass into the verdict *unreliable*.

Source: Athalye, Carlini and Wagner, "Obfuscated gradients give a false sense of security", ICML 2018, and Carlini et
al., "On evaluating adversarial robustness", 2019; thresholds from the planted masks of benchmarks/robustness.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from .attacks.base import Batch
from .attacks.descent import enabled, slopes
from .attacks.losses import objective
from .inputs import Floats
from .models import Meter
from .threats import Ball

__all__ = ["Sign", "SignName", "far", "zero_gradients"]

SignName: TypeAlias = Literal[
    "randomised", "stateful", "zero gradients", "robust at a large epsilon", "noise beats the attack",
    "black box beats white box", "attack failed",
]  # fmt: skip

MANY_ZERO = 0.5
MANY_STAND = 0.2
"""Shares above which there is a sign. Planted masks have 0.9 and more zero gradients and 0.7 and more robust at a large
epsilon; honest models, trained against PGD too, have none of either."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign, and a sentence with its numbers and what to do."""

    name: SignName
    words: str

    def __str__(self) -> str:
        return f"{self.name}: {self.words}"


def zero_gradients(meter: Meter, batch: Batch) -> Sign | None:
    """Look for samples at which the usual loss has no gradient at all: a step, a saturated softmax, a detached input."""
    assert meter.network is not None
    x = meter.network.tensor(batch.x)
    with enabled():
        if batch.goal.targets is None:
            _, _, slope = slopes(meter, lambda scores: scores.sum(1), x)
        else:
            _, _, slope = slopes(meter, objective("cross-entropy", batch.goal, 1, None, x.device), x)
    none = int((slope.flatten(1) == 0).all(1).sum())
    if none < MANY_ZERO * len(batch.x):
        return None
    loss = "the output" if batch.goal.targets is None else "cross-entropy"
    return Sign(
        "zero gradients",
        f"the gradient of {loss} by the input is exactly zero at {none} of {len(batch.x)} samples, so that gradient attacks see "
        "nothing; look for rounding, detached tensors or a saturated softmax in the model, or hand over the logits",
    )


def far(ball: Ball, x: Floats, columns: Floats, near: Floats, own: Floats) -> Ball | None:
    """Return the same ball with an epsilon at which no model stands: each sample has one of another class inside.

    `x` with `columns` are all correctly classified samples, `near` with `own` those to be attacked; None with one class.
    """
    if len(np.unique(columns)) < 2 or ball.norm == "l0":
        return None
    nearest = [
        ball.distance(np.broadcast_to(sample, others.shape), others).min()
        for sample, column in zip(near, own, strict=True)
        if len(others := x[columns != column][:2000])
    ]
    epsilon = float(np.max(nearest))
    if ball.norm == "linf" and ball.bounds is not None:
        epsilon = min(epsilon, ball.bounds[1] - ball.bounds[0])
    return type(ball)(epsilon, ball.bounds) if epsilon > 2 * ball.epsilon else None
