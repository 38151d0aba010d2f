"""Hooks only: each reads its event, calls one plain function and returns."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .integration import collection, completeness, markers, options
from .integration.completeness import Workers
from .integration.fixtures import Fixtures
from .integration.phases import Phases
from .report import terminal
from .session import Session

if TYPE_CHECKING:
    from .integration.reruns import Reruns
    from .report.ci import Service

__all__ = ["Plugin", "pytest_addoption", "pytest_configure"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare options and ini settings."""
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Make the session, and hang the hooks that need it on the plugin manager."""
    config.addinivalue_line("markers", markers.REPRO)
    config.addinivalue_line("markers", markers.ADVERSARIAL)
    session = Session(options.settings(config))
    phases = Phases(config, session)
    workers = completeness.Workers(session, config)
    config.pluginmanager.register(workers, "mlrepro-workers")
    config.pluginmanager.register(Plugin(phases, workers), "mlrepro-session")
    config.pluginmanager.register(Fixtures(phases), "mlrepro-fixtures")
    config.pluginmanager.register(Refusal(phases), "mlrepro-refusal")
    if config.getoption("--mlrepro-json") or config.getoption("--mlrepro-report"):
        from .integration.telling import Telling  # a run without them never loads it

        phases.telling = Telling(config, phases)
        config.pluginmanager.register(phases.telling, "mlrepro-telling")
    service = options.ci_service(config)
    if service != "none" or getattr(config.option, "xmlpath", None):
        _tell_ci(config, session, service)


def _tell_ci(config: pytest.Config, session: Session, service: Service) -> None:
    from .integration.ci import Ci  # other runs never load it

    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Ci(config, session, service), "mlrepro-ci")


class Plugin:
    """Hooks of every run."""

    def __init__(self, phases: Phases, workers: Workers) -> None:
        self.phases, self.session = phases, phases.session
        self.rerunning = Rerunning(phases)
        self.workers = workers

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Forget what the last run proved."""
        completeness.begin(self.session, session.config)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Seed before anything of the test runs."""
        return (yield from self.phases.setup(item))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Seed again, and close the golden."""
        return (yield from self.phases.call(item))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Seed again, put everything back, commit the golden."""
        return (yield from self.phases.teardown(item))

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Keep pytest from walking through goldens."""
        return collection.holds_goldens(self.session.settings, collection_path) or None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what was collected."""
        collection.collect(self.session, session.items, session.config)
        if collection.wants_attacks(session.items):
            self._attack(session)  # first: it adds fixtures to tests, whose code is watched
        self.phases.watch.begin(session.items)
        if self.session.settings.variants and any(map(self.phases.watch.concerns, session.items)):
            self.session.present()  # now: it may import torch, which is not to happen in the middle of a seeded test
        if self.session.settings.mode != "check":
            self.session.count_metrics()  # what shares a false-alarm rate, before this run records more of it
        if self.session.settings.mode != "check" or collection.wants_reruns(session.items):
            self.rerunning.begin(session.config)

    def _attack(self, session: pytest.Session) -> None:
        from .integration.adversarial import Adversarial  # a run without such tests never loads it

        adversarial = Adversarial(self.phases)
        adversarial.begin(session.items)
        session.config.pluginmanager.register(adversarial, "mlrepro-adversarial")

    def pytest_deselected(self) -> None:
        """Note that the run is a part only."""
        self.session.run.part("tests were deselected")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, object, object]:
        """Note tests that a hook took out without a word, as plugins that share tests out among machines do."""
        before = len(items)
        result = yield
        if len(items) < before:
            self.session.run.part("tests were taken out after the collection")
        return result

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what was collected, failed to be, or skipped itself."""
        completeness.note_collected(self.session.run, report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Leave the screen to pytest; gather what became of a test's golden, here or in another process."""
        self.phases.progress.clear()
        collection.finish(self.session, report)

    def pytest_keyboard_interrupt(self) -> None:
        """Note which test was interrupted: of what it put aside nothing is recorded."""
        self.session.interrupted = self.phases.running
        self.phases.progress.clear()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Put back what an interrupted test left."""
        self.phases.close()
        self.rerunning.end()
        completeness.close(self.session, session, exitstatus)
        self.workers.close()
        collection.write_last_run(self.session, session.config)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what became of the goldens."""
        lines = terminal.summary(self.session)
        if lines:
            terminalreporter.write_sep("=", "mlrepro")
            terminalreporter.write_line("\n".join(lines))


class Refusal:
    """What fails a set-up, once the set-up of all plugins has begun."""

    def __init__(self, phases: Phases) -> None:
        self.phases = phases

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Fail a test whose marker is wrong."""
        self.phases.refuse()


class Rerunning:
    """Hooks of a run with tests that are held against reruns of themselves."""

    def __init__(self, phases: Phases) -> None:
        self.phases = phases
        self.reruns: Reruns | None = None

    def begin(self, config: pytest.Config) -> None:
        """Hang the hook on the plugin manager, once it is known that a test needs it."""
        if self.reruns is None:
            from .integration.reruns import Reruns  # a run without such tests never loads it

            self.reruns = Reruns(config, self.phases)
            config.pluginmanager.register(self, "mlrepro-reruns")

    def end(self) -> None:
        """End the processes that were started."""
        if self.reruns is not None:
            self.reruns.close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a test more than once where it asks for it, or is recorded."""
        assert self.reruns is not None  # the hook is there only then
        return self.reruns.protocol(item, nextitem) or None
