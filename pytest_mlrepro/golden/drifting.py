"""`drift.check`: a frame against a profile that was recorded with the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..drift import Profile, Report, drift_report, failing
from ..errors import UsageError
from ..records import Check
from ..values.describe import describe
from .case import GoldenCase
from .checking import title
from .failing import Failing
from .undrifted import Undrifted, is_profile, profile_in, profile_node

__all__ = ["Drifting"]

MADE_WITH: Final = ("predictions", "encoder", "groups", "kinds", "ignore", "redact")
"""Arguments that the profile is made with too."""
HELD_BY: Final = (
    "predictions", "encoder", "groups", "kinds", "ignore", "effect", "correlation", "false_alarms", "units", "undecided",
)  # fmt: skip


class Drifting:
    """The drift checks of one test."""

    def __init__(self, case: GoldenCase, tell: Callable[[str, Report, str], None]) -> None:
        self._case, self._tell = case, tell
        if not case.checking.seen:
            case.asked = "drift"

    def check(self, frame: Any, reference: Any = "train", *, of: Any = None, **options: Any) -> Report:
        """Assert that a frame still looks like the reference; return the report of what was tested.

        reference: the name of a profile that is recorded with the test (`--golden=record`), or a `Profile`, or a frame.
        of: what is profiled when the reference is recorded: a frame, or a function without arguments that gives it, so
            that the training data need not be there later. Without it, `frame` itself is.
        options: those of `assert_no_drift`, which says what they mean; and, for the profile, `redact`.

        Raises AssertionError for a drift, and for a sample that is too small to tell (unless undecided="pass"); a drift
        waits as a proposal to make `frame` the reference. A reference that is not recorded yet fails the test at its end.
        """
        __tracebackhide__ = True
        if not isinstance(reference, str):
            return self._free(frame, reference, of, options)
        unknown = sorted(options.keys() - {*MADE_WITH, *HELD_BY})
        if unknown:
            raise UsageError(
                f"drift.check: {', '.join(unknown)} is no argument of a check against a recorded profile: it takes "
                f"{', '.join(sorted({*MADE_WITH, *HELD_BY, 'of'}))}"
            )
        if not reference:
            raise UsageError("drift.check: reference must be a name that is not empty, a Profile, or a frame")
        self._case.checking.claim(reference, "drift.check")
        held = {name: value for name, value in options.items() if name in HELD_BY}
        return self._held(Undrifted(frame, reference, held), reference, of, options)

    def _free(self, frame: Any, reference: Any, of: Any, options: dict[str, Any]) -> Report:
        """Check against a reference that is given; nothing of it is recorded."""
        __tracebackhide__ = True
        if of is not None:
            raise UsageError("drift.check: of= is what is recorded under a name, and reference is no name here")
        report = drift_report(frame, reference, **options)
        self._case.checking.free += 1
        fails = failing(report, options.get("undecided", "fail"))
        if fails and self._case.checking.witness is not None:
            then = reference if isinstance(reference, Profile) else self._profile(reference, options)
            self._case.checking.witness.drifts(options.get("name", "reference"), then, self._profile(frame, options))
        self._tell(options.get("name", "reference"), report, "failed" if fails else "passed")
        if fails:
            raise AssertionError(str(report))
        return report

    def _held(self, rule: Undrifted, key: str, of: Any, options: dict[str, Any]) -> Report:
        __tracebackhide__ = True
        checking = self._case.checking
        recorded = checking.recorded().get(key)
        if recorded is None or not is_profile(recorded):
            source = rule.frame if of is None else of() if callable(of) else of
            profile = self._profile(source, options)
            self._judged(rule, key, profile)
            return rule.report(profile)
        then = profile_in(recorded, self._case.folder)
        report = rule.report(then)
        if checking.is_held:  # what runs are held against each other by
            checking.observe(title(key), report.statistics, describe(dict(report.statistics)), rule.json, "drift")
        if checking.silent:
            return report
        if report.verdict != "passed" and checking.witness is not None:
            checking.witness.drifts(key, then, self._profile(rule.frame, options))
        if report.verdict == "undecided" and failing(report, options.get("undecided", "fail")):
            self._fails(key, report)
        if report.verdict == "drift" or rule.judged(report, recorded).looser:
            self._tell(key, report, "failed" if checking.mode != "update" else "updated")
            self._judged(rule, key, self._profile(rule.frame, options))
        else:
            checking.notify(Check(key, "passed"))
            self._tell(key, report, "passed")
        return report

    def _fails(self, key: str, report: Report) -> None:
        """Fail without a proposal: a sample that is too small to tell makes no reference either."""
        __tracebackhide__ = True
        self._case.checking.failed = True
        self._case.checking.notify(Check(key, "failed"))
        self._tell(key, report, "failed")
        raise AssertionError(str(report))

    def _judged(self, rule: Undrifted, key: str, profile: Profile) -> None:
        __tracebackhide__ = True
        node, checking = profile_node(profile), self._case.checking
        recorded = checking.recorded().get(key)
        if recorded is None and checking.shown(title(key), profile, node, rule, "drift") is None:
            return
        found = checking.judge(key, node, rule)
        if found is not None:
            raise AssertionError(Failing(self._case).check(key, checking.recorded()[key], found))

    def _profile(self, frame: Any, options: dict[str, Any]) -> Profile:
        return Profile.of(frame, **{name: value for name, value in options.items() if name in MADE_WITH})
