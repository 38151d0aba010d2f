"""Set-up, call and tear-down of one test: seeded in each, its golden closed after the call, committed after the tear-down."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from ..errors import MlreproError, UsageError
from ..records import Check, TestId
from ..session import Session
from .markers import Plan, plan
from .options import default_seed, seed_all
from .watching import Watch, Watched

if TYPE_CHECKING:
    from ..golden.case import GoldenCase
    from ..golden.observer import Observer
    from ..provenance.gather import Sources
    from ..provenance.record import Provenance
    from ..seeding import EntropySite, SeedScope

__all__ = ["Phases"]

PACKAGE = str(Path(__file__).parent.parent)
ENTROPY = "mlrepro.entropy"
"""User property of each line that drew without a seed in a seeded test: `mlrepro.entropy:FILE:LINE`, kind of source."""
PROPERTY = "mlrepro.golden"
"""User property (so that it reaches JUnit and other processes) of each golden check: `mlrepro.golden:NAME`, outcome."""
SPREAD = "mlrepro.spread"
"""User property of each value that may differ in a varied run, and does: `mlrepro.spread:VARIATION:LABEL`, how far."""
REMARK = "mlrepro.distribution"
"""User property of each distribution check that passed: `mlrepro.distribution:NAME`, what change it would have seen."""


class Case:
    """What belongs to one run of one test. No dataclass: making one takes a millisecond of every start of pytest."""

    __slots__ = ("failed_here", "golden", "item", "passed", "plan", "refused", "scope", "watched")

    def __init__(self, item: pytest.Item | None = None) -> None:
        self.item = item
        self.plan: Plan | None = None
        self.scope: SeedScope | None = None
        self.golden: GoldenCase | None = None
        self.passed = False
        self.failed_here = False
        self.refused: UsageError | None = None
        self.watched: Watched | None = None


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
        self.observer: Observer | None = None
        """Who sees the values of the running test; None where it is not held against runs of its own."""
        self.silent = False
        """Whether the present run does not count."""

    def setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Seed the test if it asks for it, and keep it seeded until its tear-down is over."""
        self._case = Case(item)
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
        scope = self._case.scope = _scope(self._case.plan)
        scope.enter("setup")
        result = yield
        _forbid(scope, 0)
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
            _fail(self._case.refused)

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
            _require_declared(case)
        except Exception as error:
            _note(case, error)
            raise
        if case.scope is not None:
            _forbid(case.scope, seen)
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
        _forbid(scope, seen)
        for site in scope.sites:
            item.user_properties.append((f"{ENTROPY}:{site.file}:{site.line}", site.kind))
        return result

    def close(self) -> None:
        """Put back what an interrupted test left seeded, and remove what it put aside."""
        self._leave(self._case)
        if self._case.golden is not None:
            self._case.golden.discard()
        if self._case.watched is not None:
            self._case.watched.stop()
        self.watch.close()

    def open_golden(self) -> GoldenCase:
        """Return the golden of the running test."""
        from ..golden.case import GoldenCase
        from ..golden.layout import golden_folder

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
            notify=lambda check: item.user_properties.append((f"{PROPERTY}:{check.name}", check.outcome)),
            provenance=self._provenance,
            elsewhere=lambda: sum(count for other, count in self.session.count_metrics().items() if other != folder),
            remark=lambda name, text: item.user_properties.append((f"{REMARK}:{name}", text)),
            vary=self._varied(),
        )
        return self._case.golden

    def _varied(self) -> tuple[str, ...]:
        """Return what the further runs of the running test vary; "reruns" for those that vary nothing."""
        asked = self._case.plan
        if asked is None:
            return ()
        return (*(("reruns",) if asked.reruns > 1 else ()), *(variation.name for variation in asked.vary))

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
            with _plainly():
                self.observer.end()
        if case.golden is not None:
            with _plainly():
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
        with _plainly():
            case.golden.commit()
        if self.session.may_have_pending:
            from ..golden.pending import withdraw

            withdraw(self.session.settings.root, case.golden.folder)


