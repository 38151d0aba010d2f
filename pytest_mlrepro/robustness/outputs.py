"""What a model's outputs mean: scores, probabilities, one logit, labels or values, all made into one score for each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._lazy import loaded
from ..errors import UsageError

__all__ = ["Reading", "as_columns", "columns_of", "read_outputs"]

Kind: TypeAlias = Literal["scores", "probabilities", "logit", "probability", "labels", "values"]

WORDS: dict[Kind, str] = {
    "scores": "scores",
    "probabilities": "probabilities, attacked by their logarithm",
    "logit": "one logit of two classes",
    "probability": "the probability of the second of two classes, attacked as a logit",
    "labels": "labels without scores",
    "values": "values of a regression",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """How raw outputs become scores (samples, columns), of which the greatest is the prediction."""

    kind: Kind
    classes: tuple[Any, ...] = ()
    """The label that each column stands for; none for a regression."""
    outputs: int = 0
    """Of a regression, how many values a sample has."""

    @property
    def width(self) -> int:
        """How many columns scores have."""
        return self.outputs or len(self.classes) + (self.kind == "labels")

    def scores(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Return scores (samples, columns) of raw outputs; a label that no class has gets a column after the last."""
        if self.kind == "labels":
            columns = columns_of(raw, self.classes)
            return np.eye(len(self.classes) + 1)[np.where(columns < 0, len(self.classes), columns)]
        table: NDArray[np.float64] = np.asarray(as_columns(raw), np.float64)
        tiny = float(np.finfo(np.float64).tiny)
        match self.kind:
            case "probabilities":
                return np.log(np.maximum(table, tiny))
            case "logit":
                both: NDArray[np.float64] = np.concatenate([-table / 2, table / 2], axis=1)
                return both
            case "probability":
                sides: NDArray[np.float64] = np.concatenate([1 - table, table], axis=1)
                return np.log(np.maximum(sides, tiny))
            case _:
                return table

    def tensor_scores(self, raw: Any) -> Any:
        """Do the same for a tensor, so that gradients go through; half precision is widened."""
        torch: Any = loaded("torch")
        table = as_columns(raw)
        if table.dtype in (torch.float16, torch.bfloat16):
            table = table.float()
        tiny = torch.finfo(table.dtype).tiny
        match self.kind:
            case "probabilities":
                return table.clamp_min(tiny).log()
            case "logit":
                return torch.cat([-table / 2, table / 2], dim=1)
            case "probability":
                return torch.cat([1 - table, table], dim=1).clamp_min(tiny).log()
            case _:
                return table


def as_columns(raw: Any) -> Any:
    """Return outputs (samples,), (samples, columns) or with further axes of length one as (samples, columns)."""
    while raw.ndim > 2 and raw.shape[-1] == 1:
        raw = raw[..., 0]
    if raw.ndim == 1:
        return raw[:, None]
    if raw.ndim != 2:
        raise UsageError(
            f"model: outputs of shape (samples,) or (samples, classes) are expected, got {tuple(raw.shape)}; wrap the "
            "model so that it gives one row of scores for each sample"
        )
    return raw


def read_outputs(raw: NDArray[Any], labels: NDArray[Any], classes: tuple[Any, ...] | None) -> Reading:
    """Tell from the outputs for all clean samples, and the labels, what the outputs are.

    `classes` are the labels that the model says its columns have, if it says so.

    Raises:
        UsageError: outputs that no reading fits, or labels that the model doesn't know.
    """
    if raw.ndim == 1 and (raw.dtype.kind not in "fc" or _only_labels(raw, labels)):
        seen = classes or tuple(np.unique(np.concatenate([labels, raw.astype(labels.dtype)])).tolist())
        return _checked(Reading("labels", seen), labels)
    table = as_columns(raw)
    if table.shape[1] == 1:
        inside = bool(((table >= 0) & (table <= 1)).all())
        return _checked(Reading("probability" if inside else "logit", classes or (0, 1)), labels)
    kind: Kind = "probabilities" if _sums_to_one(table) else "scores"
    return _checked(Reading(kind, classes or tuple(range(table.shape[1]))), labels)


def _only_labels(raw: NDArray[Any], labels: NDArray[Any]) -> bool:
    """Tell whether floats are labels: each is one of those given, and there is more than one or all are whole."""
    return labels.dtype.kind in "biuf" and bool(np.isin(raw, labels.astype(raw.dtype)).all())


def _sums_to_one(table: NDArray[Any]) -> bool:
    inside = ((table >= 0) & (table <= 1)).all()
    return bool(inside and np.allclose(np.asarray(table, np.float64).sum(1), 1, rtol=0, atol=2e-3))


def _checked(reading: Reading, labels: NDArray[Any]) -> Reading:
    unknown = np.flatnonzero(columns_of(labels, reading.classes) < 0)
    if len(unknown):
        at = int(unknown[0])
        shown = ", ".join(map(repr, reading.classes[:10])) + (", …" if len(reading.classes) > 10 else "")
        raise UsageError(
            f"labels: {len(unknown)} don't fit the model, the first is {labels[at].item()!r} of sample {at}; the model's "
            f"{len(reading.classes)} classes are {shown}"
        )
    return reading


def columns_of(labels: NDArray[Any], classes: tuple[Any, ...]) -> NDArray[np.int64]:
    """Return the column of each label, -1 for those that no class has; `2.0` and `True` are the classes 2 and 1."""
    places = {label: at for at, label in enumerate(classes)}
    return np.array([places.get(label, -1) for label in labels.tolist()], np.int64)
