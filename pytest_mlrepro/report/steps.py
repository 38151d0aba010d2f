"""The steps of a golden in lines for a person, and their graph with what they took."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..golden.record import Golden
from ..golden.timings import read_timings
from ..pipeline.lineage import Format, Measured, lineage
from ..provenance.words import plain, shorten

__all__ = ["graph", "steps_of"]

NAME = 48


def graph(golden: Golden, folder: Path, *, title: str, form: Format) -> str:
    """Return the graph of the steps of the golden in `folder`."""
    measured = {name: Measured(timing.seconds, timing.peak) for name, timing in read_timings(folder).items()}
    return lineage(golden.steps, title=title, form=form, measured=measured)


def steps_of(golden: Golden) -> Iterator[str]:
    """Yield a line for each step: what it gave, and the steps that it comes from."""
    for step in golden.steps:
        sources = f"  from {', '.join(shorten(name, NAME) for name in step.sources)}" if step.sources else ""
        what = f"raised {step.raised}" if step.raised else step.kind
        yield f"step {shorten(step.name, NAME)}  {plain(what)}  {step.output[:32]}…{sources}"
