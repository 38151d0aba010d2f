"""Rows that are far from a reference in combination, though each value is in range, at a stated false-alarm rate.

The detector is the local outlier factor (Breunig and others 2000) in coordinates that a robust covariance has whitened, or in
plain ones: whichever finds more of the rows that are planted into held-out rows of the reference. Isolation forests and
robust Mahalanobis distances were measured beside it: the first hardly see combinations, the second see straight ones only.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .. import _lazy
from ..errors import UsageError
from .finding import Finding
from .parts import Part
from .parts import part as read_part
from .reasons import Reason, reasons
from .rows import hashed
from .space import Axis, Space, axes_of, matrix, whitened
from .split_words import first, many, rows_of
from .tails import beta_binomial_tail

__all__ = ["Anomalies", "Anomaly", "AnomalyModel", "assert_no_anomalies", "find_anomalies", "fit_anomalies"]

MOST: Final = 5_000
"""Rows that a detector learns from: more cost time for each row that is asked for, and hardly help."""
FOLDS: Final = 5
NEIGHBOURS: Final = 20
FEWEST: Final = 40
MATTERS: Final = 1.5
"""Times as many as expected that a finding takes, besides the test: at a million rows a test alarms on a tenth more."""
LEVEL: Final = 0.01
"""How often a table without anomalies is reported."""
EXPLAINED: Final = 20
"""Rows that are explained, the farthest first."""


@dataclass(frozen=True)
class AnomalyModel:
    """What a reference's rows look like together."""

    axes: Sequence[Axis]
    left_out: dict[str, str]
    """Columns that take no part, each with the reason."""
    space: Space
    detector: Any
    rows: Any
    """Coordinates that were learned from, shape (rows, coordinates)."""
    threshold: float
    false_alarms: float
    """The share of rows like the reference's that is above the threshold, at most, on average over references."""
    above: tuple[int, int]
    """Held-out rows of the reference above the threshold, and all of them."""
    power: float
    """The share of planted rows that is found: held-out rows of which half of the columns come from another row."""
    method: str


@dataclass(frozen=True)
class Anomaly:
    """One row that is far from the reference."""

    row: int
    score: float
    """Above the model's threshold."""
    reasons: tuple[Reason, ...]
    """The columns that make it so, the strongest first; empty beyond the first twenty rows."""

    def __str__(self) -> str:
        """Say which values don't go with the others."""
        return f"row {self.row}: " + ("; ".join(map(str, self.reasons)) or "far from all rows in all columns together")


@dataclass(frozen=True)
class Anomalies:
    """The rows of a frame that are far from a reference."""

    found: tuple[Anomaly, ...]
    """All of them, the farthest first."""
    rows: int
    """Rows of the frame."""
    expected: float
    """How many are expected of a frame like the reference."""
    p_value: float
    """The probability of so many without an anomaly."""
    level: float
    findings: list[Finding]
    """One if there are more than chance explains, else none."""


def fit_anomalies(reference: Any, *, false_alarms: float = 0.01, ignore: Collection[str] = ()) -> AnomalyModel:
    """Return a model of a reference's rows (needs scikit-learn).

    reference: a frame, mapping, array or (X, y) as in `check_split`; of more than 5,000 rows so many are drawn by their content.
        Columns of times, of a single value, of several types and of more than fifty categories take no part.
    false_alarms: the share of rows like the reference's that is called anomalous, at most.
    ignore: columns that take no part.

    The threshold is a rank among scores of held-out rows (five parts of the reference, each scored by a detector that learned
    from the others), so that the rate holds whatever the distribution (conformal prediction, Vovk and others 2005).

    Raises:
        UsageError: fewer than two columns that take part, or too few rows for the rate (1 / false_alarms, and 40).
    """
    if isinstance(false_alarms, bool) or not isinstance(false_alarms, int | float) or not 0 < false_alarms < 0.5:
        raise UsageError(f"anomalies: false_alarms must be between 0 and 0.5, got {false_alarms!r}")
    part = read_part("the reference", reference, None)
    for name in map(str, ignore):
        if name not in part.names:
            raise UsageError(f"anomalies: ignore names {name!r}, which is no column of the reference")
    least = max(FEWEST, math.ceil(1 / false_alarms))
    if part.rows < least:
        raise UsageError(
            f"anomalies: a rate of {false_alarms:g} takes {least} rows or more, the reference has {part.rows}"
        )
    axes, left_out = axes_of(part, set(map(str, ignore)))
    if len(axes) < 2:
        why = ", ".join(f"{name!r} ({reason})" for name, reason in left_out.items())
        raise UsageError(f"anomalies: two columns or more are needed for a combination; left out are {why or 'none'}")
    return _fitted(_drawn(part, axes), axes, left_out, false_alarms)


def _drawn(part: Part, axes: Sequence[Axis]) -> Any:
    """Return coordinates of rows in an order that is that of their content: by it folds are made, and samples drawn."""
    numbers = hashed([part], [axis.column for axis in axes], None, near=False)[0].features
    return matrix(part, axes)[np.argsort(numbers, kind="stable")[:MOST]]


