"""From a finished run to its report: the verdict, and every number that it states."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from .arguments import Asked
from .attacks.base import Attack
from .decide import Decision, OfPopulation, OfSamples, Rule
from .inputs import Floats
from .outputs import WORDS, Reading
from .report import Counterexample, RobustnessReport, Status, Verdict
from .run import ALIVE, BROKEN, PROVED, SURVIVED, WRONG, Found, Run
from .sequential import interval, samples_needed
from .signs import Sign
from .tables import AnyForm
from .threats import Ball

__all__ = ["concluded"]

_STATUS: dict[int, Status] = {
    WRONG: "misclassified", ALIVE: "untested", BROKEN: "broken", PROVED: "proved", SURVIVED: "survived",
}  # fmt: skip


def concluded(
    run: Run, asked: Asked, rule: Rule, decision: Decision | None, signs: Sequence[Sign], form: AnyForm,
    plan: Sequence[Attack], attacks: str, notes: tuple[str, ...] = (),
) -> RobustnessReport:  # fmt: skip
    """Return the report of a run."""
    reading = run.model.reading
    assert reading is not None
    stood = fell = 0
    used = len(run.state) - run.count(ALIVE)
    if isinstance(rule, OfPopulation):
        _, stood, fell = rule.first(run)
        used = stood + fell
    verdict = _verdict(run, rule, decision, signs)
    total, lower = len(run.state), run.count(PROVED)
    open_ = verdict == "undecided" and asked.confidence is not None and used > 0
    return RobustnessReport(
        verdict=verdict,
        threat=asked.threat,
        min_accuracy=asked.min_accuracy,
        clean_accuracy=(total - run.count(WRONG)) / total,
        robust_accuracy=(total - run.count(WRONG, BROKEN)) / total,
        proved=lower / total,
        samples=total,
        samples_used=used,
        statuses=tuple(_STATUS[int(state)] for state in run.state),
        counterexamples=tuple(_example(run, form, reading, index, run.found[index]) for index in sorted(run.found)),
        evaluations=run.evaluations,
        gradients=run.gradients,
        saved=_saved(run, plan),
        seconds=time.perf_counter() - run.started,
        stages=tuple(run.stages.values()),
        signs=tuple(signs),
        confidence=asked.confidence,
        interval=None if asked.confidence is None else interval(stood, fell, asked.confidence),
        samples_needed=samples_needed(stood / used, asked.min_accuracy, asked.confidence) if open_ else None,  # type: ignore[arg-type]  # open_ says it is not None
        reading=WORDS[reading.kind],
        max_change=asked.max_change,
        largest_change=None if asked.max_change is None else run.largest,
        attacks=attacks,
        notes=notes,
    )


def _verdict(run: Run, rule: Rule, decision: Decision | None, signs: Sequence[Sign]) -> Verdict:
    if any(sign.name == "randomised" for sign in signs):
        return "unreliable"
    if decision is None:
        return "undecided"
    if decision == "failed":
        return "failed"
    proved = not run.count(SURVIVED) if not isinstance(rule, OfSamples) else run.count(PROVED) >= rule.needed
    if proved and not any(sign.name == "stateful" for sign in signs):
        return "passed (exact)"
    return "unreliable" if signs else "passed (up to these attacks)"


def _saved(run: Run, plan: Sequence[Attack]) -> int:
    """Return what the attacks that were not run on samples that still stand would have cost, at most."""
    open_ = np.flatnonzero(run.state == ALIVE)
    costs = np.concatenate([[0], np.cumsum([attack.cost for attack in plan])])
    stood = np.minimum(run.passed[open_], len(plan))
    return int((costs[-1] - costs[stood]).sum())


def _example(run: Run, form: AnyForm, reading: Reading, index: int, found: Found) -> Counterexample:
    original, goal = run.batch.x[index], run.batch.goal
    nan = bool(np.isnan(found.scores).any())
    if goal.targets is None:
        assert goal.base is not None
        label, predicted = goal.base[index], None if nan else found.scores
    else:
        label, column = reading.classes[goal.targets[index]], int(found.scores.argmax())
        predicted = None if nan or column >= len(reading.classes) else reading.classes[column]
    distance = float(run.ball.distance(original[None], found.point[None])[0])
    first = found.point if found.first is None else found.first
    return Counterexample(
        index, original, found.point, first, label, predicted, distance, run.ball.epsilon, found.attack, form,
        _refusal(run, found.point) if nan and not isinstance(run.ball, Ball) else "",
    )  # fmt: skip


def _refusal(run: Run, point: Floats) -> str:
    """Return what the model raises when it is asked again; "" if it answers, with NaN."""
    try:
        run.model.raw(point[None])
        if run.model.decides:
            run.model.decide(point[None])
    except Exception as refusal:  # noqa: BLE001  # whatever a model raises
        words = " ".join(str(refusal).split())
        return f"{type(refusal).__name__}: {words[:120]}{'…' * (len(words) > 120)}"
    return ""
