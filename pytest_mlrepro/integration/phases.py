"""Set-up, call and tear-down of one test: seeded in each, its golden closed after the call, committed after the tear-down."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import pytest

from ..errors import UsageError
from ..session import Session
from .failures import fail, forbid, plainly
from .markers import Plan, plan
from .options import default_seed, seed_all
from .progress import Progress
from .properties import ENTROPY, PROPERTY, REMARK, named
from .running import Case, note, require_declared, scope_of, test_id
from .watching import Watch

if TYPE_CHECKING:
    from ..golden.case import GoldenCase
    from ..golden.contracting import Contracting
    from ..golden.drifting import Drifting
    from ..golden.observer import Observer
    from ..pipeline.recorder import Pipeline
    from ..provenance.gather import Sources
    from ..provenance.record import Provenance
    from ..seeding import SeedScope
    from .robustness import Robustness

__all__ = ["Phases"]


class Phases:
    """The tests of one session as they go through their phases."""

    def __init__(self, config: pytest.Config, session: Session) -> None:
        self.session = session
        self._case = Case()
        self._all = seed_all(config)
        self._default = plan(None, default_seed(config))
        self._option = config.option
        self._randomly = bool(getattr(config.option, "randomly_reset_seed", False))
        self.watch = Watch(config, session.settings)
        self.progress = Progress(config)
        self.observer: Observer | None = None
        """Who sees the values of the running test; None where it is not held against runs of its own."""
        self.silent = False
        """Whether the present run does not count."""

    def setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Seed the test if it asks for it, and keep it seeded until its tear-down is over."""
        self._case = Case(item)
        self.progress.begin(item)
        mark = item.get_closest_marker("repro")
        if mark is not None or self._all or "repro" in getattr(item, "fixturenames", ()):
            try:
                self._case.plan = self._plan(mark)
                self._require_reruns(item)
            except UsageError as error:
                self._case.refused = error  # told by `refuse`: before that, the other plugins' set-up must have begun
        if self.watch.concerns(item):
            self._case.watched = self.watch.watch(item, self._case.plan)
        if self._case.plan is None:
            return (yield)
        self._alone(True)
        scope = self._case.scope = scope_of(self._case.plan)
        scope.enter("setup")
        result = yield
        forbid(scope, 0)
        return result

    def _require_reruns(self, item: pytest.Item) -> None:
        """Raise UsageError for a test that asks for reruns and won't get them: it would pass without being held."""
        plan = self._case.plan
        if plan is None or self.observer is not None or (plan.reruns == 1 and not plan.vary):
            return
        if not self._option.setuponly:
            raise UsageError(
                "@pytest.mark.repro: reruns and vary are for test functions that have the marker when they are collected"
                + ("" if isinstance(item, pytest.Function) else f", and this is a {type(item).__name__}")
            )

    @property
    def failed_here(self) -> bool:
        """Whether the running test failed by a check of ours, such as of its golden, which a silent run leaves out."""
        return self._case.failed_here

    def refuse(self) -> None:
        """Fail the set-up of a test whose marker is wrong."""
        if self._case.refused is not None:
            fail(self._case.refused)

    def call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Run the body, and close the golden if the body passes."""
        case = self._case
        if case.scope is None and case.watched is None:
            result = yield
            self._close(case)  # the body may have asked for it by name
            case.passed = True
            return result
        seen = 0
        if case.scope is not None:
            seen = len(case.scope.violations)
            case.scope.reseed("call")
        try:
            result = yield
            self._close(case)
            require_declared(case)
        except Exception as error:
            note(case, error)
            raise
        if case.scope is not None:
            forbid(case.scope, seen)
        case.passed = True
        return result

    def teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Tear down, put every random state back, and write what is to be recorded."""
        case = self._case
        try:
            result = yield from self._torn_down(item, case.scope)
            self._leave(case)
            if case.passed and not self.silent:
                self._commit(item, case)
        finally:
            self._leave(case)
            if case.golden is not None:
                case.golden.discard()
            if case.watched is not None:
                case.watched.stop()
        return result

    def _torn_down(self, item: pytest.Item, scope: SeedScope | None) -> Generator[None, object, object]:
        if scope is None:
            return (yield)
        seen = len(scope.violations)
        scope.reseed("teardown")
        result = yield
        forbid(scope, seen)
        for site in scope.sites:
            item.user_properties.append((named(ENTROPY, f"{site.file}:{site.line}"), site.kind))
        return result

    @property
    def running(self) -> str:
        """The id of the test that runs, or ran last; "" before the first."""
        return "" if self._case.item is None else self._case.item.nodeid

    def close(self) -> None:
        """Put back what an interrupted test left seeded, and remove what it put aside."""
        self.progress.clear()
        self._leave(self._case)
        if self._case.golden is not None:
            self._case.golden.discard()
        if self._case.watched is not None:
            self._case.watched.stop()
        self.watch.close()

    def open_golden(self) -> GoldenCase:
        """Return the golden of the running test, one for all fixtures that ask for it."""
        from ..golden.case import GoldenCase
        from ..golden.layout import golden_folder

        if self._case.golden is not None:
            return self._case.golden
        item, settings = self._case.item, self.session.settings
        assert item is not None  # fixtures are made between set-up and tear-down
        test = test_id(item)
        folder = golden_folder(test, root=settings.root, golden_dir=settings.golden_dir)
        self.session.claim(folder, item.nodeid)
        self._case.golden = GoldenCase(
            test,
            folder,
            settings,
            nodeid=item.nodeid,
            observer=self.observer,
            silent=self.silent,
            notify=lambda check: item.user_properties.append((named(PROPERTY, check.name), check.outcome)),
            provenance=self._provenance,
            elsewhere=lambda: sum(count for other, count in self.session.count_metrics().items() if other != folder),
            remark=lambda name, text: item.user_properties.append((named(REMARK, name), text)),
            vary=self._varied(),
            tell=self.progress.tell,
        )
        return self._case.golden

    def _varied(self) -> tuple[str, ...]:
        """Return what the further runs of the running test vary; "reruns" for those that vary nothing."""
        asked = self._case.plan
        if asked is None:
            return ()
        return (*(("reruns",) if asked.reruns > 1 else ()), *(variation.name for variation in asked.vary))

    def open_pipeline(self) -> Pipeline:
        """Return the pipeline of the running test, whose steps are entered in its golden."""
        from .pipelines import open_pipeline

        case = self._case
        assert case.item is not None  # fixtures are made between set-up and tear-down
        return open_pipeline(self.open_golden(), self.sources(), case.item, case.plan, self.watch.tracking)

    def open_drift(self) -> Drifting:
        """Return the drift checks of the running test, whose references are recorded in its golden."""
        from .drifting import open_drift

        assert self._case.item is not None  # fixtures are made between set-up and tear-down
        return open_drift(self.open_golden(), self._case.item)

    def open_contract(self) -> Contracting:
        """Return the contracts of the running test, which are recorded in its golden."""
        from .contracts import open_contract

        assert self._case.item is not None  # fixtures are made between set-up and tear-down
        return open_contract(self.open_golden(), self._case.item)

    def open_robustness(self) -> Robustness:
        """Return the robustness checks of the running test, one for the marker and the fixture."""
        case = self._case
        if case.robustness is None:
            from .robustness import Robustness

            assert case.item is not None  # asked for between set-up and tear-down
            seed = 0 if case.plan is None else case.plan.seed
            case.robustness = Robustness(
                case.item, self.session.settings, self.open_golden, seed=seed, silent=self.silent
            )
        return case.robustness

    def attacking(self, attack: Callable[[], None]) -> None:
        """Attack the model of a marked test before its body; a model that falls fails the test with the report alone."""
        self._case.failed_here = True
        with plainly():
            attack()
        self._case.failed_here = False

    def sources(self) -> Sources:
        """Return what the provenance of the running test is gathered from."""
        case = self._case
        if case.watched is None:  # the fixture was asked for by name while the test ran already
            assert case.item is not None  # fixtures are made between set-up and tear-down
            case.watched = self.watch.unwatched(case.item, case.plan)
        return case.watched.sources

    def _provenance(self, then: Provenance | None) -> Provenance:
        from ..provenance.gather import gather

        return gather(self.sources(), then)

    def seed_plan(self) -> Plan:
        """Return how the running test is seeded."""
        assert self._case.plan is not None  # the fixture `repro` makes its test a seeded one
        return self._case.plan

    def checkpoint(self, name: str, value: object) -> None:
        """Hold an intermediate value of the runs of a test against each other."""
        __tracebackhide__ = True
        if self.observer is not None:
            from ..values.describe import describe

            self.observer.observe(f"checkpoint {name!r}", value, describe(value), None)

    def plan_of(self, item: pytest.Item) -> Plan:
        """Return how a test is seeded and rerun, were it to run now; UsageError for a wrong marker."""
        return self._plan(item.get_closest_marker("repro"))

    def _plan(self, mark: pytest.Mark | None) -> Plan:
        if mark is None or not (mark.args or mark.kwargs):
            return self._default
        return plan(mark, self._default.seed)

    def _close(self, case: Case) -> None:
        case.failed_here = True  # whatever comes from here on is a check of ours
        if self.observer is not None:
            with plainly():
                self.observer.end()
        if case.golden is not None:
            with plainly():
                case.golden.finish()
        case.failed_here = False

    def _leave(self, case: Case) -> None:
        if case.scope is not None:
            scope, case.scope = case.scope, None
            self._alone(False)
            scope.exit()

    def _alone(self, alone: bool) -> None:
        """Keep pytest-randomly from seeding a test that is seeded here; its hooks look at this option as they run."""
        if self._randomly:
            self._option.randomly_reset_seed = not alone

    def _commit(self, item: pytest.Item, case: Case) -> None:
        if case.golden is None:
            return
        with plainly():
            case.golden.commit()
        if self.session.may_have_pending:
            from ..golden.pending import withdraw

            withdraw(self.session.settings.root, case.golden.folder)
