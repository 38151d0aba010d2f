"""A pytest that runs single tests for another one: started by `determinism.child`, told by lines of JSON what to run."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from .examples import same_examples
from .options import child_timeout

if TYPE_CHECKING:
    from ..determinism.child import Launch
    from ..determinism.runs import Run
    from .phases import Phases

__all__ = ["launch", "serve"]

OVERRIDES = ("-o", "addopts=", "-p", "no:terminal")
FORGOTTEN = ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST")


def launch(config: pytest.Config, environment: Mapping[str, str]) -> Launch:
    """Return how to start a pytest that finds the tests of this one, under the options that matter to a single test."""
    from ..determinism.child import Launch
    from ..determinism.invocation import Option, kept_arguments

    options = {
        text: Option(action.dest, _takes(action.nargs))
        for action in config._parser.optparser._actions
        for text in action.option_strings
    }
    said = [*config.getini("addopts"), *shlex.split(environment.get("PYTEST_ADDOPTS", ""))]
    said += [str(word) for word in config.invocation_params.args]
    own = [f"--rootdir={config.rootpath}", *([f"-c{config.inipath}"] if config.inipath is not None else [])]
    if config.pluginmanager.has_plugin("cacheprovider"):
        own += ["-o", "cache_dir=.mlrepro/cache"]
    kept = {name: value for name, value in environment.items() if name not in FORGOTTEN and not name.startswith("COV_")}
    return Launch(
        (*kept_arguments(said, options), *own, *OVERRIDES),
        config.invocation_params.dir,
        kept,
        child_timeout(config),
    )


def _takes(nargs: Any) -> Any:
    return "one" if nargs is None else "none" if nargs == 0 else "some"


def serve(launched: Mapping[str, Any]) -> None:
    """Run as the child: answer requests until there are no more."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _redirect(launched["log"])
    code = pytest.main(list(launched["arguments"]), plugins=[Server(requests, answers)])
    sys.exit(code)


def _redirect(log: str) -> None:
    """Have what tests print go to a file: the streams that this process got are for requests and answers."""
    nothing, file = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(nothing, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)


class Server:
    """The plugin that runs what it is asked to, in place of what would be collected."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        self._requests, self._answers = requests, answers
        self._items: dict[str, pytest.Item] = {}
        self._collected: set[str] = set()
        self._troubles: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Collect nothing before a file is asked for."""
        session.config.args = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note why a file could not be collected."""
        if report.failed:
            self._troubles.append(str(report.longrepr).strip().splitlines()[-1])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Answer requests until the other side closes."""
        self._answer({"ready": True})
        for line in self._requests:
            request = json.loads(line)
            self._run(session, request)
            self._answer({"done": True})
        session.testscollected = max(session.testscollected, 1)
        return True

    def _answer(self, answer: Mapping[str, Any]) -> None:
        self._answers.write(json.dumps(answer).encode() + b"\n")
        self._answers.flush()

    def _run(self, session: pytest.Session, request: Mapping[str, Any]) -> None:
        from ..determinism.runs import Run

        for file in request["files"]:
            self._collect(session, file)
        for nodeid in request["nodeids"]:
            folder = request["folders"].get(nodeid)
            run = Run(Path(folder)) if folder is not None else None
            item = self._items.get(nodeid)
            if item is not None:
                self._run_item(item, run, request)
            elif run is not None:
                run.outcome, run.words = "missing", self._missing()
            if run is not None:
                run.save()

    def _collect(self, session: pytest.Session, file: str) -> None:
        if file in self._collected:
            return
        self._collected.add(file)
        session.perform_collect([file])
        self._items.update({item.nodeid: item for item in session.items})

    def _missing(self) -> str:
        if self._troubles:
            return f"its file could not be collected there: {self._troubles[-1]}"
        return (
            "its id depends on what differs between processes.\n"
            "Parametrise by a list, not by a set, and give ids that are always the same"
        )

    def _run_item(self, item: pytest.Item, run: Run | None, request: Mapping[str, Any]) -> None:
        from ..determinism.holding import Blind, Noting
        from ..determinism.traces import traced
        from .rerunner import noted, observed

        phases: Phases = item.config.pluginmanager.get_plugin("mlrepro-session").phases  # type: ignore[union-attr]  # set by us
        try:
            item.session._setupstate.teardown_exact(item)
        except Exception as error:  # noqa: BLE001  # the tear-down of a fixture that this test does not use
            self._troubles.append(f"{type(error).__name__}: {error}")
        with same_examples(item, phases.plan_of(item).seed):
            if run is None:  # it runs for what it leaves behind
                observed(item, phases, Blind())
                return
            trace = None if request["trace"] is None else Path(request["trace"])
            with traced(trace, Path(request["project"])) as recorder:
                noted(run, observed(item, phases, Noting(run, recorder)))
