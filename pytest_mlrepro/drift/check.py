"""`assert_no_drift`: a frame against its reference, free of pytest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Literal

from .. import _lazy
from ..errors import MissingDependencyError, UsageError
from .classifier import told_apart
from .columns import Kind
from .comparing import Effects, compared
from .deciding import decided
from .findings import Finding, Report
from .making import Prepared, prepared
from .profile import PREDICTIONS, Encoders, Profile
from .reading import is_frame, table

__all__ = ["assert_no_drift", "drift_report", "failing"]

Undecided = Literal["fail", "pass"]


def assert_no_drift(
    frame: Any,
    reference: Any,
    *,
    predictions: Any = None,
    reference_predictions: Any = None,
    encoder: Encoders | None = None,
    groups: Any = None,
    reference_groups: Any = None,
    kinds: Mapping[str, Kind] | None = None,
    ignore: Collection[str] = (),
    effect: float | Mapping[str, float] = 0.05,
    correlation: float = 0.1,
    together: float | None = 0.05,
    false_alarms: float = 0.05,
    units: Mapping[str, str] | None = None,
    undecided: Undecided = "fail",
    name: str = "the reference",
) -> Report:
    """Assert that a frame still looks like its reference; return the report of what was tested.

    frame: pandas, polars (also lazy), pyarrow, DuckDB, a mapping of names to arrays, an array of shape (rows, columns);
        anything else together with `encoder`.
    reference: a `Profile`, or a frame. Of a frame all rows are there, so that a classifier is tried too (scikit-learn);
        a profile has none, and tells correlations of pairs.
    predictions: a model's output for the frame, shape (rows,) or (rows, outputs), or the function that gives it.
    groups: a column's name, or a label for each row (`reference_groups` for those of a reference that is a frame): days,
        customers, batches whose rows are alike.
    kinds, ignore, encoder: see `Profile.of`.
    effect: what matters: Kolmogorov and Smirnov's D of numbers and dates, total variation distance of categories, the
        difference of rates of nulls; one for all columns, or by name ("*" for all others). Nulls where there were none,
        and categories that were never seen, matter from a fifth of it on.
    correlation: what matters in a rank correlation.
    together: how far the area under the curve of the classifier may be above 0.5; None leaves it out.
    false_alarms: the chance that a frame without drift fails.
    units: units of columns, for the messages.
    undecided: whether a sample that is too small to tell fails.
    name: what messages call the reference.

    Raises:
        AssertionError: there is drift, or (unless undecided="pass") the sample is too small to tell.
        UsageError: an argument can't be right; a frame without rows, or with duplicate names.
    """
    __tracebackhide__ = True
    report = drift_report(
        frame, reference, predictions=predictions, reference_predictions=reference_predictions, encoder=encoder, groups=groups,
        reference_groups=reference_groups, kinds=kinds, ignore=ignore, effect=effect, correlation=correlation,
        together=together, false_alarms=false_alarms, units=units, undecided=undecided, name=name,
    )  # fmt: skip
    if failing(report, undecided):
        raise AssertionError(str(report))
    return report


def failing(report: Report, undecided: Undecided) -> bool:
    """Tell whether a report is a failure."""
    return report.verdict == "drift" or (report.verdict == "undecided" and undecided == "fail")


def drift_report(
    frame: Any,
    reference: Any,
    *,
    predictions: Any = None,
    reference_predictions: Any = None,
    encoder: Encoders | None = None,
    groups: Any = None,
    reference_groups: Any = None,
    kinds: Mapping[str, Kind] | None = None,
    ignore: Collection[str] = (),
    effect: float | Mapping[str, float] = 0.05,
    correlation: float = 0.1,
    together: float | None = 0.05,
    false_alarms: float = 0.05,
    units: Mapping[str, str] | None = None,
    undecided: Undecided = "fail",
    name: str = "the reference",
) -> Report:
    """Return what `assert_no_drift` decides on, without raising for a drift."""
    effects = _effects(effect, correlation, units or {})
    _require_share("false_alarms", false_alarms, 0.5)
    if together is not None:
        _require_share("together", together, 0.5)
    if undecided not in ("fail", "pass"):
        raise UsageError(f"drift: undecided must be 'fail' or 'pass', got {undecided!r}")
    profile, rows = reference, None
    if not isinstance(reference, Profile):
        before = predictions if reference_predictions is None and callable(predictions) else reference_predictions
        if before is None and predictions is not None:
            raise UsageError("drift: predictions need reference_predictions, or a function that gives both")
        own = groups if reference_groups is None and isinstance(groups, str) else reference_groups
        profile = Profile.of(reference, predictions=before, encoder=encoder, groups=own, kinds=kinds, ignore=ignore)
        rows = prepared(reference, before, encoder, own, tuple(ignore), name)
    left_out = tuple(dict.fromkeys([*profile.ignored, *ignore]))
    now = prepared(frame, predictions, encoder, _groups(profile, groups, frame), left_out, "the frame")
    known = _known(profile, left_out, effects)
    _require_known(ignore, reference, frame)
    findings = compared(known, now, effects)
    notes: list[str] = []
    if rows is not None and together is not None:
        findings += _told_apart(known, rows, now, findings, together, false_alarms, notes)
    if not findings:
        raise UsageError("drift: nothing can be compared: the reference has no column that is not ignored")
    return decided(
        findings,
        rows=now.table.rows,
        reference_rows=profile.rows,
        reference=f"{name} of {profile.date}" if rows is None else name,
        false_alarms=false_alarms,
        notes=tuple(notes),
    )


def _known(profile: Profile, left_out: tuple[str, ...], effects: Effects) -> Profile:
    """Return the profile without the columns that are ignored now; UsageError for effects of columns that it has not."""
    for name in effects.by_column.keys() | effects.units.keys():
        if name not in profile.columns and name not in profile.embeddings:
            raise UsageError(f"drift: {name!r}, which effect or units names, is no column of the reference")
    if not left_out:
        return profile
    gone = set(left_out)
    columns = {
        name: entry
        for name, entry in profile.columns.items()
        if name not in gone and name.partition(": ")[0] not in gone
    }
    return replace(profile, columns=columns)


def _require_known(ignore: Collection[str], reference: Any, frame: Any) -> None:
    """Raise UsageError for a name to be ignored that neither side has: a slip of the pen would ignore nothing."""
    if not ignore:
        return
    known = {PREDICTIONS}
    for side in (reference, frame):
        if isinstance(side, Profile):
            known |= {*side.columns, *side.ignored, *side.embeddings}
        elif is_frame(side):
            known |= {*table(side, "the frame").names}
    for name in ignore:
        if name not in known:
            raise UsageError(f"drift: {name!r}, which ignore names, is a column of neither the frame nor the reference")


def _groups(profile: Profile, groups: Any, frame: Any) -> Any:
    """Return the groups of the frame: those given, else the column that the reference was grouped by, if it is there."""
    if groups is not None and profile.allowances is None:
        raise UsageError(
            "drift: groups= needs a reference that was made with groups= too: how far groups are apart is told from it"
        )
    if groups is not None or profile.allowances is None or not profile.allowances.name:
        return groups
    name = profile.allowances.name
    return name if is_frame(frame) and name in table(frame, "the frame").names else None


def _told_apart(
    profile: Profile,
    then: Prepared,
    now: Prepared,
    findings: list[Finding],
    allowed: float,
    rate: float,
    notes: list[str],
) -> list[Finding]:
    try:
        _lazy.require("sklearn", extra="sklearn")
    except MissingDependencyError as error:
        notes.append(f"no classifier looked at all columns together: {error}")
        return []
    level = rate / (len(findings) + 1)
    skip = {f.column for f in findings if f.tail is None or (f.statistic >= f.allowed and f.tail < level)}
    found = told_apart(profile, then, now, skip, allowed=allowed, level=level)
    return [found] if found is not None else []


def _effects(effect: float | Mapping[str, float], correlation: float, units: Mapping[str, str]) -> Effects:
    by_column = dict(effect) if isinstance(effect, Mapping) else {}
    default = by_column.pop("*", 0.05) if isinstance(effect, Mapping) else effect
    for name, value in {"effect": default, "correlation": correlation, **by_column}.items():
        _require_share(name, value, 1.0)
    return Effects(float(default), by_column, float(correlation), units)


def _require_share(name: str, value: object, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise UsageError(f"drift: {name} must be a number above 0 and at most {most:g}, got {value!r}")
