"""The one place that words a run which does not repeat: what parts, under what, how far, and what that proves."""

from __future__ import annotations

from collections.abc import Sequence

from ..compare.difference import Comparison
from ..compare.explain import explain, failure_text
from .vary import Variation

__all__ = ["not_reproducible"]


def not_reproducible(
    what: str,
    differs: Comparison | str,
    *,
    variation: Variation | None = None,
    parting: Sequence[str] = (),
    consequence: str = "",
    next_commands: Sequence[str] = (),
) -> str:
    """Return the message of a failure.

    what: the value that parts (`golden 'loss'`, `checkpoint 'step'`, `the result of train`).
    differs: the comparison of the two runs, or a sentence where they came to different things.
    variation: what was varied; None for a plain rerun.
    parting: where the runs part, as the trace tells.
    consequence: what follows, such as that nothing was recorded.
    """
    sides = ("the first run", f"the run {variation.words}" if variation else "the second run")
    details = differs if isinstance(differs, str) else explain(differs, sides=sides)
    cause = [f"only {variation.words}: it depends on {variation.cause}"] if variation else []
    return failure_text(
        headline=_headline(what, variation, consequence),
        details=details,
        why=[*cause, *parting],
        why_title="Where the runs part:" if parting else "What that proves:",
        next_commands=next_commands,
    )


def _headline(what: str, variation: Variation | None, consequence: str) -> str:
    runs = f"a run {variation.words}" if variation else "a second run of the same code"
    return f"not reproducible: {what} differs in {runs}{f'; {consequence}' if consequence else ''}"
