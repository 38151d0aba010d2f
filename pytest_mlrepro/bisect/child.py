"""One run of one test by pytest in a process of its own, and what came of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from ..provenance.words import plain, shorten

__all__ = ["Outcome", "Runner"]

Kind: TypeAlias = Literal["passes", "fails", "breaks"]
_GOLDEN: Final = "mlrepro.golden:"
_INCOMPLETE: Final = " is not complete"
"""Of the failure at a test's end, where what it checked did agree with the golden."""
_WORDS: Final = 160


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: it passes, fails at a golden, or breaks otherwise."""

    kind: Kind
    words: str = ""
    failed: tuple[str, ...] = ()
    """The checks that differ from their goldens."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of the values that differ, by check."""


@dataclass(frozen=True)
class Runner:
    """How the test is run."""

    nodeid: str
    root: Path
    """The root directory of the tests, in the copy."""
    cwd: Path
    environment: Mapping[str, str]
    arguments: Sequence[str]
    seconds: float

    def run(self, variables: Mapping[str, str | None]) -> Outcome:
        """Run the test once with some variables set, or not set where they are None."""
        with tempfile.TemporaryDirectory(prefix="mlrepro-") as scratch:
            report, output = Path(scratch) / "report.xml", Path(scratch) / "output"
            code = self._pytest(report, output, variables)
            text = output.read_text("utf-8", "replace")
            if code is None:
                return Outcome("breaks", f"no end after {self.seconds:g} s")
            return _read(report, code, text)

    def _pytest(self, report: Path, output: Path, variables: Mapping[str, str | None]) -> int | None:
        """Return the exit status; None if it took too long."""
        environment = {**self.environment, **{name: value for name, value in variables.items() if value is not None}}
        for name, value in variables.items():
            if value is None:
                environment.pop(name, None)
        with output.open("wb") as sink:
            process = subprocess.Popen(  # noqa: S603  # our own Python, no shell
                self._command(report),
                cwd=self.cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that all of it can be ended together
            )
            try:
                return process.wait(self.seconds)
            except subprocess.TimeoutExpired:
                return None
            finally:
                _end(process)

    def _command(self, report: Path) -> list[str]:
        path, _, name = self.nodeid.partition("::")
        test = f"{self.root / path}::{name}" if name else str(self.root / path)
        ours = (
            "-p",
            "no:cacheprovider",
            "--golden=check",
            "--mlrepro-ci=none",
            f"--rootdir={self.root}",
            f"--junitxml={report}",
        )
        return [sys.executable, "-m", "pytest", *self.arguments, *ours, test]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started, which may outlive it."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except OSError:
        pass
    process.wait()


def _read(report: Path, code: int, text: str) -> Outcome:
    try:
        cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314  # written by our own run
    except (OSError, ET.ParseError):
        cases = []
    if not cases:
        return Outcome("breaks", _last_line(text) or f"pytest left with {code}")
    failed = sorted({name for case in cases for name in _failed(case)})
    broken = [inner for case in cases for inner in case if inner.tag in ("failure", "error")]
    skipped = [inner for case in cases for inner in case if inner.tag == "skipped"]
    if broken and failed:
        return Outcome("fails", _message(broken[0]), tuple(failed))
    if broken and all(_INCOMPLETE in inner.get("message", "") for inner in broken):
        return Outcome("passes", "but its golden lacks checks, or has some that the test doesn't come to")
    if broken or skipped:
        words = _message((broken or skipped)[0])
        return Outcome("breaks", words if broken else f"skipped: {words}")
    return Outcome("passes") if code == 0 else Outcome("breaks", _last_line(text) or f"pytest left with {code}")


def _failed(case: ET.Element) -> list[str]:
    properties = [(one.get("name", ""), one.get("value", "")) for one in case.iter("property")]
    return [name.removeprefix(_GOLDEN) for name, value in properties if name.startswith(_GOLDEN) and value == "failed"]


def _message(failure: ET.Element) -> str:
    """Return the first line of what a failure says; of a module that can't be imported the error itself."""
    text = failure.get("message", "")
    if text == "collection failure":
        text = _last_line(failure.text or "")
    lines = [line for line in text.splitlines() if line.strip()]
    return shorten(plain(lines[0].strip()), _WORDS) if lines else "without a message"


def _last_line(text: str) -> str:
    """Return the last line that tells of an error."""
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("E ") for line in lines if line.startswith("E ")]
    told = errors or [line for line in lines if line.startswith("ERROR") or "Error" in line.partition(":")[0]]
    return shorten(plain((told or lines or [""])[-1].strip()), _WORDS)
