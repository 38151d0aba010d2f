"""The one place that words a run which does not repeat: what parts, under what, how far, and what that proves."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from ..compare.difference import Comparison
from ..compare.explain import explain, failure_text
from .vary import Variation

__all__ = ["not_reproducible", "wrapped"]

WIDTH: Final = 90


def not_reproducible(
    what: str,
    differs: Comparison | str,
    *,
    variation: Variation | None = None,
    parting: Sequence[str] = (),
    consequence: str = "",
    proved: bool = True,
    next_commands: Sequence[str] = (),
) -> str:
    """Return the message of a failure.

    what: the value that parts (`golden 'loss'`, `checkpoint 'step'`, `the result of train`).
    differs: the comparison of the two runs, or a sentence where they came to different things.
    variation: what was varied; None for a plain rerun.
    parting: where the runs part, as the trace tells.
    consequence: what follows, such as that nothing was recorded.
    proved: whether only this variation brings the difference forth, so that its cause can be told.
    """
    sides = ("the first run", f"the run {variation.words}" if variation else "the second run")
    details = differs if isinstance(differs, str) else explain(differs, sides=sides)
    cause = [wrapped(f"only {variation.words}: it depends on {variation.cause}")] if variation and proved else []
    return failure_text(
        headline=_headline(what, variation, consequence),
        details=details,
        why=[*cause, *parting],
        why_title="Where the runs part:" if parting else "What that proves:",
        next_commands=next_commands,
    )


def wrapped(sentence: str) -> str:
    """Return a sentence in lines that a terminal has room for."""
    return textwrap.fill(sentence, WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)


def _headline(what: str, variation: Variation | None, consequence: str) -> str:
    runs = f"a run {variation.words}" if variation else "a second run of the same code"
    return f"not reproducible: {what} differs in {runs}{f'; {consequence}' if consequence else ''}"
