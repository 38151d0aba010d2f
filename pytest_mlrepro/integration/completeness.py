"""Whether a run was whole: only then what it left out is gone, and only then `mlrepro prune` may list it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ..records import TestId
from ..session import Run, Session

__all__ = ["Workers", "begin", "close", "is_worker", "judge", "note_collected", "report_to_controller"]

FILTERS = {
    "keyword": "-k",
    "markexpr": "-m",
    "lf": "--lf",
    "failedfirst": "--ff",
    "deselect": "--deselect",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
    "stepwise": "--sw",
    "collectonly": "--collect-only",
    "setuponly": "--setup-only",
    "setupplan": "--setup-plan",
    "noconftest": "--noconftest",
}
"""Options under which tests are left out, or pass without having run, by their names in pytest."""
COLLECTING = (
    "testpaths",
    "norecursedirs",
    "collect_imported_tests",
    "python_",
    "mlrepro_golden_dir",
    "mlrepro_variants",
)
"""Settings that say what is collected, or which goldens are meant: given by `-o` for one run, they make it a part."""
PROPERTY = "mlrepro"


def begin(session: Session, config: pytest.Config) -> None:
    """Take the last run's word away as another one begins: if this one is killed, or never gets to its tests, none is left."""
    if is_worker(config):
        return
    with suppress(OSError):  # also where nothing can be written, and so nothing removed
        (session.settings.root / ".mlrepro" / "run.json").unlink()


def judge(session: Session, config: pytest.Config) -> None:
    """Note whether the options of this process leave something out."""
    session.run.judged = True
    given = [flag for name, flag in FILTERS.items() if getattr(config.option, name, None)]
    if given:
        session.run.partial = f"{given[0]} was given"  # which says more than that tests were deselected
    if (getattr(config.option, "count", None) or 1) != 1:
        session.run.part("--count was given")  # pytest-repeat gives every test another name
    for setting in getattr(config.option, "override_ini", None) or ():
        if setting.startswith(COLLECTING):
            session.run.part(f"-o {setting} was given")
    if is_worker(config):
        return  # its arguments are what the first process made of them
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        session.run.part("files, folders or node ids were named")
    elif config.invocation_params.dir != config.rootpath:
        session.run.part(f"pytest was started below the root directory {config.rootpath}")


def is_worker(config: pytest.Config) -> bool:
    """Tell whether this is a process that pytest-xdist started."""
    return hasattr(config, "workerinput")


def note_collected(run: Run, report: pytest.CollectReport) -> None:
    """Note a folder or file that was collected, or why the run is a part without it."""
    if report.passed:
        if "::" not in report.nodeid:
            run.collectors.add(report.nodeid)
    else:
        what = "skipped itself" if report.skipped else "could not be collected"
        run.part(f"{report.nodeid or 'the collection'} {what}")


def close(session: Session, run: pytest.Session, status: int) -> None:
    """Note how the run ended: one that was stopped or failed to collect proves nothing about what it left out."""
    if run.shouldfail or run.shouldstop:
        session.run.part(f"it stopped before its end: {run.shouldfail or run.shouldstop}")
    elif status == pytest.ExitCode.INTERRUPTED:
        session.run.part("it was interrupted")
    elif status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        session.run.part(f"it ended with exit status {int(status)}")


def report_to_controller(session: Session, config: Any) -> None:
    """Tell the process that started this one what was collected here."""
    run = session.run
    config.workeroutput[PROPERTY] = {
        "partial": run.partial,
        "judged": run.judged,
        "collectors": sorted(run.collectors),
        "collected": [(str(test.file), test.name, nodeid) for test, nodeid in run.collected.items()],
        "owners": [(str(folder), nodeid) for folder, nodeid in session.owners.items()],
    }


class Workers:
    """Hooks of the process that pytest-xdist spreads a run from: what its workers collected is what the run is of."""

    def __init__(self, session: Session, config: pytest.Config) -> None:
        self._session, self._config = session, config
        self._started = self._ended = 0

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Count a process that is started, also one in the place of a lost one."""
        self._started += 1

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take what a process tells at its end; one that is lost tells nothing."""
        told = getattr(node, "workeroutput", {}).get(PROPERTY)
        if error or told is None:
            return
        self._ended += 1
        run = self._session.run
        if told["partial"] or not told["judged"]:
            run.part(told["partial"] or "a process of pytest-xdist did not collect")
        run.collectors.update(told["collectors"])
        run.collected.update({TestId(Path(file), name): nodeid for file, name, nodeid in told["collected"]})
        self._session.owners.update({Path(folder): nodeid for folder, nodeid in told["owners"]})

    def close(self) -> None:
        """Judge the run, once no process is left."""
        if not self._started:
            return
        judge(self._session, self._config)
        if self._ended < self._started:
            self._session.run.part("a process of pytest-xdist was lost")