def _fitted(rows: Any, axes: Sequence[Axis], left_out: dict[str, str], rate: float) -> AnomalyModel:
    folds = np.arange(len(rows)) % FOLDS
    tried = []
    for method in ("whitened", "plain"):
        held = np.empty(len(rows))
        planted = np.empty(len(rows))
        for fold in range(FOLDS):
            space, detector = _detector(rows[folds != fold], axes, method)
            held[folds == fold] = _scores(space, detector, rows[folds == fold])
            planted[folds == fold] = _scores(space, detector, _planted(rows[folds == fold], axes))
        threshold = float(np.sort(held)[math.ceil((len(held) + 1) * (1 - rate)) - 1])
        tried.append((float((planted > threshold).mean()), method, threshold, int((held > threshold).sum())))
    power, method, threshold, above = max(tried, key=lambda one: one[0])
    space, detector = _detector(rows, axes, method)
    return AnomalyModel(axes, left_out, space, detector, rows, threshold, rate, (above, len(rows)), power, method)


def _detector(rows: Any, axes: Sequence[Axis], method: str) -> tuple[Space, Any]:
    neighbors = _lazy.require("sklearn.neighbors", extra="sklearn")
    width = rows.shape[1]
    robust = not any(axis.levels for axis in axes) and len(rows) > 5 * width
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # columns that are constant in the densest rows, and equal rows
        space = whitened(rows, robust=robust)
        if method == "plain":
            space = Space(space.centre, np.eye(width), space.precision)
        detector = neighbors.LocalOutlierFactor(n_neighbors=min(NEIGHBOURS, len(rows) - 1), novelty=True)
        return space, detector.fit(space.points(rows))


def _scores(space: Space, detector: Any, rows: Any) -> Any:
    return np.concatenate(
        [-detector.score_samples(space.points(rows[at : at + 10_000])) for at in range(0, len(rows), 10_000)]
    )


def _planted(rows: Any, axes: Sequence[Axis]) -> Any:
    """Return rows of which half of the columns come from another row: each value is one of the reference's."""
    rng = np.random.default_rng(len(rows))
    swapped = rows.copy()
    widths = [max(1, len(axis.levels)) for axis in axes]
    others = np.roll(rows, 1 + len(rows) // 3, axis=0)
    for at in range(len(rows)):
        chosen = rng.permutation(len(axes))[: max(1, len(axes) // 2)]
        mask = np.repeat(np.isin(np.arange(len(axes)), chosen), widths)
        swapped[at, mask] = others[at, mask]
    return swapped


def find_anomalies(frame: Any, model: AnomalyModel, *, level: float = LEVEL) -> Anomalies:
    """Return the rows of a frame that are far from the model's reference, each with the columns that make it so.

    level: how often a frame like the reference gets a finding: by a test that knows that the threshold is an estimate
        (the beta-binomial distribution, which is the binomial one for a large reference). A finding also takes half as many
        again as are expected.

    Raises:
        UsageError: a column of the reference is missing, or of another type.
    """
    part = read_part("the frame", frame, None)
    for axis in model.axes:
        if axis.column not in part.names:
            raise UsageError(f"anomalies: the frame has no column {axis.column!r}, which the reference has")
        column = part.column(axis.column)
        if (column.family in ("number", "duration")) == bool(axis.levels) and column.family != "empty":
            wanted = "categories" if axis.levels else "numbers"
            raise UsageError(f"anomalies: column {axis.column!r} holds {column.family}s, the reference has {wanted}")
    rows = matrix(part, model.axes)
    scores = _scores(model.space, model.detector, rows)
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > model.threshold]
    explained = reasons(part, rows, order[:EXPLAINED], model.axes, model.space, model.rows)
    found = tuple(
        Anomaly(int(row), float(scores[row]), explained[at] if at < len(explained) else ())
        for at, row in enumerate(order)
    )
    expected = part.rows * (model.above[0] + 1) / (model.above[1] + 1)
    tail = beta_binomial_tail(len(found), part.rows, model.above[0] + 1, model.above[1] - model.above[0])
    findings = (
        [_finding(model, found, part.rows, expected, tail, level)]
        if len(found) > MATTERS * expected and tail < level
        else []
    )
    return Anomalies(found, part.rows, expected, tail, level, findings)


def _finding(
    model: AnomalyModel, found: Sequence[Anomaly], rows: int, expected: float, tail: float, level: float
) -> Finding:
    positions = np.sort([anomaly.row for anomaly in found])
    columns = tuple(dict.fromkeys(reason.column for anomaly in found for reason in anomaly.reasons[:1]))
    return Finding(
        "anomalies",
        columns,
        len(found),
        first(positions),
        f"{many(len(found), 'row')} of {rows:,} ({len(found) / rows:.2%}) "
        f"{'is' if len(found) == 1 else 'are'} far from the reference in combination, {expected:.1f} are expected "
        f"(p {tail:.2g} of {level:g}): {rows_of('the frame', positions)}; the farthest: "
        + " | ".join(map(str, found[:3])),
    )


def assert_no_anomalies(frame: Any, reference: Any, *, level: float = LEVEL) -> Anomalies:
    """Assert that a frame has no more rows far from the reference than chance explains; return what was found.

    reference: an `AnomalyModel`, or what `fit_anomalies` takes.

    Raises:
        AssertionError: there are more; the message names rows and columns.
        UsageError: an argument can't be right.
    """
    __tracebackhide__ = True
    model = reference if isinstance(reference, AnomalyModel) else fit_anomalies(reference)
    report = find_anomalies(frame, model, level=level)
    if report.findings:
        lines = "\n".join(f"  {anomaly}" for anomaly in report.found[:EXPLAINED])
        raise AssertionError(f"{report.findings[0].words.split('; the farthest')[0]}\n{lines}")
    return report
