"""Tells CI services what came out: properties in JUnit files, and what `report/ci.py` makes for GitHub and GitLab."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from ..report import ci, junit, terminal
from ..session import Session
from .properties import verdicts

__all__ = ["Ci"]

QUALITY = "gl-code-quality-report.json"
OURS = ("GoldenError", "FingerprintError", "UsageError", "MissingDependencyError", "ServingError", "not reproducible")


class Ci:
    """Hooks of a run that a CI service is told of; the workers of pytest-xdist leave it to the first process."""

    def __init__(self, config: pytest.Config, session: Session, service: ci.Service) -> None:
        self._config, self._session, self._service = config, session, service
        self._failures: dict[str, ci.Failure] = {}
        self._marked: set[str] = set()
        """Tests that have a marker of ours."""

    @pytest.hookimpl(tryfirst=True)  # a JUnit file is done with a test at its last report
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure, and add what a JUnit file should say of a test."""
        if report.failed and report.nodeid not in self._failures:
            self._failures[report.nodeid] = _failure(report, self._config.rootpath)
        if not {"repro", "adversarial"}.isdisjoint(report.keywords):
            self._marked.add(report.nodeid)
        if report.when == "teardown" and report.user_properties:
            xml = self._xml()
            for name, told in verdicts(report) if xml is not None else ():
                for key, value in junit.verdict_properties(name, told):
                    xml.node_reporter(report).add_property(key, value)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Add what a JUnit file should say of the whole run, before it is written."""
        xml = self._xml()
        if xml is not None:
            for name, value in junit.suite_properties(self._session, version("pytest-mlrepro")):
                xml.add_global_property(name, value)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell the service; a line that begins with two colons is a command to GitHub."""
        lines = self._github() if self._service == "github" else self._gitlab() if self._service == "gitlab" else ()
        for line in lines:
            terminalreporter.ensure_newline()
            terminalreporter.write_line(line)

    def _github(self) -> Iterator[str]:
        top, file = _top("GITHUB_WORKSPACE", self._config), os.environ.get("GITHUB_STEP_SUMMARY")
        yield from ci.commands(self._ours(), top)
        lines = terminal.summary(self._session)
        if file and (lines or self._ours()):
            text = ci.summary(self._session, self._ours(), lines)

            def append() -> None:
                with Path(file).open("a", encoding="utf-8", newline="\n") as summary:
                    summary.write(text)

            yield from filter(None, [ci.written(append, "the summary of this job, $GITHUB_STEP_SUMMARY")])

    def _gitlab(self) -> Iterator[str]:
        path = self._config.invocation_params.dir / (self._config.getoption("--mlrepro-code-quality") or QUALITY)
        text = ci.code_quality(self._ours(), _top("CI_PROJECT_DIR", self._config))

        def write() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")

        yield ci.written(write, str(path)) or f"code-quality report for GitLab: {path}"

    def _ours(self) -> list[ci.Failure]:
        """Return the failures of tests that have a check or a marker of ours, or that say an error of ours."""
        told = {nodeid for nodeid, _, _ in self._session.verdicts} | self._session.by_test.keys() | self._marked
        return [one for nodeid, one in self._failures.items() if nodeid in told or one.text.startswith(OURS)]

    def _xml(self) -> Any:
        """Return who writes the JUnit file of this run; None without one."""
        if not getattr(self._config.option, "xmlpath", None):
            return None
        from _pytest.junitxml import xml_key

        return self._config.stash.get(xml_key, None)


def _failure(report: pytest.TestReport, root: Path) -> ci.Failure:
    """Return what a report says of a failure: at the line that failed, if it is one of the project, else at the test."""
    file, line, _ = report.location
    path, number = root / file, (line or 0) + 1
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return ci.Failure(report.nodeid, path, number, str(report.longrepr or ""))
    if Path(crash.path).is_relative_to(root):
        path, number = Path(crash.path), int(crash.lineno)
    text = str(crash.message)
    for prefix in ("AssertionError: ", "pytest_mlrepro.errors."):
        text = text.removeprefix(prefix)
    return ci.Failure(report.nodeid, path, number, text)


def _top(variable: str, config: pytest.Config) -> Path:
    """Return the top of the checkout, which the service counts paths from."""
    return Path(os.environ.get(variable) or config.invocation_params.dir)
