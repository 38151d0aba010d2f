"""Before any attack: what the outputs mean, whether they repeat, whether labels fit, and how right the model is as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .black_box import BlackBox, by_labels_only
from .cascade import padded
from .goal import Goal
from .inputs import Floats
from .models import Model
from .network import Network
from .outputs import Reading, as_columns, columns_of, read_outputs
from .signs import Sign

__all__ = ["Clean", "look"]

_REPEATED = 256
"""Samples that are predicted twice."""

M = TypeVar("M", Network, BlackBox)


@dataclass(frozen=True, slots=True, eq=False)
class Clean:
    """The model with its outputs understood, and what it says of the clean samples."""

    model: Model
    goal: Goal
    wrong: NDArray[np.bool_]
    evaluations: int
    sign: Sign | None
    """Set if two predictions of the same samples differ."""


def look(model: Model, x: Floats, labels: NDArray[Any] | None, *, max_change: float | None, rows: int) -> Clean:
    """Predict all samples once and the first twice. Without labels, the outputs are values of a regression.

    Raises:
        UsageError: outputs that are NaN or of a shape that can't be read, labels that don't fit.
    """
    raw = _outputs(model, x, rows)
    _no_nan(raw)
    again = _outputs(model, x[: max(rows, _REPEATED)], rows)
    sign = _differs(raw[: len(again)], again)
    if labels is None:
        base = np.asarray(as_columns(raw), np.float64)
        known = _known(model, Reading("values", outputs=base.shape[1]))
        goal = Goal(base=base, allowed=cast(float, max_change))
        return Clean(known, goal, np.zeros(len(x), np.bool_), len(x) + len(again), sign)
    known, scores, spent = _understood(model, x, raw, labels, rows)
    assert known.reading is not None
    goal = Goal(targets=columns_of(labels, known.reading.classes))
    return Clean(known, goal, goal.wrong(scores), len(x) + len(again) + spent, sign)


def _outputs(model: Model, x: Floats, rows: int) -> NDArray[Any]:
    parts = []
    for first in range(0, len(x), rows):
        own = np.arange(first, min(first + rows, len(x)))
        parts.append(model.raw(x[padded(own, rows, model)])[: len(own)])
    return np.concatenate(parts)


def _no_nan(raw: NDArray[Any]) -> None:
    if raw.dtype.kind not in "fc" or not np.isnan(raw).any():
        return
    bad = np.flatnonzero(np.isnan(raw).reshape(len(raw), -1).any(1))
    raise UsageError(
        f"model: its outputs for {len(bad)} of {len(raw)} clean samples are NaN, the first is sample {bad[0]}"
    )


def _differs(one: NDArray[Any], two: NDArray[Any]) -> Sign | None:
    """Compare two predictions, to rounding: sums over threads differ in their last bits."""
    if one.dtype.kind == "f" and one.shape == two.shape:
        scale = float(np.abs(one[np.isfinite(one)]).max(initial=0.0))
        same = np.isclose(one, two, rtol=1e-5, atol=1e-6 * scale).reshape(len(one), -1).all(1)
    else:
        same = (one == two).reshape(len(one), -1).all(1)
    if same.all():
        return None
    count = int((~same).sum())
    return Sign(
        "randomised",
        f"two predictions of the same inputs differ for {count} of {len(one)} samples, so that no counterexample is certain; "
        "seed or switch off what is random in the model (dropout, noise on the input, sampling)",
    )


def _known(model: Model, reading: Reading) -> Model:
    assert isinstance(model, Network | BlackBox)
    return replace(model, reading=reading)


def _understood(
    model: Model, x: Floats, raw: NDArray[Any], labels: NDArray[Any], rows: int
) -> tuple[Model, NDArray[np.float64], int]:
    """Return the model with its reading, the clean scores, and what finding out cost.

    A model whose `predict` is not the greatest of its scores (a tuned threshold, one column for each pair of classes)
    is taken by its labels alone.
    """
    classes = model.classes
    if not isinstance(model, BlackBox) or not model.method or model.method == "predict":
        known = _known(model, read_outputs(raw, labels, classes))
        assert known.reading is not None
        return known, known.reading.scores(raw), 0
    said = _outputs(replace(model, method="predict"), x, rows) if hasattr(model.model, "predict") else None
    fits = (
        classes is None
        or as_columns(raw).shape[1] == len(classes)
        or (as_columns(raw).shape[1] == 1 and len(classes) == 2)
    )
    if fits:
        known = _known(model, read_outputs(raw, labels, classes))
        assert known.reading is not None
        scores = known.reading.scores(raw)
        if said is None or (columns_of(said, known.reading.classes) == scores.argmax(1)).all():
            return known, scores, 0 if said is None else len(x)
    assert said is not None
    reading = read_outputs(said, labels, classes)
    by_labels = by_labels_only(model, reading.classes)
    return by_labels, reading.scores(said), len(x)
