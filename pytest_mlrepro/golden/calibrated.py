"""`tolerance="calibrate"`: what further runs of the test were seen apart when it was recorded, so that nobody guesses an `rtol`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .._json import Json
from ..compare.envelope import envelope, not_numeric
from ..compare.tolerance import CALIBRATED
from ..errors import UsageError
from ..records import Mode
from ..values.node import Node
from .record import Recorded
from .rules import Within

__all__ = ["CALIBRATE", "FACTOR", "PENDING", "Calibrating", "calibrating"]

CALIBRATE: Final = "calibrate"
FACTOR: Final = 4
"""One number that is noise is further off than 4 times the most of 3 runs in 0.8 % of further runs (of 4 runs in 0.3 %)."""
PENDING: Final[Mapping[str, Json]] = {CALIBRATED: None}
"""What such a check allows its runs while they are what is measured: any finite number in the place of another."""

Run = tuple[str, Node | None]
"""What was varied in a run ("" for nothing), and what it gave; None where it came to no such value."""


@dataclass(frozen=True, slots=True)
class Calibrating:
    """The rule of a check whose tolerance is to be learned from its runs."""

    json: Mapping[str, Json]

    def learned(self, title: str, node: Node, runs: Sequence[Run]) -> Within:
        """Return the rule that allows what the runs were seen apart, times the factor.

        Raises AssertionError for a run that came to no such value, or differs in what no tolerance should allow.
        """
        __tracebackhide__ = True
        for variation, other in runs:
            trouble = "it came to no such value" if other is None else not_numeric(node, other)
            if trouble:
                raise AssertionError(_refusal(title, variation, trouble))
        seen = [other for _, other in runs if other is not None]
        try:
            found = envelope(node, seen, FACTOR)
        except OverflowError as error:
            raise AssertionError(f"{title} can't be calibrated: {error}") from None
        names = list(dict.fromkeys(variation or "plain" for variation, _ in runs))
        origin = {"factor": FACTOR, "largest": found.largest, "runs": len(seen), "vary": names}
        return Within(found.tolerances, origin)


def calibrating(
    recorded: Recorded | None,
    mode: Mode,
    vary: tuple[str, ...],
    beside: tuple[object, ...],
    *,
    where: str = "golden.check: tolerance",
) -> Within | Calibrating:
    """Return the rule of a check with `tolerance="calibrate"`: what is stored, or one that is to be learned.

    It is learned where nothing is stored, and anew by `--golden=update`. Raises UsageError where it is to be learned and the
    test has no further runs (`vary` names what they vary), and for numbers that came beside it. `where` is what a failure
    calls the argument.
    """
    if any(number is not None for number in beside):
        raise UsageError(f'{where}="calibrate" came together with rtol, atol or max_ulp: give one or the other')
    if recorded is not None and CALIBRATED in recorded.tolerance and mode != "update":
        return Within(recorded.tolerances, recorded.tolerance[CALIBRATED])
    if not vary:
        raise UsageError(
            f'{where}="calibrate" is learned from further runs of the test, and none is asked for. Say what '
            'they vary, as in\n  @pytest.mark.repro(vary=("threads", "isa"))\n'
            f"or reruns=3 for what differs by itself. With nothing varied, leave {where.split()[-1]} out"
        )
    return Calibrating(PENDING)


def _refusal(title: str, variation: str, trouble: str) -> str:
    run = f"the run that varies {variation}" if variation else "a plain rerun"
    return (
        f"{title} can't be calibrated, since {run} differs in what no tolerance should allow.\n\n{trouble}\n\n"
        "Only finite floats have a tolerance; keys, shapes, integers, texts, and the places of NaN must be the same.\n"
        "Next:\n  check what varies by itself, or leave it out:  golden.check(value, name)"
    )
