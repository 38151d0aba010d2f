"""A table against its contract: all counts in one pass, and the first rows only of what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from .columns import columns_of, empty_of, types_of
from .constancy import constancy_of, extremes
from .contract import Contract
from .finding import Finding
from .formats import FORMATS, IN_WORDS
from .questions import Question, questions_of
from .source import FIRST, Source, opened
from .told import allowed, listed, places, titled
from .whole import repeats

__all__ = ["check", "worded"]


def check(frame: Any, contract: Contract) -> list[Finding]:
    """See `Contract.check`."""
    source = opened(frame, "frame")
    empty = empty_of(source, contract)
    findings = [*columns_of(source, contract), *types_of(source, contract, empty)]
    wrong = empty | {
        name for finding in findings if finding.kind in ("type", "mixed-types") for name in finding.columns
    }
    there = [column for column in contract.columns if column.name in source.names]
    questions = [
        question for column in there for question in questions_of(source, column, typed=column.name not in wrong)
    ]
    asked = {f"{at}": source.many(question.condition) for at, question in enumerate(questions)}
    wide = extremes(source, [column for column in there if column.name not in wrong])
    found = source.aggregates({**asked, **wide})
    for at, question in enumerate(questions):
        count = int(found[f"{at}"] or 0)
        if count > question.allowed * source.rows:
            findings.append(_finding(source, question, count))
    findings += constancy_of(source, there, found)
    return [*findings, *_rows(source, contract)]


def worded(findings: list[Finding], name: str) -> str:
    """Return findings as the message of a failed check."""
    ways = "one way" if len(findings) == 1 else f"{len(findings)} ways"
    head = f"{name} breaks its contract in {ways}:"
    return listed(head, findings, lambda found: f"  {found.words}" + (f"\n    {found.hint}" if found.hint else ""))


def _finding(source: Source, question: Question, count: int) -> Finding:
    column = question.column
    rows, values = source.where(question.condition, column.name)
    share = f"{count:,} of {source.rows:,} rows"
    if question.kind == "nulls":
        words = f"{titled(column.name)}: {share} have no value{places(rows, [])}, {allowed(question.allowed)}"
        return Finding("nulls", (column.name,), count, rows, words)
    said = {
        "infinities": "are infinite", "range": "are out of range", "spaces": "have a space at an end",
        "values": "are of no known category", "format": "look otherwise",
    }[question.kind]  # fmt: skip
    some = f" ({allowed(question.allowed)})" if question.allowed else ""
    words = f"{titled(column.name)}: {share} {said}{places(rows, values)}, {question.words} expected{some}"
    return Finding(question.kind, (column.name,), count, rows, words, _hint(question, values))


def _hint(question: Question, values: list[Any]) -> str:
    column = question.column
    if question.kind == "infinities":
        return "min = -inf or max = inf in the contract lets them be"
    if question.kind == "values" and column.values is not None:
        known = {_folded(value): value for value in column.values}
        spelled = {str(value): known[_folded(str(value))] for value in values if _folded(str(value)) in known}
        if spelled:
            one, other = next(iter(spelled.items()))
            return f"{one!r} is a spelling of {other!r}"
    if question.kind == "format":
        import re  # only a fault needs it

        looks = Counter(kind for value in values for kind, pattern in FORMATS.items() if re.search(pattern, str(value)))
        if looks:
            return f"of the first, {looks.most_common(1)[0][1]} are {IN_WORDS[looks.most_common(1)[0][0]]}"
    return ""


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _rows(source: Source, contract: Contract) -> Iterator[Finding]:
    key = [name for name in contract.key if name in source.names]
    label = contract.label if contract.label in source.names else None
    limits = {
        "duplicates": contract.duplicates, "near_duplicates": contract.near_duplicates,
        "contradictions": contract.contradictions if label is not None else None,
    }  # fmt: skip
    if all(limit is None for limit in limits.values()):
        return
    told = {
        "duplicates": "repeat an earlier row in every column",
        "near_duplicates": f"nearly repeat an earlier row{f' under another {key[0]}' if key else ''}",
        "contradictions": f"have the features of an earlier row and another {label}",
    }
    found = repeats(source, key, label)
    for kind, rows in found.items():
        limit = limits[kind]
        if limit is None or len(rows) <= limit * source.rows:
            continue
        first = tuple(int(at) for at in rows[:FIRST]) if source.ordered else ()
        share = f"{len(rows):,} of {source.rows:,} rows"
        words = f"{share} {told[kind]}{places(first, [])}, {allowed(limit)}"
        yield Finding(kind.replace("_", "-"), (), len(rows), first, words)
