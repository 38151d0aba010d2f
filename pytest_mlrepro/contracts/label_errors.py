"""Labels that are probably wrong, by confident learning: what cross-validated predictions say about each given label."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .. import _lazy
from ..errors import UsageError
from .encoded import Encoded, Numbers
from .finding import Finding
from .labels import labels as read_labels
from .parts import Part
from .parts import part as read_part
from .rows import column_bits, hashed
from .split_words import first, many, rows_of

__all__ = ["LabelError", "find_label_errors", "label_findings"]

FOLDS: Final = 5


@dataclass(frozen=True)
class LabelError:
    """A row whose label is probably another."""

    row: int
    given: str
    suggested: str
    """The label that the model finds likeliest."""
    confidence: float
    """The model's probability of the given label, cross-validated."""

    def __str__(self) -> str:
        """Say both labels."""
        given = f"{self.given} is given (probability {self.confidence:.3f})"
        return f"row {self.row}: {given}, {self.suggested} is likelier"


def find_label_errors(frame: Any, labels: Any, *, model: Any = None) -> list[LabelError]:
    """Return the rows whose label is probably wrong, the surest first (needs cleanlab: the extra `labels`).

    frame: a frame, mapping or array as in `check_split`.
    labels: the name of a column of it, or an array of shape (rows,); classes, no quantity, no nulls.
    model: a scikit-learn classifier with `predict_proba`, which is given the frame without the label as it is, in its order of
        rows; by default gradient boosting on numbers and numbered categories, in an order that depends on content only.

    Predictions are those of five-fold cross-validation, and which labels they contradict is told by confident learning
    (Northcutt, Jiang and Chuang 2021). It suspects: in a table of a million rows with 1 % of labels flipped, 0.80 of them were
    found and 0.28 of the suspects were flipped, 0.99 among the first thousand. Look at the first ones first.

    Raises:
        UsageError: labels of another length, null labels, a quantity, a single class, or a class of fewer than five rows.
    """
    _lazy.require("cleanlab", extra="labels")
    filters = _lazy.require("cleanlab.filter", extra="labels")
    part, name = _labelled(frame, labels)
    (read,) = read_labels([part], name)
    _require_classes(read.null, read.codes, read.continuous, read.names, name)
    features = [column for column in part.names if column != name]
    if not features:
        raise UsageError(f"label errors: the frame has no column but the label {name!r}")
    if model is None:
        shares = _by_content(part, features, name, read.codes)
    else:
        shares = _cross_validated(_asked(frame, labels), read.codes, model)
    order = filters.find_label_issues(read.codes, shares, return_indices_ranked_by="self_confidence", n_jobs=1)
    return [
        LabelError(
            int(row),
            read.names[read.codes[row]],
            read.names[int(shares[row].argmax())],
            float(shares[row, read.codes[row]]),
        )
        for row in order
    ]


def label_findings(errors: list[LabelError], name: str) -> list[Finding]:
    """Return one finding for all suspected labels; none if there is none."""
    if not errors:
        return []
    positions = np.array([error.row for error in errors])
    pairs = Counter((error.given, error.suggested) for error in errors).most_common(3)
    most = ", ".join(f"{given} that is likelier {suggested} ({count:,})" for (given, suggested), count in pairs)
    words = (
        f"{many(len(errors), 'label')} {name!r} {'is' if len(errors) == 1 else 'are'} probably wrong: {most}; the surest are "
        f"{rows_of('the frame', positions)}; {errors[0]}"
    )
    return [
        Finding(
            "label-errors",
            (name,),
            len(errors),
            first(positions),
            words,
            "look at the surest first: a suspicion is no proof",
        )
    ]


def _labelled(frame: Any, labels: Any) -> tuple[Part, str]:
    part = read_part("the frame", frame, None)
    if isinstance(labels, str | int):
        name = str(labels)
        if name not in part.names:
            raise UsageError(f"label errors: labels={name!r} is no column of the frame")
        return part, name
    array = np.asarray(labels)
    if array.shape != (part.rows,):
        raise UsageError(
            f"label errors: labels must be a column's name or of shape ({part.rows},), got shape {array.shape}"
        )
    name = "label"
    while name in part.names:
        name += "_"
    return Part(part.name, (*part.names, name), part.rows, {**part.source, name: array}), name


def _require_classes(null: Any, codes: Any, continuous: bool, names: Any, name: str) -> None:
    if null.any():
        rows = np.flatnonzero(null)
        raise UsageError(f"label errors: {name!r} is null in {many(len(rows), 'row')}: {rows_of('the frame', rows)}")
    if continuous:
        raise UsageError(f"label errors: {name!r} is a quantity, classes are expected")
    counts = np.bincount(codes, minlength=len(names))
    if len(counts) < 2:
        raise UsageError(f"label errors: {name!r} has a single class, two or more are expected")
    if counts.min() < FOLDS:
        rare = int(counts.argmin())
        raise UsageError(
            f"label errors: class {names[rare]} of {name!r} has {many(int(counts[rare]), 'row')}, {FOLDS} or more are expected"
        )


def _asked(frame: Any, labels: Any) -> Any:
    """Return the frame without the label, as its library has it."""
    if not isinstance(labels, str | int):
        return frame
    if isinstance(frame, np.ndarray):
        return np.delete(frame, int(labels), axis=1)
    nw = _lazy.require("narwhals.stable.v2", extra="data")
    return nw.from_native(frame).drop(str(labels)).to_native()


def _by_content(part: Part, features: list[str], name: str, codes: Any) -> Any:
    """Return probabilities from gradient boosting, rows taken in an order that their content gives."""
    ensemble = _lazy.require("sklearn.ensemble", extra="sklearn")
    rows = np.column_stack([_feature(part.column(column)) for column in features])
    numbers = hashed([part], features, None, near=False)[0].features
    order = np.lexsort((column_bits([part], name)[0], numbers))
    model = ensemble.HistGradientBoostingClassifier(max_iter=100, early_stopping=False, random_state=0)
    shares = np.empty((part.rows, int(codes.max()) + 1))
    shares[order] = _cross_validated(rows[order], codes[order], model)
    return shares


def _feature(column: Encoded) -> Any:
    """Return numbers as they are, and categories by their rank in frequency."""
    if isinstance(column, Numbers):
        return np.where(column.null, np.nan, column.values.astype(np.float64))
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
    named = sorted(range(len(column.values)), key=lambda code: (-counts[code], str(column.values[code])))
    rank = np.empty(len(named) + 1)
    rank[named] = np.arange(len(named))
    rank[-1] = np.nan
    return rank[column.codes]


def _cross_validated(rows: Any, codes: Any, model: Any) -> Any:
    selection = _lazy.require("sklearn.model_selection", extra="sklearn")
    folds = selection.StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    return selection.cross_val_predict(model, rows, codes, cv=folds, method="predict_proba")
