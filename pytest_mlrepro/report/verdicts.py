"""The record of a test's verdicts: one flat object for each, which a line of JSON holds and from which the report is made."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from .._json import Json
from ..records import Check

if TYPE_CHECKING:
    from .detail.collector import Details

__all__ = ["BAD", "SCHEMA", "Ended", "Record", "TestOutcome", "verdicts_of"]

SCHEMA: Final = 1
"""Version of a line; docs/run-record.schema.json describes it."""
Record: TypeAlias = dict[str, Json]
TestOutcome: TypeAlias = Literal["passed", "failed", "skipped", "xfailed", "xpassed"]
BAD: Final = frozenset({"failed", "missing", "unused"})
"""Outcomes that fail a test."""
WORST: Final = ("failed", "missing", "unused", "updated", "recorded", "passed")
MESSAGE: Final = 6000


@dataclass(frozen=True, slots=True)
class Ended:
    """How a test ended, and what its checks told by user properties."""

    nodeid: str
    outcome: TestOutcome
    seconds: float
    message: str
    """Why it failed, in words; "" where it did not."""
    time: str
    ours: bool
    """Whether it is seeded here or asked for one of our fixtures, so that its failure is news to the report in any case."""
    checks: Sequence[Check] = ()
    verdicts: Sequence[tuple[str, str]] = ()
    """Name and facts, as JSON, of each verdict that has facts of its own."""
    remarks: Sequence[tuple[str, str]] = ()
    spreads: Sequence[tuple[str, str, str]] = ()
    variant: str | None = None
    """Which golden the test was held against, where variants are declared; "" for that for all."""


def verdicts_of(ended: Ended, details: Details | None) -> list[Record]:
    """Return the records of one test, in the order of its checks; of a check that came again the last word."""
    found = {(record["kind"], record["check"]): record for record in _each(ended, details)}
    records = list(found.values())
    if ended.outcome == "failed":
        _explain(ended, records)
    return [_plain(record) for record in records]


def _each(ended: Ended, details: Details | None) -> Iterator[Record]:
    told = set()
    for name, text in ended.verdicts:
        told.add(name)
        yield _record(ended, name, json.loads(text), details)
    steps = details.steps if details is not None else None
    outcomes = {check.name: check.outcome for check in ended.checks}
    plain = details.plain_steps if details is not None else set()
    remarks = dict(ended.remarks)
    for name, outcome in outcomes.items():
        if name in told or name in plain:
            continue
        facts = {"kind": "golden", "outcome": outcome, **({"remark": remarks[name]} if name in remarks else {})}
        yield _record(ended, name, facts, details)
    if steps is not None:
        of_steps = [outcome for name, outcome in outcomes.items() if name.startswith("step ")] or ["passed"]
        worst = min(of_steps, key=WORST.index)
        shown = steps if worst != "passed" else {**steps, "headline": "", "lines": []}
        yield {**_envelope(ended, "pipeline", {"kind": "pipeline", "outcome": worst}), "detail": shown}
    held = details.determinism if details is not None else None
    if held is not None:
        outcome = "failed" if held["apart"] else "passed"
        facts = {"kind": "determinism", "outcome": outcome, "runs": held["runs"]}
        spreads = [{"varied": one, "value": two, "apart": far} for one, two, far in ended.spreads]
        yield {**_envelope(ended, "", facts), "detail": {"spreads": spreads}}


def _plain(value: Any) -> Json:
    """Return what JSON has a form for: numbers of numpy as Python's, None for what is not finite, all else as text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return _plain(value.item()) if hasattr(value, "dtype") else str(value)


def _record(ended: Ended, name: str, facts: Json, details: Details | None) -> Record:
    record = _envelope(ended, name, facts)
    detail = details.of.get(name) if details is not None else None
    return {**record, "detail": detail} if detail else record


def _envelope(ended: Ended, name: str, facts: Json) -> Record:
    return {
        "schema": SCHEMA,
        "time": ended.time,
        "test": ended.nodeid,
        "check": name,
        "test_outcome": ended.outcome,
        "seconds": round(ended.seconds, 3),
        **({} if ended.variant is None else {"variant": ended.variant}),
        **facts,
    }


def _explain(ended: Ended, records: list[Record]) -> None:
    """Give the words of a failed test to those of its verdicts that have none; a record of its own if none of them failed."""
    bad = [record for record in records if record["outcome"] in BAD]
    if not bad and ended.ours:
        bad = [_envelope(ended, "", {"kind": "test", "outcome": "failed"})]
        records += bad
    for record in bad:
        detail = record.get("detail") or {}
        if record["kind"] in ("test", "determinism") or not any(map(detail.get, ("words", "lines", "findings"))):
            record["message"] = ended.message[:MESSAGE]
