"""The page of a run: verdicts first, filters, what stands behind each, and the environment; one file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from ..verdicts import BAD
from .bodies import body, headline
from .bracket import curves
from .markup import Content, Markup, joined, tag
from .room import Room

__all__ = ["Run", "page", "write"]

Record: TypeAlias = Mapping[str, Any]
State: TypeAlias = Literal["failed", "changed", "expected", "passed"]
HERE: Final = Path(__file__).parent
STATES: Final[Mapping[State, str]] = {
    "failed": "✕ failed",
    "changed": "✎ recorded or updated",
    "expected": "○ expected to fail, or skipped",
    "passed": "✓ passed",
}
ICONS: Final[Mapping[State, str]] = {"failed": "✕", "changed": "✎", "expected": "○", "passed": "✓"}
KINDS: Final = ("golden", "pipeline", "determinism", "robustness", "contract", "drift", "test", "collection")
LINE: Final = 240
MANY: Final = 500
"""Verdicts up to which all is there without a script; of more, browsers take minutes to style what nobody has opened."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a run beside its verdicts."""

    title: str
    begun: str
    seconds: float
    tests: int
    stopped: str
    """Why it did not come to its end; "" if it did."""
    mode: str
    environment: Sequence[tuple[Any, ...]]
    """Name, value, and whether another value can change results."""


def write(path: Path, run: Run, records: Sequence[Record]) -> None:
    """Write the page; what was there stays whole until the new one is. OSError if it can't be written."""
    text = page(run, records)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        aside.write_text(text, "utf-8", newline="\n")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def page(run: Run, records: Sequence[Record]) -> str:
    """Return the page as text."""
    style = Markup((HERE / "style.css").read_text("utf-8"), trusted=True)
    script = Markup((HERE / "script.js").read_text("utf-8"), trusted=True)
    ranked = sorted(records, key=lambda record: list(STATES).index(state(record)))  # stable: else as they ran
    counts = Counter(map(state, records))
    title = f"{run.title}: {_conclusion(run, counts)}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", style),
    )
    content = tag(
        "body",
        tag("a", "To the verdicts", href="#verdicts", class_="skip"),
        _header(run, counts, _links(records)),
        tag("main", _filters(ranked), _verdicts(ranked), _curves(records), id="main"),
        _environment(run),
        tag("script", script),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, content, lang='en').text}\n"


def state(record: Record) -> State:
    """Return what a verdict comes to for the run."""
    if record["outcome"] in BAD:
        return "expected" if record["test_outcome"] in ("xfailed", "skipped") else "failed"
    return "passed" if record["outcome"] == "passed" else "changed"


