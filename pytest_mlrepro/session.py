"""One run: settings in, golden cases opened, outcomes gathered, obsolete goldens named."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import UsageError
from .records import Check, Outcome, Settings, TestId

if TYPE_CHECKING:
    from .golden.last_run import Unneeded

__all__ = ["Run", "Session"]

GOLDEN_FILE = "golden.json"
"""As `golden.record` names it; written again, since that module brings numpy, which a run without goldens never loads."""


class Run:
    """What is known about the tests of a run, to tell obsolete goldens from those that were only not run.

    Not a dataclass: making one takes a millisecond of every start.
    """

    def __init__(self) -> None:
        self.partial = ""
        """Why the run tells nothing of what it left out; "" if everything was collected, nothing deselected, all of it ran."""
        self.judged = False
        """Whether its collection came to an end, so that it is known what belongs to the run."""
        self.collectors: set[str] = set()
        """Node ids of the folders and files that were collected without a fault."""
        self.collected: dict[TestId, str] = {}
        """Each test, and its node id."""
        self.passed: set[str] = set()
        """Node ids of the tests that passed from set-up to tear-down."""
        self.finished: set[str] = set()
        """Node ids of the tests whose tear-down is over."""
        self.touched: set[str] = set()
        """Node ids of the tests that used their golden."""
        self.began = time.time()

    def part(self, why: str) -> None:
        """Note why the run is a part only; the first reason is kept."""
        self.partial = self.partial or why


class Session:
    """One run of pytest, seen from the golden store."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.run = Run()
        self.outcomes: Counter[Outcome] = Counter()
        self.by_test: dict[str, list[Check]] = {}
        self.entropy: set[tuple[str, str]] = set()
        """Lines (`FILE:LINE`) that drew without a seed in a seeded test, and the kind of source."""
        self.remarks: dict[str, dict[str, str]] = {}
        """What checks that passed have to say, by test and name of the check."""
        self.verdicts: list[tuple[str, str, str]] = []
        """Verdicts that have facts of their own: node id, name of the check, the facts as JSON."""
        self.variants: dict[str, str] = {}
        """Which golden each test was held against, where variants are declared: node id, variant in words."""
        self._present: dict[str, str] | None = None
        self._metrics: dict[Path, int] | None = None
        self.spreads: list[tuple[str, str, str, str]] = []
        """Values that may differ in a varied run, and do: node id, variation, value, how far."""
        self.cached: dict[str, list[str]] = {}
        """Pipeline steps with `cache=True` (node id and name), by what became of them: `reused`, `stored`, `damaged`."""
        self.interrupted: str | None = None
        """The test that ran when the run was interrupted, "" where that isn't known; None of a run that came to its end."""
        self.may_have_pending = (settings.root / ".mlrepro" / "pending").is_dir()
        self.knows_runs = (settings.root / ".mlrepro" / "verified.json").exists()
        self.owners: dict[Path, str] = {}
        """The test that each golden folder belongs to, as far as tests asked for theirs."""

    def claim(self, folder: Path, nodeid: str) -> None:
        """Note that a test owns a golden folder; raise UsageError if another one does."""
        owner = self.owners.setdefault(folder, nodeid)
        if owner != nodeid:
            raise UsageError(
                f"two tests have the same golden folder {folder}: {owner} and {nodeid}. Rename one of them"
            )

    def present(self) -> dict[str, str]:
        """Return what the declared keys of variants are in this process; asked once."""
        if self._present is None:
            from .golden.variants import present_values

            self._present = present_values(self.settings.variants)
        return self._present

    def count_metrics(self) -> dict[Path, int]:
        """Return how many metrics the distribution checks of each golden have, as it was when this was first asked."""
        if self._metrics is None:
            from .golden.suite import metrics_recorded

            self._metrics = metrics_recorded(self.settings.root)
        return self._metrics

    def add(self, nodeid: str, check: Check) -> None:
        """Count what became of a check."""
        self.outcomes[check.outcome] += 1
        self.by_test.setdefault(nodeid, []).append(check)

    def tests_with(self, outcome: Outcome) -> list[str]:
        """Return the node ids of the tests that have a check with this outcome, in the order they ran."""
        return [nodeid for nodeid, checks in self.by_test.items() if any(c.outcome == outcome for c in checks)]

    def obsolete(self) -> list[Path]:
        """Return the golden folders that no test needs any more; empty unless the run was complete.

        Obsolete is a golden whose test passed and never asked for it, or whose test is gone from a complete collection.
        """
        if self.run.partial or not self.run.judged:
            return []
        undecided = self._undecided()
        return sorted(folder for folder in self._golden_folders() if self._is_obsolete(folder, undecided))

    def keep_last_run(self) -> None:
        """Write down what `mlrepro prune` and `mlrepro status` are to know, if the run had to do with goldens.

        Where nothing can be written, such as in a read-only checkout, they know of no run: the tests have had their say.
        """
        found = self.obsolete()
        if not found and not self.run.touched and not self.knows_runs:
            return
        from .errors import GoldenError
        from .golden.last_run import LastRun, note_verified, write_run

        root, now = self.settings.root, time.time()
        try:
            write_run(root, LastRun(self.run.began, now, self.run.partial, tuple(map(self._unneeded, found))))
            note_verified(root, self._held(now), self._not_held())
        except GoldenError:
            return

    def _held(self, now: float) -> dict[Path, tuple[str, float]]:
        """Return the goldens whose tests passed with them: the test, and up to when the golden may have been written."""
        held = {
            folder: nodeid
            for folder, nodeid in self.owners.items()
            if nodeid in self.by_test and nodeid in self.run.passed
        }
        return {folder: (nodeid, self._since(nodeid, now)) for folder, nodeid in held.items()}

    def _not_held(self) -> set[str]:
        """Return the node ids of tests that were to run, and were not held against their golden."""
        return {nodeid for nodeid in self.run.collected.values() if nodeid not in self.run.passed}

    def _since(self, nodeid: str, now: float) -> float:
        """Return up to when a golden may have been written for the run to have been held against it."""
        wrote = any(check.outcome in ("recorded", "updated") for check in self.by_test[nodeid])
        return now if wrote else self.run.began

    def _unneeded(self, folder: Path) -> Unneeded:
        from .golden.last_run import unneeded
        from .golden.store import load

        golden = load(folder)
        assert golden is not None  # it was read a moment ago
        test = TestId(Path(os.path.normpath(folder / golden.file)), golden.test)
        owner, root = self.run.collected.get(test), self.settings.root
        gone = "its test is gone" if test.file.exists() else f"the file of its test is gone ({test.file.name})"
        why = "its test passed without asking for it" if owner is not None else gone
        return unneeded(root, folder, golden.nodeid(folder, root), test.file, golden.seal, why)

    def _golden_folders(self) -> Iterator[Path]:
        for place in self._places():
            for path in place.glob(f"*/*/{GOLDEN_FILE}") if place.is_dir() else ():
                yield path.parent

    def _places(self) -> Iterable[Path]:
        if "/" in self.settings.golden_dir:
            central = self.settings.root / self.settings.golden_dir
            return {path.parent.parent.parent for path in central.rglob(GOLDEN_FILE)}
        walked = {self.settings.root / name for name in self.run.collectors if not name.endswith(".py")}
        return {
            folder / self.settings.golden_dir for folder in walked | {test.file.parent for test in self.run.collected}
        }

    def _is_obsolete(self, folder: Path, undecided: Set[tuple[Path, str]]) -> bool:
        if self.owners.get(folder) in self.run.touched:
            return False
        from .errors import GoldenError
        from .golden.store import load

        try:
            golden = load(folder)
        except GoldenError:
            return False
        if golden is None or golden.variant:
            return False  # a golden of another variant belongs to another machine
        test = TestId(Path(os.path.normpath(folder / golden.file)), golden.test)
        owner = self.run.collected.get(test)
        if owner is None:
            return self._was_looked_at(test.file) and _function(test) not in undecided
        return owner in self.run.passed and owner not in self.run.touched

    def _undecided(self) -> set[tuple[Path, str]]:
        """Return the test functions of which some case did not pass: a skip may stand for all that could not be made here,
        such as for an empty list of devices."""
        return {_function(test) for test, nodeid in self.run.collected.items() if nodeid not in self.run.passed}

    def _was_looked_at(self, file: Path) -> bool:
        """Tell whether a test file was collected, or, of one that is gone, its folder: others may be left out on purpose."""
        while not file.exists() and file != self.settings.root:
            file = file.parent
        if not file.is_relative_to(self.settings.root):
            return False
        return file.relative_to(self.settings.root).as_posix() in self.run.collectors


def _function(test: TestId) -> tuple[Path, str]:
    """Return the file and the name of a test without its parameters."""
    return test.file, test.name.partition("[")[0]
