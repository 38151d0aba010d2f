"""A large value stored as a golden and by the peers, to be checked from one process without pytest around it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from measuring import Sample, pytest_process
from plugins import PLUGINS

from pytest_mlrepro.compare.tolerance import tolerances
from pytest_mlrepro.compare.walk import compare
from pytest_mlrepro.golden.case import GoldenCase
from pytest_mlrepro.golden.record import Golden
from pytest_mlrepro.golden.store import Staging, load, save
from pytest_mlrepro.records import Settings, TestId
from pytest_mlrepro.values.describe import describe

__all__ = ["Stored", "memory", "regression", "tolerant"]

KEY = ""
"""The unnamed check."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The golden of one value below `root`."""

    root: Path

    @property
    def test(self) -> TestId:
        """The test that the golden is of."""
        return TestId(self.root / "test_large.py", "test_large")

    @property
    def folder(self) -> Path:
        """Where the golden lies."""
        return self.root / "__golden__" / "test_large" / "test_large-00000000"

    def record(self, value: object) -> Stored:
        """Store the value."""
        node, staging = describe(value), Staging()
        staging.add(KEY, node, tolerances())
        golden = Golden.of(self.test, self.folder, staging.checks)
        save(self.folder, golden, staging.folder, action="record", reason="benchmark", change=None, root=self.root)
        staging.discard()
        return self

    def check(self, value: object) -> None:
        """Do all that `golden.check(value)` does in a test; a failure is swallowed after its message is made."""
        settings = Settings(self.root, "check", None, "__golden__", ci=False)
        case = GoldenCase(self.test, self.folder, settings, nodeid=str(self.test), notify=lambda _: None)
        tolerant(lambda: case.check(value))
        case.discard()

    def compare(self, value: object) -> None:
        """Only compare with what is stored, element by element."""
        golden = load(self.folder)
        assert golden is not None  # recorded by every caller
        compare(golden.checks[KEY].node(self.folder), describe(value), tolerances())


def tolerant(check: Callable[[], object]) -> None:
    """Run a check that may fail."""
    try:
        check()
    except AssertionError as failure:
        str(failure)


def regression(folder: Path, *, fixture: str, given: str) -> Callable[[], Sample]:
    """Record `given`, an expression over this folder's modules, with a fixture of pytest-regressions; return its check.

    Only the check is timed, by the test itself, not pytest around it.
    """
    folder.mkdir()
    (folder / "test_it.py").write_text(
        f"""import json, sys, time
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
def test_it({fixture}):
    import arrays, frames
    value = {given}
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        {fixture}.check(value)
    finally:
        took = time.perf_counter() - wall, time.process_time() - cpu
        Path("took.json").write_text(json.dumps(took))
"""
    )
    pytest_process(folder, plugins=PLUGINS["regressions"], failing=True)

    def run() -> Sample:
        pytest_process(folder, plugins=PLUGINS["regressions"])
        return Sample(*json.loads((folder / "took.json").read_text()))

    return run


def memory(script: str, *arguments: str) -> Callable[[], Sample]:
    """Return what runs a script of this folder in a fresh process, which prints its greatest extra memory in bytes."""

    def run() -> Sample:
        command = [sys.executable, str(Path(__file__).with_name(script)), *arguments]
        extra = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return Sample(0.0, 0.0, int(extra))

    return run
