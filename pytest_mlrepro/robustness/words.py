"""A robustness report in words: the conclusion, the bracket, why, what it cost, and what to do next."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, get_args

from .corruption import Corruption
from .report import Status, by_size
from .tabular import Tabular

if TYPE_CHECKING:
    from .report import Counterexample, RobustnessReport, Stage
    from .threats import Threat

__all__ = ["lines_of", "share"]

_SHOWN = 3


def share(value: float) -> str:
    """Return a share with as many digits as it takes to tell it from its neighbours: 0.776, 1, 0.5."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def lines_of(report: RobustnessReport) -> list[str]:
    """Return the lines, the conclusion first."""
    return [
        f"{report.verdict}: {_conclusion(report)}",
        f"  {_bounds(report)}",
        *_sampling(report),
        *(f"  {note}" for note in report.notes),
        *(f"  sign of a misled attack: {sign}" for sign in report.signs),
        *_examples(report),
        *_stages(report),
        f"  {_cost(report)}",
        *_next(report),
    ]


def _conclusion(report: RobustnessReport) -> str:
    asked = f"{share(report.min_accuracy)} required under {report.threat}"
    if report.max_change is not None:
        asked += f", outputs changing by at most {report.max_change:g}"
    match report.verdict:
        case "failed" if (
            not report.stages and not report.counterexamples and report.clean_accuracy < report.min_accuracy
        ):
            return f"clean accuracy {share(report.clean_accuracy)} is below the {asked}, before any attack"
        case "failed" if report.confidence is not None:
            return f"at {share(report.confidence)} confidence, robust accuracy is below the {asked}"
        case "failed":
            return f"robust accuracy is at most {share(report.robust_accuracy)}, {asked}"
        case "passed (exact)" | "passed (up to these attacks)" if report.confidence is not None:
            return f"at {share(report.confidence)} confidence, robust accuracy is above the {asked}"
        case "passed (exact)" if isinstance(report.threat, Corruption):
            return f"robust accuracy is at least {share(report.proved)}, exact for what was drawn; {asked}"
        case "passed (exact)":
            return f"robust accuracy is at least {share(report.proved)}, proved; {asked}"
        case "passed (up to these attacks)":
            return f"no attack brings robust accuracy below the {asked}"
        case "undecided":
            return f"{report.samples_used} samples don't tell whether robust accuracy is above the {asked}"
        case _:
            return f"the model may only look robust ({', '.join(dict.fromkeys(sign.name for sign in report.signs))}); {asked}"


def _bounds(report: RobustnessReport) -> str:
    counts = Counter(report.statuses)
    parts = ", ".join(f"{counts[status]} {status}" for status in get_args(Status) if counts[status])
    lower = f", ≥ {share(report.proved)} proved" if report.proved else ""
    clean = "" if report.max_change is not None else f"clean accuracy {share(report.clean_accuracy)}, "
    found = "" if report.largest_change is None else f"; largest change found {report.largest_change:.4g}"
    return f"{clean}robust accuracy ≤ {share(report.robust_accuracy)}{lower} ({report.samples} samples: {parts}){found}"


def _sampling(report: RobustnessReport) -> list[str]:
    if report.confidence is None or report.interval is None:
        return []
    low, high = report.interval
    text = f"  after {report.samples_used} samples: between {share(low)} and {share(high)} at {share(report.confidence)} confidence"
    if report.verdict != "undecided":
        return [text]
    more = "no number of samples of use would tell" if report.samples_needed is None else (
        f"about {report.samples_needed} samples would tell, if it goes on so"
    )  # fmt: skip
    return [f"{text}; {more}"]


def _examples(report: RobustnessReport) -> list[str]:
    found = report.counterexamples
    if not found:
        return []
    near = by_size(found)[:_SHOWN]
    lines = [f"  {len(found)} counterexample{'s' * (len(found) > 1)}, each checked against the model:"]
    lines += [f"    {_example(example, report.threat)}" for example in near]
    return [*lines, f"    … and {len(found) - _SHOWN} more in report.counterexamples"] if len(found) > _SHOWN else lines


def _example(example: Counterexample, threat: Threat) -> str:
    by = f"{example.attack}{', shrunk' if example.shrunk else ''}"
    return f"sample {example.index}: {example.outcome}{_size(example, threat)} ({by})"


def _size(example: Counterexample, threat: Threat) -> str:
    size = example.original.size
    match threat:
        case Tabular():
            moved = f", numbers by up to {example.distance:.2g} standard deviations" if example.distance else ""
            return f", {example.changed} of {size} cells changed{moved}"
        case Corruption():
            return ""
        case _:
            return f" at distance {example.distance:.4g}, {example.changed} of {size} elements changed"


def _stages(report: RobustnessReport) -> list[str]:
    return [f"  {_stage(stage)}" for stage in report.stages]


def _stage(stage: Stage) -> str:
    text = f"{stage.attack}: broke {stage.broke} of {stage.tried}, {stage.evaluations} evaluations"
    return text + (f"; failed on {stage.errors}: {stage.error}" if stage.errors else "")


def _cost(report: RobustnessReport) -> str:
    text = f"{report.samples_used} of {report.samples} samples finished, {report.evaluations} model evaluations"
    text += f" and {report.gradients} gradients" if report.gradients else ""
    whole = report.evaluations + report.saved
    kept = (
        f"; at most {report.saved} evaluations ({report.saved / whole:.0%}) saved by stopping early"
        if report.saved
        else ""
    )
    outputs = f"; outputs are {report.reading}" if report.reading else ""
    return f"{text} in {report.seconds:.2f} s{kept}{outputs}"


def _next(report: RobustnessReport) -> list[str]:
    match report.verdict:
        case "undecided":
            return ["  next: give more samples, or another min_accuracy; allow=('undecided',) lets it pass"]
        case "unreliable":
            return ["  next: mend what the sign names; allow=('unreliable',) lets it pass, at your own risk"]
        case "passed (up to these attacks)" if report.attacks in ("fast", "auto"):
            return ["  a stronger search: attacks='strong'"]
        case _:
            return []
