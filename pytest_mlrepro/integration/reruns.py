"""Running a test once more, with everything of function scope made anew."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest
from _pytest.runner import runtestprotocol

if TYPE_CHECKING:
    from .phases import Phases

__all__ = ["rehearsed"]

RECORDING = frozenset({"golden", "pipeline"})
"""Fixtures by which a test records something."""


def rehearsed(item: pytest.Item, phases: Phases) -> Generator[None, object, object]:
    """Run a test that uses its golden once before it counts, silently, so that its recording can be held against it."""
    if RECORDING.isdisjoint(getattr(item, "fixturenames", ())):
        return (yield)
    from ..golden.rehearsal import Rehearsal

    phases.rehearsal = Rehearsal()
    try:
        _rehearse(item, phases)
        return (yield)
    finally:
        phases.rehearsal.discard()
        phases.rehearsal = None


def _rehearse(item: pytest.Item, phases: Phases) -> None:
    assert phases.rehearsal is not None  # set by the only caller
    phases.rehearsing = True
    properties = list(item.user_properties)
    try:
        # The parent as next item: what is shared with other tests stays up, what is the test's own is torn down.
        reports = runtestprotocol(item, log=False, nextitem=item.parent)  # type: ignore[arg-type]  # asked for listchain only
    finally:
        phases.rehearsing = False
        item.user_properties[:] = properties
        item._report_sections.clear()
        if type(item) is pytest.Function and item.cls is not None:
            vars(item).pop("_instance", None)  # so that the second run has an object of its own
            vars(item).pop("_obj", None)
    phases.rehearsal.failed = any(report.failed for report in reports if report.when != "teardown")