def test_id(item: pytest.Item) -> TestId:
    """Return which test this is."""
    return TestId(item.path, item.nodeid.partition("::")[2] or item.name)


def outcomes(report: pytest.TestReport) -> Iterator[Check]:
    """Return the golden checks that a test's last report tells of, wherever it ran."""
    for key, value in report.user_properties:
        if key.startswith(PROPERTY):
            yield Check(key[len(PROPERTY) + 1 :], value)  # type: ignore[arg-type]  # an Outcome, written by us


def remarks(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    """Return the names of the checks of a test that have something to say although they passed, and what."""
    for key, value in report.user_properties:
        if key.startswith(REMARK):
            yield key[len(REMARK) + 1 :], str(value)


def entropy_sites(report: pytest.TestReport) -> Iterator[tuple[str, str]]:
    """Return the lines that drew without a seed, and the kind of source, that a test's last report tells of."""
    for key, value in report.user_properties:
        if key.startswith(ENTROPY):
            yield key[len(ENTROPY) + 1 :], str(value)


def spreads(report: pytest.TestReport) -> Iterator[tuple[str, str, str]]:
    """Return the variation, the value and how far it may be away elsewhere, that a test's last report tells of."""
    for key, value in report.user_properties:
        if key.startswith(SPREAD):
            variation, _, label = key[len(SPREAD) + 1 :].partition(":")
            yield variation, label, str(value)


def _forbid(scope: SeedScope, seen: int) -> None:
    """Fail a phase in which the test drew without a seed and swallowed the error."""
    if len(scope.violations) > seen:
        pytest.fail("\n".join(_forbidden(site) for site in scope.violations[seen:]), pytrace=False)


def _forbidden(site: EntropySite) -> str:
    return f"unseeded entropy is forbidden in this test: {site.kind} was drawn at {site.file}:{site.line}"


def _scope(seeding: Plan) -> SeedScope:
    from ..seeding import SeedScope

    return SeedScope(seeding.seed, entropy=seeding.entropy, deterministic=seeding.deterministic)


def _require_declared(case: Case) -> None:
    """Fail a test that declares a path which isn't there, also while its golden needs no provenance."""
    if case.plan is not None and (case.plan.data or case.plan.artifacts) and case.watched is not None:
        with _plainly():
            case.watched.sources.declared()


def _note(case: Case, error: Exception) -> None:
    """Add to a failure what the user needs to know beside it."""
    for note in [*_hints(case, error), *(case.golden.notes if case.golden else [])]:
        error.add_note(note)
    case.failed_here = case.failed_here or _raised_here(error)
    if isinstance(error, (MlreproError, AssertionError)):
        _trim(error)


def _raised_here(error: Exception) -> bool:
    """Tell whether an error comes from this package and not from what the test or a library did."""
    entry = error.__traceback__
    while entry is not None and entry.tb_next is not None:
        entry = entry.tb_next
    return entry is not None and entry.tb_frame.f_code.co_filename.startswith(PACKAGE)


def _trim(error: Exception) -> None:
    """Cut the frames of this package off the end of a traceback: what failed is the user's line above them."""
    last, entry = None, error.__traceback__
    while entry is not None:
        if not entry.tb_frame.f_code.co_filename.startswith(PACKAGE):
            last = entry
        entry = entry.tb_next
    if last is not None:
        last.tb_next = None


def _hints(case: Case, error: Exception) -> list[str]:
    if case.scope is None:
        return []
    from ..seeding import deterministic_hint

    hint = deterministic_hint(error)
    return [hint] if hint else []


@contextmanager
def _plainly() -> Iterator[None]:
    """Show a failure of ours as its message alone: no line of the user's is in its traceback."""
    try:
        yield
    except (MlreproError, AssertionError) as error:
        failure: Exception = error
    else:
        return
    _fail(failure)


def _fail(error: Exception) -> NoReturn:
    prefix = f"{type(error).__name__}: " if isinstance(error, MlreproError) else ""
    raise pytest.fail.Exception(f"{prefix}{error}", pytrace=False) from None
