"""One more run of a test that nobody is told of: no report, no warning, no debugger; what is the test's own is made anew."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

__all__ = ["Phase", "phase", "quiet", "renew", "silent_run"]


class Phase:
    """One phase of a run. No dataclass: this module is on the start path of pytest."""

    __slots__ = ("call", "report")

    def __init__(self, call: pytest.CallInfo[object], report: pytest.TestReport) -> None:
        self.call, self.report = call, report


def silent_run(item: pytest.Item, nextitem: pytest.Item) -> list[pytest.TestReport]:
    """Run all phases of a test, and return their reports, which go nowhere.

    nextitem: as in pytest; the parent of the item keeps up what is shared with other tests, and tears down the test's own.
    """
    with quiet(item), requested(item):
        reports = [phase(item, "setup").report]
        if reports[0].passed:
            reports.append(phase(item, "call").report)
        reports.append(phase(item, "teardown", nextitem=nextitem).report)
        return reports


def phase(
    item: pytest.Item, when: Literal["setup", "call", "teardown"], *, interrupted: bool = True, **arguments: Any
) -> Phase:
    """Run the hooks of one phase, as `_pytest.runner.call_and_report` does, and log nothing.

    interrupted: whether Ctrl-C ends the run; a debugger is told of it as of any other failure.
    """
    hook: Callable[..., object] = getattr(item.ihook, f"pytest_runtest_{when}")
    reraise: tuple[type[BaseException], ...] = (pytest.exit.Exception, *((KeyboardInterrupt,) if interrupted else ()))
    call: pytest.CallInfo[object] = pytest.CallInfo.from_call(
        lambda: hook(item=item, **arguments), when=when, reraise=reraise
    )
    return Phase(call, item.ihook.pytest_runtest_makereport(item=item, call=call))


@contextmanager
def requested(item: Any) -> Iterator[None]:
    """Give the item a fixture request of its own, and take it away, as `_pytest.runner.runtestprotocol` does."""
    if not hasattr(item, "_request"):
        yield
        return
    if not item._request:
        item._initrequest()
    try:
        yield
    finally:
        item._request = False
        item.funcargs = None


@contextmanager
def quiet(item: pytest.Item) -> Iterator[None]:
    """Keep what a run would show or leave behind from the user: warnings, sections, properties, set-up plans, the debugger."""
    option, manager = item.config.option, item.config.pluginmanager
    properties, shown = list(item.user_properties), getattr(option, "setupshow", False)
    tracer = manager.get_plugin("pdbtrace")
    with warnings.catch_warnings(record=True):
        option.setupshow = False
        if tracer is not None:
            manager.unregister(tracer)
        try:
            yield
        finally:
            option.setupshow = shown
            if tracer is not None:
                manager.register(tracer, "pdbtrace")
            item.user_properties[:] = properties
            item._report_sections.clear()
            for name in ("last_type", "last_value", "last_traceback", "last_exc"):
                vars(sys).pop(name, None)


def renew(item: pytest.Item, original: object) -> None:
    """Give the next run of a test an object of its own, and the function that was collected, not one that a plugin put there."""
    if not isinstance(item, pytest.Function):
        return
    if item.cls is not None:
        vars(item).pop("_instance", None)
        vars(item).pop("_obj", None)
    elif original is not None:
        vars(item)["_obj"] = original
    vars(item).pop("_excinfo", None)  # of unittest: what the run before raised
