"""What a record tells of a pipeline: its steps, where they come from, what became of each, and which parts first."""

from __future__ import annotations

from typing import Final

from ..._json import Json
from ...golden.steps import StepBook

__all__ = ["steps_detail"]

STEPS: Final = 60
TEXT: Final = 80
WORDS: Final = 1200
LINES: Final = 40


def steps_detail(book: StepBook) -> Json:
    """Return the graph of steps with the state of each: `same`, `within` what is allowed, `parts`, `follows`, `new` or `unused`."""
    found = book.whole()
    roots, after = {parted.name for parted in found.roots}, {parted.name for parted in found.consequences}
    steps, shown = [], book.shown()
    at = next((at for at, (step, _) in enumerate(shown) if found.first and step.name == found.first.name), 0)
    begin = max(min(at - STEPS // 2, len(shown) - STEPS), 0)  # the first that parts is among those that are shown
    for step, state in shown[begin : begin + STEPS]:
        if state == "differs":
            state = "parts" if step.name in roots else "follows" if step.name in after else state
        steps.append(
            {
                "name": step.name[:TEXT],
                "state": state,
                "from": [name[:TEXT] for name in step.sources],
                "inside": None if step.inside is None else step.inside[:TEXT],
                "gives": (f"raised {step.raised}" if step.raised else step.kind)[:TEXT],
            }
        )
    first = found.first
    return {
        "steps": steps,
        "more": max(len(shown) - STEPS, 0),
        "first": None if first is None else first.name[:TEXT],
        "headline": book.headline()[:WORDS],
        "lines": book.lines(found)[:LINES] if first is not None or found.added or found.removed else [],
    }
