"""Tests that are held against reruns of themselves: silent runs, then the one that counts, then what explains a difference."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import check_interactive_exception, show_test_item

from ..errors import UsageError
from . import limits
from .examples import same_examples, tests_examples
from .properties import SPREAD, named
from .silent import Phase, phase, requested

if TYPE_CHECKING:
    from ..determinism.children import Children
    from ..determinism.holding import Holding
    from ..determinism.ladder import Ladder
    from ..determinism.runs import Apart
    from .markers import Plan
    from .phases import Phases
    from .rerunner import Rerunner

__all__ = ["Reruns", "request"]

SECTION = "not reproducible"
RECORDING = frozenset({"golden", "pipeline", "drift", "robustness", "contract"})
"""Fixtures by which a test records something."""


class Reruns:
    """The tests of one session that run more than once."""

    def __init__(self, config: pytest.Config, phases: Phases) -> None:
        self._config, self._phases = config, phases
        self._environment = dict(os.environ)  # as it is before tests change it
        self._children: Children | None = None
        self._backwards: dict[Path, tuple[Path, str]] = {}
        """Of each module that was run backwards: where the runs of its tests lie, and why not all do."""
        self.ran: list[str] = []
        """The tests that this process has run, in order."""

    def protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run a test that is held against reruns, and report it; False for any other."""
        plan = self._plan(item)
        if plan is None or not isinstance(item, pytest.Function):
            self.ran.append(item.nodeid)
            return False
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        with same_examples(item, plan.seed):
            self._run(item, nextitem, plan)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        self.ran.append(item.nodeid)
        return True

    def _plan(self, item: pytest.Item) -> Plan | None:
        """Return how to rerun a test; None where nothing asks for it, or its set-up will say what is wrong."""
        if not isinstance(item, pytest.Function) or self._config.option.setuponly:
            return None
        try:
            plan = self._phases.plan_of(item)
        except UsageError:
            return None
        if self._records(item):
            return plan
        return plan if plan.reruns > 1 or plan.vary else None

    def _records(self, item: pytest.Item) -> bool:
        return self._phases.session.settings.mode != "check" and not RECORDING.isdisjoint(
            getattr(item, "fixturenames", ())
        )

    def _run(self, item: pytest.Function, nextitem: pytest.Item | None, plan: Plan) -> None:
        from ..determinism.ladder import Ladder
        from .rerunner import Rerunner

        records, asked = self._records(item), plan.reruns > 1 or bool(plan.vary)
        folder = Path(tempfile.mkdtemp(prefix="mlrepro-"))
        runner = Rerunner(item, self._phases, self)
        ladder = Ladder(
            folder,
            reruns=max(plan.reruns, 2) if records else plan.reruns,
            variations=plan.vary,
            lenient=records and not asked,
            runner=runner,
        )
        self._phases.progress.begin(item)
        runner.planned = ladder.planned + 1
        try:
            ladder.climb()
            runner.renew()
            self._phases.progress.stage(f"run {runner.planned} of {runner.planned}, the one that counts")
            One(item, nextitem, self._phases, ladder, runner, records=records, asked=asked).run()
        finally:
            self._phases.observer, self._phases.silent = None, False
            shutil.rmtree(folder, ignore_errors=True)

    def backwards(self, item: pytest.Item) -> Path:
        """Return where the run of a test lies in a process that ran its module backwards; ChildError if it broke.

        The module runs once for all of its tests that ask for it.
        """
        from ..determinism.child import ChildError

        if item.path not in self._backwards:
            self._backwards[item.path] = self._run_backwards(item)
        place, trouble = self._backwards[item.path]
        folder = place / _digest(item.nodeid)
        if trouble and not (folder / "run.json").exists():
            raise ChildError(f"{trouble}\n(this test or another of its module that ran before it there)")
        return folder

    def _run_backwards(self, item: pytest.Item) -> tuple[Path, str]:
        from ..determinism.child import ChildError

        place = self.children.scratch / f"backwards-{len(self._backwards)}"
        tests = [other for other in item.session.items if other.path == item.path][::-1]
        plans = {other.nodeid: self._plan(other) for other in tests}
        asking = [nodeid for nodeid, plan in plans.items() if plan and any(one.name == "order" for one in plan.vary)]
        folders = {nodeid: place / _digest(nodeid) for nodeid in asking}
        try:
            self.children.ask((), request(item, list(plans), folders), fresh=True)
        except ChildError as error:
            return place, str(error)
        return place, ""

    @property
    def children(self) -> Children:
        """Return the processes that run tests for this one."""
        if self._children is None:
            from ..determinism.children import Children
            from .serving import launch

            self._children = Children(launch(self._config, self._environment))
        return self._children

    def close(self) -> None:
        """End the processes that run tests for this one."""
        if self._children is not None:
            children, self._children = self._children, None
            children.close()


def request(
    item: pytest.Item, nodeids: list[str], folders: Mapping[str, Path], trace: Path | None = None
) -> dict[str, Any]:
    """Return what a child is asked: to run these tests one after the other, those with a folder with their values noted."""
    wanted = set(nodeids)
    return {
        "nodeids": nodeids,
        "files": sorted({str(other.path) for other in item.session.items if other.nodeid in wanted}),
        "folders": {nodeid: str(folder) for nodeid, folder in folders.items()},
        "trace": None if trace is None else str(trace),
        "project": str(item.config.rootpath),
    }


