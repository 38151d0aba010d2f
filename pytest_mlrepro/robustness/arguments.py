"""What `assert_robust` was given, looked at before anything is spent: each mistake is named with what is expected."""

from __future__ import annotations

import math
from collections.abc import Collection
from concurrent.futures import Executor
from dataclasses import dataclass
from numbers import Real
from typing import Any, get_args

import numpy as np

from ..errors import UsageError
from .corruption import Corruption
from .inputs import Floats
from .models import Model
from .report import Verdict
from .tabular import Tabular
from .threats import SLACK, Ball, Threat

__all__ = ["OPTIONS", "Asked", "asked", "fits"]

OPTIONS = frozenset(
    (
        *("min_accuracy", "confidence", "attacks", "max_change", "allow", "seed", "batch_size", "executor", "shards"),
        *("progress", "seconds_per_sample", "complete"),
    )
)
"""The keyword arguments of `assert_robust`."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The settings of a check, valid by themselves."""

    threat: Threat
    min_accuracy: float
    confidence: float | None
    max_change: float | None
    seed: int
    batch_size: int
    executor: Executor | None
    shards: int


def asked(
    threat: object, min_accuracy: object, confidence: object, max_change: object, seed: object, batch_size: object,
    executor: Any, shards: object, allow: Collection[Verdict], labels: object,
) -> Asked:  # fmt: skip
    """Return the settings, or raise `UsageError` for the first that can't be right."""
    if isinstance(threat, type):
        raise UsageError(f"threat: a value such as {threat.__name__}(0.1) is expected, got the class {threat.__name__}")
    if not isinstance(threat, Ball | Tabular | Corruption):
        raise UsageError(
            f"threat: Linf(…), L2(…), L1(…), L0(…), Tabular(…) or Corruption(…) is expected, got {threat!r}"
        )
    if max_change is not None and not (_real(max_change) and max_change > 0):  # type: ignore[operator]  # a number by then
        raise UsageError(f"max_change: a positive number in the units of the output is expected, got {max_change!r}")
    if max_change is not None and labels is not None:
        raise UsageError(
            "labels: none are used in a regression, since outputs are compared with those of the clean inputs: give None"
        )
    if min_accuracy is None and max_change is not None:
        min_accuracy = 1.0
    if not (_real(min_accuracy) and 0 < min_accuracy <= 1):  # type: ignore[operator]  # a number by then
        raise UsageError(
            f"min_accuracy: a share above 0 and up to 1 is expected, got {min_accuracy!r}"
            + (": a check that can't fail is none" if min_accuracy == 0 else "")
        )
    if confidence is not None:
        if not (_real(confidence) and 0.5 <= confidence < 1):  # type: ignore[operator]  # a number by then
            raise UsageError(f"confidence: a share from 0.5 to below 1, as 0.95, is expected, got {confidence!r}")
        if min_accuracy == 1:
            raise UsageError(
                "confidence: no number of samples shows that all of a population stand; lower min_accuracy or drop confidence"
            )
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise UsageError(f"executor: a concurrent.futures.Executor is expected, got {type(executor).__qualname__}")
    pieces = _whole("shards", getattr(executor, "_max_workers", 4) if shards is None and executor else shards or 1, 1)
    unknown = [name for name in allow if name not in get_args(Verdict)] if not isinstance(allow, str) else [allow]
    if unknown:
        raise UsageError(
            f"allow: some of {', '.join(map(repr, get_args(Verdict)))} are expected in a tuple, got {allow!r}"
        )
    return Asked(
        threat, float(min_accuracy), None if confidence is None else float(confidence),  # type: ignore[arg-type]  # both are numbers
        None if max_change is None else float(max_change),  # type: ignore[arg-type]  # a number
        _whole("seed", seed, 0, 2**64 - 1), _whole("batch_size", batch_size, 1), executor, pieces if executor else 1,
    )  # fmt: skip


def _real(value: Any) -> bool:
    return type(value) is not bool and isinstance(value, Real) and math.isfinite(value)


def _whole(name: str, value: Any, least: int, most: int = 2**31) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise UsageError(f"{name}: a whole number from {least} on is expected, got {value!r}")
    return int(value)


def fits(ball: Ball, x: Floats, model: Model) -> None:
    """Raise `UsageError` if inputs lie outside of the bounds, or the ball means nothing for them."""
    if ball.bounds is not None:
        low, high = ball.bounds
        slack = SLACK * (high - low)
        out = ((x < low - slack) | (x > high + slack)).reshape(len(x), -1).any(1)
        if out.any():
            raise UsageError(
                f"inputs: {int(out.sum())} of {len(x)} samples lie outside of the bounds ({low:g}, {high:g}) of {ball}, "
                f"the first is sample {int(np.argmax(out))}; all values are between {x.min():g} and {x.max():g}"
            )
    elements = int(np.prod(x.shape[1:]))
    if ball.norm == "l0" and ball.epsilon >= elements:
        raise UsageError(
            f"threat: {ball} lets all {elements} elements of a sample change, so that every input is allowed"
        )
    edge = ball.epsilon if ball.norm == "linf" else ball.epsilon / elements**0.5
    if ball.norm in ("linf", "l2") and np.array_equal(model.rounded(x + x.dtype.type(edge)), model.rounded(x)):
        raise UsageError(
            f"threat: {ball} is smaller than the model's numbers can tell at inputs up to {np.abs(x).max():g}"
        )
