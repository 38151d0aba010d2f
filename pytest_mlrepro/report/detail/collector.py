"""Gathers what the checks of one test find, beside their outcomes, while the test runs: what a record needs to show them later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..._json import Json
from ...compare.difference import Comparison
from ...contracts.finding import Finding
from ...drift import Profile, Report
from ...golden.case import GoldenCase
from ...golden.record import CONTRACT, DRIFT, RATCHET, Recorded
from ...golden.rules import Judgement
from ...golden.steps import step_key
from ...robustness.report import RobustnessReport
from ...values.node import Node
from .data import contract_detail, distributions, drift_detail
from .pictures import pictures
from .robustness import robustness_detail
from .small import number
from .steps import steps_detail

__all__ = ["Details"]

OTHERS: Final = frozenset({DRIFT, RATCHET, CONTRACT})
"""Rules that tell what they found by themselves: what they record is no value to look at."""
LINES: Final = 40
WORDS: Final = 4096


class Details:
    """What the checks of the running test found; a `golden.witness.Witness`."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, Json]] = {}
        """By name of the check."""
        self.case: GoldenCase | None = None
        self.determinism: dict[str, Json] | None = None
        """What the runs of the test were, and whether they part; None where it was not asked for."""
        self._profiles: dict[str, tuple[Profile, Profile]] = {}

    def watch(self, case: GoldenCase) -> None:
        """Be told of what the checks of a golden find."""
        self.case = case
        case.checking.witness = self

    def differs(self, key: str, recorded: Recorded, folder: Path, now: Node, found: Judgement) -> None:
        """Take in how a value differs, and what to draw of it."""
        if not OTHERS.isdisjoint(recorded.tolerance):
            return
        self._at(key).update(change=found.change[:WORDS], words=found.words.splitlines()[:LINES])
        if found.change:
            with self._spared(key):
                self._at(key)["pictures"] = pictures(recorded.node(folder), now)

    def near(self, key: str, found: Comparison) -> None:
        """Take in how much of its tolerance a value uses that passed."""
        self._at(key).update(used=number(found.used), tolerated=found.tolerated)

    def drifts(self, key: str, then: Profile, now: Profile) -> None:
        """Keep the profiles until it is known which columns moved."""
        self._profiles[key] = (then, now)

    def explained(self, key: str, headline: str, reasons: Sequence[str], commands: Sequence[str]) -> None:
        """Take in why a value differs."""
        lines = [line for reason in reasons for line in reason.splitlines()]
        self._at(key).update(headline=headline[:WORDS], reasons=lines[:LINES], commands=list(commands)[:LINES])

    def robust(self, key: str, report: RobustnessReport) -> None:
        """Take in a verdict on robustness."""
        with self._spared(key):
            self._at(key).update(robustness_detail(report))

    def drift(self, key: str, report: Report) -> None:
        """Take in a verdict on drift."""
        with self._spared(key):
            self._at(key).update(drift_detail(report))
            if key in self._profiles:
                columns = [finding.column for finding in report.drifted]
                self._at(key)["columns"] = distributions(*self._profiles.pop(key), columns)

    def contract(self, key: str, findings: Sequence[Finding]) -> None:
        """Take in what is wrong with a table."""
        with self._spared(key):
            self._at(key).update(contract_detail(findings))

    def runs(self, held: Sequence[str], *, apart: bool) -> None:
        """Take in that the runs of the test were held against each other."""
        self.determinism = {"runs": list(held), "apart": apart}

    @property
    def steps(self) -> Json:
        """Return the pipeline of the test, None where it has none."""
        book = self.case.book if self.case is not None else None
        if book is None or not book.shown():
            return None
        try:
            return steps_detail(book)
        except Exception as error:  # noqa: BLE001  # as in `_spared`
            return {"steps": [], "more": 0, "first": None, "headline": "", "lines": [_trouble(error)]}

    @property
    def plain_steps(self) -> set[str]:
        """Return the names that steps without a value of their own have among the checks."""
        book = self.case.book if self.case is not None else None
        return set() if book is None else {step_key(step.name) for step, _ in book.shown()} - self.valued

    @property
    def valued(self) -> set[str]:
        """Return the names of the checks that have a value of their own, those of steps among them."""
        return set() if self.case is None else self.case.checking.seen

    @contextmanager
    def _spared(self, key: str) -> Iterator[None]:
        """Spare the test what goes wrong while its verdict is drawn, and say so in the record."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # a picture that fails must not fail or hide what it is of
            self._at(key)["trouble"] = _trouble(error)

    def _at(self, key: str) -> dict[str, Any]:
        return self.of.setdefault(key, {})


def _trouble(error: Exception) -> str:
    return f"not all of this verdict could be recorded: {type(error).__name__}: {error}"[:WORDS]