def _digest(nodeid: str) -> str:
    return hashlib.sha256(nodeid.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class One:
    """The run of a test that counts."""

    def __init__(
        self,
        item: pytest.Item,
        nextitem: pytest.Item | None,
        phases: Phases,
        ladder: Ladder,
        runner: Rerunner,
        *,
        records: bool,
        asked: bool,
    ) -> None:
        from ..determinism.holding import Holding

        self._item, self._nextitem, self._phases = item, nextitem, phases
        self._ladder, self._runner = ladder, runner
        self._records, self._asked = records, asked
        self._run = ladder.run()
        self._holding: Holding = Holding(
            self._run, ladder.earlier, recording=records, lenient=not asked, required=asked
        )
        self._holding.later = tests_examples(item)

    def run(self) -> None:
        """Run and report it; explain a difference before anything is reported."""
        item, config = self._item, self._item.config
        with ExitStack() as stack:
            stack.enter_context(requested(item))
            self._phases.observer, self._phases.silent = self._holding, False
            limits.restart(item)
            done = [self._phase("setup")]
            if done[0].report.passed:
                if getattr(config.option, "setupshow", False):
                    show_test_item(item, add_space=True)
                done.append(self._phase("call"))
            self._tell_spreads()
            apart = self._difference(done[-1])
            self._tell_runs(apart)
            if apart is not None:
                torn_down = self._phase("teardown", nextitem=item.parent)
                stack.close()
                self._explain(done[-1], apart)
                self._log(done)
                self._log([self._last(torn_down)])
                return
            self._log(done)
            self._log([self._phase("teardown", nextitem=self._next())])

    def _next(self) -> pytest.Item | None:
        stopped = self._item.session.shouldfail or self._item.session.shouldstop
        return None if stopped else self._nextitem

    def _phase(self, when: Any, **arguments: Any) -> Phase:
        done = phase(self._item, when, interrupted=not self._item.config.getoption("usepdb", False), **arguments)
        if check_interactive_exception(done.call, done.report):
            self._item.ihook.pytest_exception_interact(node=self._item, call=done.call, report=done.report)
        return done

    def _log(self, done: list[Phase]) -> None:
        for one in done:
            self._item.ihook.pytest_runtest_logreport(report=one.report)

    def _last(self, torn_down: Phase) -> Phase:
        """Tear down what the next test does not share: after a difference only the test's own was."""
        item, following = self._item, self._next()
        call: pytest.CallInfo[None] = pytest.CallInfo.from_call(
            lambda: item.session._setupstate.teardown_exact(following),
            when="teardown",
            reraise=(pytest.exit.Exception, KeyboardInterrupt),
        )
        if call.excinfo is None or torn_down.report.failed:
            return torn_down
        return Phase(call, item.ihook.pytest_runtest_makereport(item=item, call=call))

    def _difference(self, last: Phase) -> Apart | None:
        """Return how this run parts from those before it, also if it failed by itself where one of them passed."""
        if self._holding.apart is not None or not last.report.failed or self._phases.failed_here:
            return self._holding.apart
        from .rerunner import in_a_line

        return self._holding.failed(in_a_line(last.report))

    def _tell_spreads(self) -> None:
        for (variation, label), words in self._holding.spreads.items():
            self._item.user_properties.append((named(SPREAD, f"{variation}:{label}"), words))

    def _tell_runs(self, apart: Apart | None) -> None:
        """Tell a record of the run what this test was held against, if it asks for that or did not repeat."""
        details, plan = self._phases.details, self._phases.plan_of(self._item)
        if details is not None and (self._asked or apart is not None):
            plain = ["plain"] * (max(plan.reruns, 2 if self._records else 1) - 1)
            details.runs([*plain, *(variation.name for variation in plan.vary)], apart=apart is not None)

    def _explain(self, last: Phase, apart: Apart) -> None:
        """Say in the report what the difference is due to, once further runs have told."""
        if not last.report.failed:
            return  # it was expected to fail
        from ..determinism.holding import message

        said = message(apart, recording=self._records)
        explained = self._ladder.explain(apart, self._run)
        text = message(explained.apart, recording=self._records, evidence=explained.evidence)
        error = last.call.excinfo.value if last.call.excinfo is not None else None
        if isinstance(error, pytest.fail.Exception) and error.msg and error.msg.startswith(said):
            error.msg = text + error.msg[len(said) :]
        elif error is not None and error.args and str(error.args[0]).startswith(said):
            error.args = (text + str(error.args[0])[len(said) :], *error.args[1:])
        else:
            last.report.sections.append((SECTION, text))
            return
        last.report.longrepr = self._shown(last)

    def _shown(self, last: Phase) -> Any:
        assert last.call.excinfo is not None  # it failed
        if last.report.when == "call":
            return self._item.repr_failure(last.call.excinfo)
        style = self._item.config.getoption("tbstyle", "auto")
        return self._item._repr_failure_py(last.call.excinfo, style=style)