def _policy(style: Markup, script: Markup) -> str:
    """Return what the page may load: its own style and script by their digests, and images that it holds itself."""
    hashes = [base64.b64encode(hashlib.sha256(part.text.encode()).digest()).decode("ascii") for part in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _conclusion(run: Run, counts: Mapping[State, int]) -> str:
    total, failed = sum(counts.values()), counts.get("failed", 0)
    if not total:
        said = "no verdict"
    elif failed:
        said = f"{failed:,} of {total:,} verdict{'' if total == 1 else 's'} failed"
    else:
        said = f"{total:,} verdict{'' if total == 1 else 's'}, none failed"
    return f"{said}, and the run was stopped" if run.stopped else said


def _links(records: Sequence[Record]) -> Markup:
    """Return the way to what stands below the verdicts."""
    drawn = [("#epsilon", "Robust accuracy over epsilon")] if curves(records) else []
    links = [tag("a", words, href=place) for place, words in (*drawn, ("#environment", "Environment"))]
    return tag("nav", [(link, " ") for link in links], aria_label="Below the verdicts")


def _header(run: Run, counts: Mapping[State, int], links: Markup) -> Markup:
    bad = "failed" if counts.get("failed") or run.stopped else "passed"
    tiles = [
        tag("li", tag("strong", f"{counts.get(name, 0):,}"), f" {words}", class_=f"tile {name}")
        for name, words in STATES.items()
        if counts.get(name) or name in ("failed", "passed")
    ]
    facts = f"{run.tests:,} test{'' if run.tests == 1 else 's'} in {_duration(run.seconds)}, begun {run.begun}; goldens: {run.mode}"
    return tag(
        "header",
        tag("p", run.title, class_="project"),
        tag("h1", _conclusion(run, counts), class_=bad),
        tag("ul", *tiles, class_="tiles"),
        tag("p", facts, class_="facts"),
        tag("p", f"The run was stopped before its end: {run.stopped}", class_="stopped") if run.stopped else None,
        links,
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def _filters(records: Sequence[Record]) -> Markup:
    kinds, states = Counter(record["kind"] for record in records), Counter(map(state, records))
    return tag(
        "form",
        tag(
            "p",
            tag("label", "Test or check ", tag("input", type="search", id="words", autocomplete="off", spellcheck="false")),
            class_="field",
        ),
        _boxes("Outcome", "state", [(name, words, states[name]) for name, words in STATES.items() if states[name]]),
        _boxes("Kind", "kind", [(name, name, kinds[name]) for name in KINDS if kinds[name]]),
        tag(
            "p",
            tag("button", "Open those shown", type="button", id="open"),
            " ",
            tag("button", "Close all", type="button", id="close"),
            " ",
            tag("span", role="status", aria_live="polite", id="shown"),
        ),
        id="filters", hidden=True, aria_label="Filter verdicts",
    )  # fmt: skip


def _boxes(title: str, name: str, choices: Iterable[tuple[str, str, int]]) -> Markup:
    labels = [
        tag("label", tag("input", type="checkbox", name=name, value=value, checked=True), f" {words} ({count:,})")
        for value, words, count in choices
    ]
    return tag("fieldset", tag("legend", title), *labels)


def _curves(records: Sequence[Record]) -> Markup | None:
    drawn = curves(records)
    return tag("section", tag("h2", "Robust accuracy over epsilon"), *drawn, id="epsilon") if drawn else None


def _verdicts(records: Sequence[Record]) -> Markup:
    room = Room(sum(map(_pictures, records)))
    held = "template" if len(records) > MANY else "div"
    items = [_verdict(record, number, room, held) for number, record in enumerate(records, start=1)]
    empty = tag("p", "No test of this run came to a check.") if not items else None
    return tag(
        "section",
        tag("h2", "Verdicts"),
        empty,
        tag("ol", *items, class_="verdicts", role="list"),
        id="verdicts",
        tabindex=-1,
    )


def _pictures(record: Record) -> int:
    detail = record.get("detail") or {}
    examples = sum("images" in example for example in detail.get("examples", ()))
    return len(detail.get("pictures") or ()) + len(detail.get("columns") or ()) + examples


def _verdict(record: Record, number: int, room: Room, held: str) -> Markup:
    """Return one verdict; what stands below it is in an element `held`: a template is shown by the script once it is opened."""
    found = state(record)
    line = headline(record)
    shown = line if len(line) <= LINE else line[: LINE - 1] + "…"
    apart = record["test_outcome"] == "failed" and found != "failed"
    parts: list[Content] = [
        tag("span", tag("span", ICONS[found], aria_hidden="true"), f" {record['outcome']}", class_=f"badge {found}"),
        tag("span", record["kind"], class_="kind"),
        tag("span", record["check"], class_="check") if record["check"] and record["check"] != record["kind"] else None,
        tag("code", record["test"], class_="test"),
        tag("span", f"golden for {record['variant']}", class_="kind") if record.get("variant") else None,
        tag("span", "its test failed", class_="apart") if apart else None,
        tag("span", shown, class_="line") if shown else None,
    ]
    # spaces, so that lines may break between them
    summary = [(part, " ") for part in parts if part is not None]
    marks = {"data_kind": record["kind"], "data_state": found}
    content = body(record, room) if record.get("detail") or record.get("message") else []
    if not joined(content).text:
        return tag("li", tag("div", *summary, class_="row"), id=f"v{number}", **marks)
    content = [tag("p", line, class_="headline") if shown != line else None, *content]
    facts = f"{record['time']}, the test took {record['seconds']:g} s"
    inside = tag("div", *content, tag("p", facts, class_="facts"), class_="body")
    opened = tag("details", tag("summary", *summary), inside if held == "div" else tag(held, inside))
    return tag("li", opened, id=f"v{number}", **marks)


def _environment(run: Run) -> Markup:
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", text), tag("td", "yes" if numeric else "no"))
        for name, text, numeric in run.environment
    ]
    head = tag("tr", *(tag("th", name, scope="col") for name in ("fact", "value", "can change results")))
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return tag(
        "footer",
        tag("h2", "Environment"),
        tag("details", tag("summary", f"{len(rows)} facts"), tag("div", table, class_="scroll", tabindex=0)),
        id="environment",
    )
