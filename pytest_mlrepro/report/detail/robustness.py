"""What a record tells of a robustness check: the bracket, what each attack did to it, and counterexamples to look at."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

import numpy as np

from ..._json import Json
from ...robustness.report import Counterexample, RobustnessReport, by_size, differ
from ...robustness.tables import TableForm
from .small import Floats, gray, image, number

__all__ = ["robustness_detail"]

SHOWN: Final = 3
"""Counterexamples that are kept for people to look at, the nearest first."""
ROWS: Final = 8
LINES: Final = 40
TEXT: Final = 60
SIDE: Final = 28
LEAST: Final = 4


def robustness_detail(report: RobustnessReport) -> Json:
    """Return the facts behind a verdict: numbers, attacks in order, and a few counterexamples."""
    return {
        "lines": report.lines()[:LINES],
        "norm": getattr(report.threat, "norm", None),
        "epsilon": getattr(report.threat, "epsilon", None),
        "interval": None if report.interval is None else [number(bound) for bound in report.interval],
        "confidence": report.confidence,
        "stages": [
            {
                "attack": stage.attack,
                "kind": stage.kind,
                "tried": stage.tried,
                "broke": stage.broke,
                "evaluations": stage.evaluations,
            }
            for stage in report.stages
        ],
        "examples": [_example(example) for example in islice(by_size(report.counterexamples), SHOWN)],
    }


def _example(example: Counterexample) -> Json:
    facts = {
        "sample": example.index,
        "outcome": example.outcome[: 3 * TEXT],
        "attack": example.attack,
        "distance": number(example.distance),
        "allowed": number(example.allowed),
        "changed": example.changed,
        "elements": int(example.original.size),
    }
    before, after = _picture(example.original), _picture(example.perturbed)
    if before is None or after is None:
        return {**facts, "rows": list(islice(_rows(example), ROWS))}
    return {**facts, "images": _images(before, after)}


def _picture(x: Any) -> Floats | None:
    """Return a sample as (height, width) or (height, width, 3), None for what is no image."""
    if x.ndim == 3 and x.shape[0] in (1, 3):
        x = np.moveaxis(x, 0, 2)
    if x.ndim == 3 and x.shape[2] == 1:
        x = x[:, :, 0]
    fits = x.ndim == 2 or (x.ndim == 3 and x.shape[2] == 3)
    return np.asarray(x, np.float64) if fits and min(x.shape[:2]) >= LEAST else None


def _images(before: Floats, after: Floats) -> Json:
    low, high = float(min(before.min(), after.min())), float(max(before.max(), after.max()))
    change = np.abs(after - before)
    change = change.max(axis=2) if change.ndim == 3 else change
    return {
        "type": "images",
        "low": number(low),
        "high": number(high),
        "top": number(change.max()),
        "golden": gray(image(before, SIDE), low, high),
        "now": gray(image(after, SIDE), low, high),
        "difference": gray(image(change, SIDE, greatest=True), 0.0, float(change.max())),
    }


def _rows(example: Counterexample) -> Any:
    """Yield what was changed, the greatest change first, in the words of the table."""
    before, after, form = example.original.ravel(), example.perturbed.ravel(), example.form
    spreads = [column.spread or 1.0 for column in form.columns] if isinstance(form, TableForm) else [1.0]
    size = np.nan_to_num(np.abs(after - before) / np.resize(spreads, len(before)), nan=np.inf)
    different = differ(before, after)
    for at in np.argsort(-size, kind="stable").tolist():
        if different[at]:
            name = str(form.names[at]) if form.names is not None and at < len(form.names) else f"[{at}]"
            yield {"name": name[:TEXT], "before": _cell(form, at, before[at]), "after": _cell(form, at, after[at])}


def _cell(form: Any, at: int, value: float) -> str:
    text = form.columns[at].word(value) if isinstance(form, TableForm) else f"{value:.6g}"
    return str(text)[:TEXT]
