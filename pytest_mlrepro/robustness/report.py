"""What a robustness check found, as facts: the verdict, the bracket, each sample's state, counterexamples, cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .inputs import Floats
from .signs import Sign
from .tables import AnyForm
from .threats import Threat

__all__ = ["Counterexample", "Progress", "RobustnessReport", "Stage", "Status", "Verdict", "by_size", "differ"]

Verdict: TypeAlias = Literal["failed", "passed (exact)", "passed (up to these attacks)", "undecided", "unreliable"]
Status: TypeAlias = Literal["misclassified", "broken", "proved", "survived", "untested"]
"""Of a sample: wrong without any attack; a counterexample was found; proved to stand; survived every attack; the decision
was made before it had gone through all of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Counterexample:
    """A perturbed sample that was checked against the model: inside the ball and the bounds, and broken."""

    index: int
    """Of the sample among the inputs."""
    original: Floats
    perturbed: Floats
    """As `original`, of the shape of one sample, in the floats that the model saw; of the nearest ones, shrunk."""
    found: Floats
    """What the attack found: it depends on the sample and the seed alone, not on the other samples."""
    label: Any
    """The given label; of a regression, the clean output."""
    predicted: Any
    """What the model says of the perturbed sample; None for a label that no class has, outputs that are NaN, or none."""
    distance: float
    """In the threat's norm."""
    allowed: float
    """The largest distance that the threat allows."""
    attack: str
    form: AnyForm
    """How to give a sample to the model: `form.restore(example.perturbed[None])`."""
    refusal: str = ""
    """What the model raised, if that is all that it said."""

    @property
    def outcome(self) -> str:
        """Return in words what became of the label."""
        if self.refusal:
            return f"the model raises {self.refusal}"
        if hasattr(self.label, "shape"):
            return f"{_values(self.label)} becomes {_values(self.predicted)}"
        return f"{self.label!r} becomes {self.predicted!r}"

    @property
    def changed(self) -> int:
        """Return how many elements differ."""
        return int(differ(self.original, self.perturbed).sum())

    @property
    def shrunk(self) -> bool:
        """Return whether it is smaller than what the attack found."""
        return self.perturbed is not self.found


def _values(values: Any) -> str:
    return "NaN" if values is None else ", ".join(f"{value:.4g}" for value in list(values)[:4])


def differ(one: Floats, two: Floats) -> NDArray[np.bool_]:
    """Tell which elements differ; missing cells are alike."""
    return np.asarray((one != two) & ~(np.isnan(one) & np.isnan(two)), np.bool_)


def by_size(examples: Sequence[Counterexample]) -> list[Counterexample]:
    """Return counterexamples as people should see them: shrunk ones first, the nearest first."""
    return sorted(examples, key=lambda example: (not example.shrunk, example.distance, example.index))


@dataclass(frozen=True, slots=True)
class Stage:
    """What one attack did, over all samples that it was tried on."""

    attack: str
    kind: str
    tried: int
    broke: int
    evaluations: int
    seconds: float
    errors: int = 0
    """On how many samples the attack itself failed; they count as not broken by it."""
    error: str = ""
    """What the first of them said."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a long run is: given to `progress` after each piece of work."""

    attack: str
    done: int
    total: int
    """Samples that this attack has been tried on, and is to be tried on before the next decision."""
    broken: int
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class RobustnessReport:
    """The verdict on one model, one threat and one set of samples; `lines()` words it.

    `robust_accuracy` is an upper bound and `proved` a lower bound of the share of all given samples that are right and
    stand under every perturbation of the threat. The upper bound counts samples as standing that nothing has broken,
    those too that were not attacked any more once the decision could not change.
    """

    verdict: Verdict
    threat: Threat
    min_accuracy: float
    clean_accuracy: float
    robust_accuracy: float
    proved: float
    samples: int
    samples_used: int
    """How many went through everything: their outcome is final."""
    statuses: tuple[Status, ...]
    counterexamples: tuple[Counterexample, ...]
    evaluations: int
    """Samples that the model was asked about, in all."""
    gradients: int
    """Backward passes, in samples."""
    saved: int
    """Evaluations that a run of all attacks over all samples would have spent besides, at most."""
    seconds: float
    stages: tuple[Stage, ...] = ()
    signs: tuple[Sign, ...] = ()
    """Why a pass could not be trusted."""
    confidence: float | None = None
    interval: tuple[float, float] | None = None
    """With `confidence`: where the robust accuracy of the population is, up to these attacks."""
    samples_needed: int | None = None
    """If undecided: how many samples it would take at the present rate; None if no number of use would do."""
    reading: str = ""
    """What the model's outputs were taken to be."""
    max_change: float | None = None
    """Of a regression: the change that is allowed."""
    largest_change: float | None = None
    """Of a regression: the largest change that was found; None if a proof came before any perturbed input was tried."""
    attacks: str = ""
    """The plan: `auto` and so on, or `given`."""
    notes: tuple[str, ...] = ()
    """Of tables and corruptions: where spreads, ranges and draws are from."""

    @property
    def passed(self) -> bool:
        """Whether the verdict is one of the two passes."""
        return self.verdict.startswith("passed")

    def lines(self) -> list[str]:
        """Return the report in words, the conclusion first."""
        from .words import lines_of

        return lines_of(self)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def bracket(statuses: NDArray[np.int8], broken: tuple[int, ...], proved: int) -> tuple[float, float]:
    """Return the lower and the upper bound of robust accuracy over all samples."""
    total = len(statuses)
    return float((statuses == proved).sum() / total), float(1 - np.isin(statuses, broken).sum() / total)
