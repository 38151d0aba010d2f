"""Hooks of a run that is to be recorded or shown: verdicts are gathered as tests end, written line by line, and made a page of."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from ..errors import UsageError
from ..report.detail.collector import Details
from ..report.lines import Lines
from ..report.verdicts import Ended, Record, TestOutcome, verdicts_of
from .properties import outcomes, remarks, spreads, variant_of, verdicts

if TYPE_CHECKING:
    from .phases import Phases

__all__ = ["Telling"]

FIXTURES: Final = frozenset({"golden", "repro", "pipeline", "drift", "contract", "robustness", "fingerprint"})
RECORDS: Final = "mlrepro_records"
"""Attribute of a test's last report: so its records reach the process that pytest-xdist reports to, and no JUnit file."""
ENVIRONMENT: Final = "mlrepro_environment"
BROKEN: Final = 6000


class Telling:
    """The verdicts of one run: in a process of pytest-xdist they are made, in the first process written."""

    def __init__(self, config: pytest.Config, phases: Phases) -> None:
        self._config, self._phases = config, phases
        self.details = Details()
        self._item: pytest.Item | None = None
        self._reports: list[pytest.TestReport] = []
        self._records: list[Record] = []
        self._environment: list[Any] = []
        self._begun = time.time()
        self._run = f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{os.urandom(4).hex()}"
        self._tests: set[str] = set()
        self._lines: Lines | None = None
        self._page = None if config.option.collectonly else _page(config)
        self._trouble = ""
        """Why the record is not complete; told at the end, since it is no reason to stop the tests."""
        if not _is_worker(config) and config.getoption("--mlrepro-json"):
            try:
                self._lines = Lines(config.invocation_params.dir / config.getoption("--mlrepro-json"))
            except UsageError as error:
                raise pytest.UsageError(str(error)) from None
            config.add_cleanup(self._lines.close)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin anew with each run of a test that counts."""
        if not self._phases.silent:
            self.details, self._item, self._reports = Details(), item, []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Make the records of a test that ran here with its last report; take those of one that ran elsewhere."""
        self._tests.add(report.nodeid)
        if self._item is not None and self._item.nodeid == report.nodeid:
            self._reports.append(report)
            if report.when == "teardown":
                setattr(report, RECORDS, self._ended(self._item))
                self._item = None
        elif report.when not in ("setup", "call", "teardown"):  # its process is gone
            self._take([_lost(report.nodeid, "test", report.longreprtext)])
        if not _is_worker(self._config):
            self._take(getattr(report, RECORDS, ()))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Record a file that could not be collected: its tests are missing among the verdicts."""
        if report.failed and not _is_worker(self._config):
            self._take([_lost(report.nodeid, "collection", report.longreprtext)])

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take the environment of a process of pytest-xdist, in which the tests ran."""
        self._environment = getattr(node, "workeroutput", {}).get(ENVIRONMENT) or self._environment

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the page, also of a run that was stopped."""
        if _is_worker(self._config):
            if self._page is not None:
                self._config.workeroutput[ENVIRONMENT] = _environment()  # type: ignore[attr-defined]  # xdist's
            return
        if self._page is not None:
            self._write_page(self._page, session, exitstatus)
        if self._trouble:
            raise pytest.UsageError(self._trouble)

    def _write_page(self, path: Path, session: pytest.Session, exitstatus: int) -> None:
        from ..report.html.page import Run, write

        run = Run(
            title=self._config.rootpath.name,
            begun=_utc(self._begun),
            seconds=time.time() - self._begun,
            tests=len(self._tests),
            stopped=_stopped(session, exitstatus),
            mode=self._phases.session.settings.mode,
            environment=tuple(map(tuple, self._environment or _environment())),
        )
        try:
            write(path, run, self._records)
        except OSError as error:
            self._trouble = f"--mlrepro-report: can't write {path}: {error.strerror or error}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where the page is."""
        if self._page is not None and self._page.exists():
            terminalreporter.write_line(f"mlrepro report: {self._page}")

    def _ended(self, item: pytest.Item) -> list[Record]:
        reports, last = self._reports, self._reports[-1]
        if any(
            str(report.outcome) == "rerun" for report in reports
        ):  # pytest-rerunfailures: the next try is what counts
            return []
        ended = Ended(
            nodeid=item.nodeid,
            outcome=_outcome(reports),
            seconds=sum(report.duration for report in reports),
            message=next((_message(report) for report in reports if report.failed), ""),
            time=_utc(time.time()),
            ours=self._is_ours(item),
            checks=tuple(outcomes(last)),
            verdicts=tuple(verdicts(last)),
            remarks=tuple(remarks(last)),
            spreads=tuple(spreads(last)),
            variant=variant_of(last),
        )
        return verdicts_of(ended, self.details)

    def _is_ours(self, item: pytest.Item) -> bool:
        marked = any(item.get_closest_marker(name) for name in ("repro", "adversarial"))
        return marked or not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))

    def _take(self, records: Any) -> None:
        for record in records:
            told = {"run": self._run, **record}
            if self._lines is not None and not self._trouble:
                try:
                    self._lines.write(told)
                except UsageError as error:
                    self._trouble = str(error)
            if self._page is not None:
                self._records.append(told)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _page(config: pytest.Config) -> Path | None:
    """Return where the page goes; pytest's UsageError now and not after an hour if that can't be."""
    asked = config.getoption("--mlrepro-report")
    if not asked:
        return None
    path = Path(config.invocation_params.dir / asked)
    if path.is_dir() or not path.name:
        raise pytest.UsageError(f"--mlrepro-report: a file is expected, and {path} is a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"--mlrepro-report: can't write {path}: {error.strerror or error}") from None
    return path


def _outcome(reports: list[pytest.TestReport]) -> TestOutcome:
    if any(report.failed for report in reports):
        return "failed"
    expected = any(hasattr(report, "wasxfail") for report in reports)
    if any(report.skipped for report in reports):
        return "xfailed" if expected else "skipped"
    return "xpassed" if expected else "passed"


def _message(report: pytest.TestReport) -> str:
    sections = [text for title, text in report.sections if title == "not reproducible"]
    return "\n\n".join([*sections, report.longreprtext])


def _lost(nodeid: str, kind: str, message: str) -> Record:
    ended = Ended(nodeid, "failed", 0.0, message, _utc(time.time()), ours=True)
    (record,) = verdicts_of(ended, None)
    return {**record, "kind": kind}


def _stopped(session: pytest.Session, status: int) -> str:
    """Return why a run did not come to its end; "" if it did."""
    if status == pytest.ExitCode.INTERRUPTED:
        return str(session.shouldstop or "interrupted")
    if status == pytest.ExitCode.INTERNAL_ERROR:
        return "an internal error of pytest"
    return str(session.shouldfail or session.shouldstop or "")


def _environment() -> list[list[Any]]:
    """Return name, value and whether it can change results, of each fact about this process."""
    from ..fingerprints.environment import fingerprint_environment

    return [[name, part.text, part.kind == "environment.numeric"] for name, part in fingerprint_environment().parts]


def _utc(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
