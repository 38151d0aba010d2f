"""One run: settings in, golden cases opened, outcomes gathered, obsolete goldens named."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .errors import UsageError
from .records import Check, Outcome, Settings, TestId

__all__ = ["Run", "Session"]

GOLDEN_FILE = "golden.json"
"""As `golden.record` names it; written again, since that module brings numpy, which a run without goldens never loads."""


@dataclass(slots=True)
class Run:
    """What is known about the tests of a run, to tell obsolete goldens from those that were only not run."""

    complete: bool = True
    """Whether everything was collected, nothing was deselected, and no collector failed or skipped itself."""
    collected: dict[TestId, str] = field(default_factory=dict)
    """Each test, and its node id."""
    passed: set[str] = field(default_factory=set)
    """Node ids of the tests that passed from set-up to tear-down."""
    finished: set[str] = field(default_factory=set)
    """Node ids of the tests whose tear-down is over."""
    touched: set[str] = field(default_factory=set)
    """Node ids of the tests that used their golden."""


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
        self._metrics: dict[Path, int] | None = None
        self.spreads: list[tuple[str, str, str, str]] = []
        """Values that may differ in a varied run, and do: node id, variation, value, how far."""
        self.cached: dict[str, list[str]] = {}
        """Pipeline steps with `cache=True` (node id and name), by what became of them: `reused`, `stored`, `damaged`."""
        self.interrupted: str | None = None
        """The test that ran when the run was interrupted, "" where that isn't known; None of a run that came to its end."""
        self.may_have_pending = (settings.root / ".mlrepro" / "pending").is_dir()
        self._owners: dict[Path, str] = {}

    def claim(self, folder: Path, nodeid: str) -> None:
        """Note that a test owns a golden folder; raise UsageError if another one does."""
        owner = self._owners.setdefault(folder, nodeid)
        if owner != nodeid:
            raise UsageError(
                f"two tests have the same golden folder {folder}: {owner} and {nodeid}. Rename one of them"
            )

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
        if not self.run.complete:
            return []
        return sorted(folder for folder in self._golden_folders() if self._is_obsolete(folder))

    def _golden_folders(self) -> Iterator[Path]:
        for place in self._places():
            for path in place.glob(f"*/*/{GOLDEN_FILE}") if place.is_dir() else ():
                yield path.parent

    def _places(self) -> Iterable[Path]:
        if "/" in self.settings.golden_dir:
            central = self.settings.root / self.settings.golden_dir
            return {path.parent.parent.parent for path in central.rglob(GOLDEN_FILE)}
        return {test.file.parent / self.settings.golden_dir for test in self.run.collected}

    def _is_obsolete(self, folder: Path) -> bool:
        if self._owners.get(folder) in self.run.touched:
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
        return owner is None or (owner in self.run.passed and owner not in self.run.touched)
