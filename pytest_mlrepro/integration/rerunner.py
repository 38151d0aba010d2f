"""The runs of one test that do not count: in this process, and in the processes that it has for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..determinism.child import ChildError
from ..determinism.culprit import state_of
from ..determinism.holding import Noting
from ..determinism.runs import Run
from ..determinism.traces import traced
from ..determinism.vary import Variation, varied
from ..fingerprints import Fingerprint
from . import limits
from .reruns import request
from .silent import renew, silent_run
from .watching import of_the_project

if TYPE_CHECKING:
    from ..golden.observer import Observer
    from .phases import Phases
    from .reruns import Reruns

__all__ = ["Rerunner", "in_a_line", "noted", "observed"]


class Rerunner:
    """Runs one test again; a `determinism.runner.Runner`."""

    def __init__(self, item: pytest.Function, phases: Phases, reruns: Reruns) -> None:
        self._item, self._phases, self._reruns = item, phases, reruns
        self._original = item.obj if item.cls is None else None
        self.planned = 0
        """How many runs there are, with the one that counts, if none differs."""
        self._runs = 0

    def _told(self, run: Run) -> None:
        """Say which run this is."""
        self._runs += 1
        how = "" if run.variation is None else f" {run.variation.words}"
        if self._runs < self.planned:
            self._phases.progress.stage(f"run {self._runs} of {self.planned}{how}, not the one that counts")
        else:
            self._phases.progress.stage(f"runs differ: run {self._runs - self.planned + 1} to find the reason{how}")

    def renew(self) -> None:
        """Have the next run begin with an object of its own."""
        renew(self._item, self._original)

    def here(self, run: Run, *, trace: Path | None = None) -> None:
        """Run it in this process, under the run's variation."""
        item = self._item
        self._told(run)
        limits.restart(item)
        try:
            with ExitStack() as stack:
                recorder = stack.enter_context(traced(trace, item.config.rootpath))
                if run.variation is not None:
                    stack.enter_context(varied(run.variation.name))
                self.renew()
                noted(run, observed(item, self._phases, Noting(run, recorder)))
        finally:
            limits.pause(item)

    def anew(self, run: Run) -> None:
        """Run it in this process with wider fixtures, but for those of the session, made anew."""
        item = self._item
        self.renew()
        try:
            item.session._setupstate.teardown_exact(item.session)  # type: ignore[arg-type]  # asked for listchain only
        except Exception as error:  # noqa: BLE001  # a tear-down may raise anything; this run only looks for evidence
            run.outcome, run.words = "failed", f"{type(error).__name__}: {error}"
            return
        self.here(run)

    def there(
        self,
        run: Run,
        variations: Sequence[Variation],
        *,
        trace: Path | None = None,
        after: Sequence[str] = (),
        fresh: bool = False,
    ) -> None:
        """Run it in a child under these variations, after these tests; `fresh`: in one that has run nothing else."""
        self._told(run)
        nodeid = self._item.nodeid
        asked = request(self._item, [*after, nodeid], {nodeid: run.folder}, trace)
        self._from(run, lambda: self._reruns.children.ask(variations, asked, fresh=fresh))

    def reversed(self, run: Run) -> None:
        """Run it in a child that runs the tests of its module backwards."""

        self._told(run)

        def found() -> None:
            run.folder = self._reruns.backwards(self._item)

        self._from(run, found)

    def _from(self, run: Run, work: Callable[[], object]) -> None:
        limits.pause(self._item)
        try:
            work()
        except ChildError as error:
            run.outcome, run.words = "crashed", str(error)
        else:
            run.read()

    def state(self) -> dict[str, Fingerprint]:
        """Return fingerprints of what outlives a run: values of wider fixtures and names of the test's module."""
        return state_of(dict(_outliving(self._item)))

    def before(self) -> list[str]:
        """Return the tests that ran before it in this process, in order."""
        return list(self._reruns.ran)

    def after(self) -> list[str]:
        """Return the tests of its module that come later, backwards."""
        module = [item.nodeid for item in self._item.session.items if item.path == self._item.path]
        return module[module.index(self._item.nodeid) + 1 :][::-1]


def observed(item: pytest.Item, phases: Phases, observer: Observer) -> list[pytest.TestReport]:
    """Run a test silently with its values shown to an observer, and return the reports of its phases."""
    before = phases.observer, phases.silent
    phases.observer, phases.silent = observer, True
    try:
        # The parent as next item: what is shared with other tests stays up, what is the test's own is torn down.
        return silent_run(item, item.parent)  # type: ignore[arg-type]  # asked for listchain only
    finally:
        phases.observer, phases.silent = before


def noted(run: Run, reports: Sequence[pytest.TestReport]) -> None:
    """Note how a run ended."""
    # the tear-down of the run that counts is still to come when runs are held together, so that of others doesn't count
    bad = [report for report in reports if not report.passed and report.when != "teardown"]
    run.outcome = "passed" if not bad else "failed" if any(report.failed for report in bad) else "skipped"
    run.words = next((in_a_line(report) for report in bad if report.outcome == run.outcome), "")


def in_a_line(report: pytest.TestReport) -> str:
    """Return why a test failed or was skipped."""
    shown: Any = report.longrepr
    crash = getattr(shown, "reprcrash", None)
    text = str(shown[2]) if isinstance(shown, tuple) else crash.message if crash is not None else str(shown or "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    where = " (in its set-up)" if report.when == "setup" and report.failed else ""
    return f"{lines[0][:200] if lines else 'without a message'}{where}"


def _outliving(item: pytest.Function) -> Iterator[tuple[str, object]]:
    """Yield the values that the next run of a test finds as this one left them, by what failures call them."""
    for name, fixturedefs in item._fixtureinfo.name2fixturedefs.items():
        fixturedef = fixturedefs[-1]
        if fixturedef.scope == "function" or not of_the_project(fixturedef.func) or not fixturedef.cached_result:
            continue
        code = fixturedef.func.__code__
        place = f"{Path(code.co_filename).name}:{code.co_firstlineno}"
        yield f"the {fixturedef.scope}-scoped fixture {name!r} ({place})", fixturedef.cached_result[0]
    module = item.module
    for name, value in list(vars(module).items()):
        if not name.startswith(("__", "@py")) and not callable(value) and type(value).__name__ != "module":
            yield f"the global {name!r} of {module.__name__.rpartition('.')[2]}", value
    for kind in item.cls.__mro__[:-1] if item.cls is not None else ():
        for name, value in list(vars(kind).items()):
            if not name.startswith("__") and not callable(value) and not hasattr(value, "__get__"):
                yield f"the attribute {name!r} of the class {kind.__name__}", value
