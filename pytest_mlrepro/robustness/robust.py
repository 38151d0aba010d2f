"""`assert_robust`: one model, one threat, one verdict, without pytest."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from typing import Any

import numpy as np
from blake3 import blake3

from .arguments import Asked, asked, fits
from .attacks.base import Attack, Batch
from .attacks.plans import planned
from .attacks.replay import Replay
from .cascade import Shards
from .clean import Clean, look
from .decide import Decision, OfPopulation, OfSamples, Rule
from .evaluate import carry_out, early_signs
from .exact.answers import exact_answers
from .generators import keys_of
from .inputs import Floats, read_inputs, read_labels
from .models import opened
from .network import Network
from .outcome import concluded
from .proofs import Exact, apply_exact
from .report import Progress, RobustnessReport, Verdict
from .run import ALIVE, WRONG, Run
from .shrink import shrink
from .signs import Sign
from .threats import Ball

__all__ = ["assert_robust", "check_robust", "samples_digest"]


def assert_robust(
    model: Any, inputs: Any, labels: Any, threat: Ball, *, min_accuracy: float | None = None, confidence: float | None = None,
    attacks: Any = "auto", max_change: float | None = None, allow: Collection[Verdict] = (), seed: int = 0, batch_size: int = 128,
    executor: Executor | None = None, shards: int | None = None, progress: Callable[[Progress], None] | None = None,
    seconds_per_sample: float = 1.0, complete: bool = False,
) -> RobustnessReport:  # fmt: skip
    """Assert that enough samples are predicted rightly under every perturbation that the threat allows.

    Args:
        model: a torch module (attacked in eval mode and given back as it was) or function of tensors, a scikit-learn
            classifier or pipeline, or anything with `predict`, `predict_proba` or a call, which is then a black box.
        inputs: (samples, ...) of floats: numpy, torch, pandas or polars. The model gets the same kind of object, with
            its names and dtypes.
        labels: (samples,): class numbers, or whatever labels the model has. None for a regression.
        threat: `Linf`, `L2`, `L1` or `L0`.
        min_accuracy: the least share of samples that have to stand, above 0 and up to 1; the clean errors count as fallen.
        confidence: None decides about exactly these samples, and stops once no further result can change that. A share
            such as 0.95 decides about what the samples were drawn from, by a sequential test in random order that
            passes or fails wrongly with a probability of at most 1 - confidence (`sequential.evidence` has the source).
        attacks: "fast", "auto" or "strong", or a list of foolbox attacks, by instance or name of the class.
        max_change: makes it a regression: the change of any output, against the clean one, that is still fine.
        allow: verdicts besides the two passes that are not to raise, of "undecided" and "unreliable".
        seed: of all random draws. A sample's result depends on itself and the seed alone, not on the other samples.
        batch_size: samples that are in memory at once. The model's own rounding may vary with it.
        executor: takes the work in `shards` pieces at a time; processes need a model that can be pickled.
        progress: called with a `Progress` after each piece of work.
        seconds_per_sample: what an exact search may take.
        complete: attack all samples also when the decision is made, so that every sample's outcome is known.

    Returns:
        The report. Its verdict is *failed* only with counterexamples that were checked against the model.

    Raises:
        AssertionError: the verdict is no pass; the message is the report in words.
        UsageError: an argument can't be right, or inputs, labels or outputs make no sense together.
        MissingDependencyError: the attacks need foolbox, and it is not installed.
    """
    __tracebackhide__ = True
    report = check_robust(
        model, inputs, labels, threat, min_accuracy=min_accuracy, confidence=confidence, attacks=attacks, max_change=max_change,
        allow=allow, seed=seed, batch_size=batch_size, executor=executor, shards=shards, progress=progress,
        seconds_per_sample=seconds_per_sample, complete=complete,
    )  # fmt: skip
    if not report.passed and report.verdict not in allow:
        raise AssertionError(str(report))
    return report


def check_robust(
    model: Any, inputs: Any, labels: Any, threat: Ball, *, min_accuracy: float | None = None, confidence: float | None = None,
    attacks: Any = "auto", max_change: float | None = None, allow: Collection[Verdict] = (), seed: int = 0, batch_size: int = 128,
    executor: Executor | None = None, shards: int | None = None, progress: Callable[[Progress], None] | None = None,
    seconds_per_sample: float = 1.0, complete: bool = False, exact: Exact | None = exact_answers,
    replayed: Mapping[int, Floats] | None = None,
) -> RobustnessReport:  # fmt: skip
    """Return the report whatever the verdict is; the arguments are those of `assert_robust`.

    `exact` is the method that is asked before any attack (None: none is). `replayed` are counterexamples of earlier runs,
    which are tried before any other attack, by `kept.points_of` the content of their samples.
    """
    start = time.perf_counter()
    settings = asked(threat, min_accuracy, confidence, max_change, seed, batch_size, executor, shards, allow, labels)
    x, form = read_inputs(inputs)
    known = None if settings.max_change is not None else read_labels(labels, len(x))
    with opened(model, form, x, regression=known is None) as (face, changes):
        fits(threat, x, face)
        x = face.rounded(x)
        rows = min(settings.batch_size, len(x), 32 if settings.confidence is not None else len(x))
        clean = look(face, x, known, max_change=settings.max_change, rows=rows)
        plan = _plan(attacks, clean, settings)
        if replayed:
            plan = (Replay(replayed), *plan)
        run = _run(clean, x, known, settings, rows, progress, start)
        rule = _rule(settings, len(x), run)
        decision, signs = _before(clean, run, settings)
        if decision is None and not signs:
            if exact is not None:
                apply_exact(run, exact, model, known, form=form, seconds_per_sample=seconds_per_sample)
            signs = early_signs(run)
            decision, late = carry_out(run, plan, rule, complete=complete)
            signs = [*signs, *late]
        shrink(run)
        if changed := changes():
            signs = [*signs, _stateful(changed)]
        return concluded(
            run, settings, rule, decision, signs, form, plan, attacks if isinstance(attacks, str) else "given"
        )


def samples_digest(inputs: Any, labels: Any) -> str:
    """Return a digest of samples with their labels, in order: by it two sets are known to be the same."""
    x, _ = read_inputs(inputs)
    named = np.zeros(len(x), np.int64) if labels is None else read_labels(labels, len(x))
    return blake3(keys_of(x, named, 0).astype("<u8").tobytes()).hexdigest()[:16]


def _plan(attacks: Any, clean: Clean, settings: Asked) -> tuple[Attack, ...]:
    reading = clean.model.reading
    assert reading is not None
    regression = settings.max_change is not None
    columns = clean.goal.base.shape[1] if clean.goal.base is not None else len(reading.classes)
    return planned(
        attacks, norm=settings.threat.norm, gradients=isinstance(clean.model, Network), scores=reading.kind != "labels",
        columns=columns, regression=regression,
    )  # fmt: skip


def _run(
    clean: Clean,
    x: Any,
    labels: Any,
    settings: Asked,
    rows: int,
    progress: Callable[[Progress], None] | None,
    start: float,
) -> Run:
    named = np.zeros(len(x), np.int64) if labels is None else labels
    batch = Batch(x, clean.goal, keys_of(x, named, settings.seed))
    state = np.where(clean.wrong, WRONG, ALIVE).astype(np.int8)
    shards = Shards(settings.executor, settings.shards)
    return Run(clean.model, batch, settings.threat, rows, shards, progress, state, start, evaluations=clean.evaluations)


def _rule(settings: Asked, samples: int, run: Run) -> Rule:
    if settings.confidence is None:
        return OfSamples(settings.min_accuracy, samples, run.wave)
    return OfPopulation(settings.min_accuracy, settings.confidence, run.wave)


def _before(clean: Clean, run: Run, settings: Asked) -> tuple[Decision | None, list[Sign]]:
    """Decide what needs no attack: a model that is randomised, and one that is wrong too often as it is."""
    if clean.sign is not None:
        return None, [clean.sign]
    needed = OfSamples(settings.min_accuracy, len(run.state), run.wave)
    return ("failed" if needed.decided(run) == "failed" else None), []


def _stateful(changed: list[str]) -> Sign:
    return Sign(
        "stateful",
        f"the model changed while it was asked ({', '.join(changed[:3])}{', …' if len(changed) > 3 else ''}), so that its answers "
        "depend on what it was asked before; buffers have been put back",
    )
