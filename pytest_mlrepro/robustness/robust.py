"""`assert_robust`: one model, one threat, one verdict, without pytest."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from typing import Any

import numpy as np

from ..errors import UsageError
from .arguments import Asked, asked, fits
from .attacks.base import Attack, Batch
from .attacks.plans import planned
from .attacks.replay import Replay
from .cascade import Shards
from .clean import Clean, look
from .corrupted import Corrupted, Corrupting
from .decide import Decision, OfPopulation, OfSamples, Rule
from .evaluate import carry_out, early_signs
from .exact.answers import exact_answers
from .exact.listed import list_all
from .generators import keys_of
from .inputs import Floats, Form, read_labels
from .models import opened
from .network import Network
from .outcome import concluded
from .proofs import Exact, apply_exact
from .regions import Region, around
from .report import Progress, RobustnessReport, Verdict
from .run import ALIVE, WRONG, Run
from .shrink import shrink
from .signs import Sign
from .space import Space
from .tables import AnyForm
from .threats import Ball, Threat

__all__ = ["assert_robust", "check_robust"]


def assert_robust(
    model: Any, inputs: Any, labels: Any, threat: Threat, *, min_accuracy: float | None = None, confidence: float | None = None,
    attacks: Any = "auto", max_change: float | None = None, allow: Collection[Verdict] = (), seed: int = 0, batch_size: int = 128,
    executor: Executor | None = None, shards: int | None = None, progress: Callable[[Progress], None] | None = None,
    seconds_per_sample: float = 1.0, complete: bool = False,
) -> RobustnessReport:  # fmt: skip
    """Assert that enough samples are predicted rightly under every perturbation that the threat allows.

    Args:
        model: a torch module (attacked in eval mode and given back as it was) or function of tensors, a scikit-learn
            classifier or pipeline, or anything with `predict`, `predict_proba` or a call, which is then a black box.
        inputs: (samples, ...) of floats: numpy, torch, pandas or polars; for `Tabular` and `Corruption` also other columns, for
            `Corruption` whole numbers and lists of texts. The model gets the same kind of object, with
            its names and dtypes.
        labels: (samples,): class numbers, or whatever labels the model has. None for a regression.
        threat: `Linf`, `L2`, `L1`, `L0`, `Tabular` or `Corruption`.
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
    model: Any, inputs: Any, labels: Any, threat: Threat, *, min_accuracy: float | None = None, confidence: float | None = None,
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
    x, form, region = around(settings.threat, inputs)
    known = None if settings.max_change is not None else read_labels(labels, len(x))
    with opened(model, form, x, regression=known is None) as (face, changes):
        if isinstance(region, Ball):
            fits(region, x, face)
        x = face.rounded(x)
        rows = min(settings.batch_size, len(x), 32 if settings.confidence is not None else len(x))
        clean = look(face, x, known, max_change=settings.max_change, rows=rows)
        plan = _plan(attacks, clean, region, settings)
        if replayed and not isinstance(region, Corrupted):  # what was drawn once is drawn again
            plan = (Replay(replayed, form), *plan)
        run = _run(clean, x, known, region, settings, rows, progress, start, form)
        if isinstance(region, Corrupted) and settings.executor is not None:
            region.prepare(run.batch)
        rule = _rule(settings, len(x), run)
        decision, signs = _before(clean, run, settings)
        if decision is None and not signs:
            if isinstance(region, Space):
                list_all(run, region)
            elif exact is not None and isinstance(form, Form):
                apply_exact(run, exact, model, known, form=form, seconds_per_sample=seconds_per_sample)
            signs = early_signs(run)
            decision, late = carry_out(run, plan, rule, complete=complete)
            signs = [*signs, *late]
        if not isinstance(region, Corrupted):  # part of a corruption is no corruption
            shrink(run)
        if changed := changes():
            signs = [*signs, _stateful(changed)]
        return concluded(
            run, settings, rule, decision, signs, form, plan, attacks if isinstance(attacks, str) else "given",
            _notes(region, settings.seed),
        )  # fmt: skip


def _plan(attacks: Any, clean: Clean, region: Region, settings: Asked) -> tuple[Attack, ...]:
    if isinstance(region, Corrupted):
        if attacks != "auto":
            raise UsageError(
                f"attacks: none are chosen for a corruption, which is drawn and not searched; got {attacks!r}"
            )
        return (Corrupting(region.threat),)
    reading = clean.model.reading
    assert reading is not None
    regression = settings.max_change is not None
    columns = clean.goal.base.shape[1] if clean.goal.base is not None else len(reading.classes)
    return planned(
        attacks, norm=region.norm, gradients=isinstance(clean.model, Network), scores=reading.kind != "labels",
        columns=columns, regression=regression,
    )  # fmt: skip


def _run(
    clean: Clean,
    x: Any,
    labels: Any,
    region: Region,
    settings: Asked,
    rows: int,
    progress: Callable[[Progress], None] | None,
    start: float,
    form: AnyForm,
) -> Run:
    named = np.zeros(len(x), np.int64) if labels is None else labels
    batch = Batch(x, clean.goal, keys_of(form.portable(x), named, settings.seed))
    state = np.where(clean.wrong, WRONG, ALIVE).astype(np.int8)
    shards = Shards(settings.executor, settings.shards)
    return Run(clean.model, batch, region, rows, shards, progress, state, start, evaluations=clean.evaluations)


def _notes(region: Region, seed: int) -> tuple[str, ...]:
    match region:
        case Space():
            return region.notes
        case Corrupted():
            return region.notes(seed)
        case _:
            return ()


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
