"""Traces of a run that is made again, and what two of them say about where the runs part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .vary import Variation

__all__ = ["part_lines", "traced"]


@contextmanager
def traced(file: Path | None, project: Path) -> Iterator[Any]:
    """Trace the block into `file`, and give its recorder; without a file, or a tracer, give None."""
    tracing = _tracer("tracing")
    if file is None or tracing is None:
        yield None
        return
    with tracing(file, project=project) as recorder:
        yield recorder


def part_lines(first: Path, second: Path, variation: Variation | None) -> list[str]:
    """Return the lines that say where two traced runs part; none where the traces don't tell."""
    parting = _tracer("parting")
    if parting is None or not (first.exists() and second.exists()):
        return []
    found = parting(first, second, varied=None if variation is None else variation.name)
    return [] if found is None else list(found.lines())


def _tracer(name: str) -> Any:
    try:
        from . import trace
    except ImportError:
        return None
    return getattr(trace, name)
