"""What stands below a verdict when it is opened, for each kind of check: why, how far, a picture, what to run next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from ..._json import Json
from .axes import short
from .bracket import bracket, course
from .distributions import bins, levels
from .graph import graph
from .markup import Content, Markup, tag
from .plots import picture

__all__ = ["body", "headline"]

Record: TypeAlias = Mapping[str, Any]
Fitting: TypeAlias = Callable[[Json], Json]
"""Returns a picture as large as there is room for in the page, None where there is none."""
STATES: Final = {"drift": "moved", "undecided": "undecided", "same": "same"}


def headline(record: Record) -> str:
    """Return the conclusion in one line; "" where the outcome says it all."""
    detail = record.get("detail") or {}
    first = detail.get("headline") or detail.get("change")
    if not first and record["kind"] == "contract":
        first = "; ".join(finding["words"] for finding in detail.get("findings", ())[:1])
    if not first and record["kind"] in ("robustness", "drift"):
        first = next(iter(detail.get("lines", ())), "")
    if not first and record.get("message"):
        first = _first_line(record["message"])
    return str(first or record.get("remark") or _near(detail)).rstrip(":")


def _near(detail: Json) -> str:
    """Return how much of its tolerance a value uses that has other bits than recorded."""
    if detail.get("used") is None:
        return ""
    excused = f"; {detail['tolerated']:,} elements beyond it are excused" if detail.get("tolerated") else ""
    return f"other bits than recorded; {detail['used']:.2g} of the tolerance is used{excused}"


def _first_line(message: str) -> str:
    """Return the line of a traceback that says what was raised."""
    lines = message.splitlines()
    raised = [line[1:].strip().removeprefix("AssertionError: ") for line in lines if line.startswith("E ")]
    return next((line for line in (*raised, *lines) if line.strip()), "")


def body(record: Record, room: Fitting) -> list[Content]:
    """Return the content of a verdict."""
    detail = record.get("detail") or {}
    kinds: Mapping[str, Callable[..., Iterable[Content]]] = {
        "golden": _golden, "pipeline": _pipeline, "robustness": _robust, "drift": _drift, "contract": _contract,
        "determinism": _determinism,
    }  # fmt: skip
    shown = list(kinds.get(record["kind"], _nothing)(record, detail, room))
    if record["kind"] != "golden" and detail.get("headline") and record["kind"] != "pipeline":
        shown = [*_why(detail), *shown]
    if detail.get("trouble"):
        shown.append(tag("p", detail["trouble"], class_="note"))
    message = record.get("message")
    return [*shown, tag("pre", message, tabindex=0) if message else None]


def _nothing(record: Record, detail: Json, room: Fitting) -> Iterable[Content]:
    return ()


def _why(detail: Json) -> Iterable[Content]:
    if detail.get("reasons"):
        yield section("Changed since the recording", _pre(detail["reasons"]))


def section(title: str, *content: Content) -> Markup:
    """Return a titled part of a verdict."""
    return tag("section", tag("h3", title), *content)


def _pre(lines: Sequence[str]) -> Markup:
    return tag("pre", "\n".join(lines), tabindex=0)


def _golden(record: Record, detail: Json, room: Fitting) -> Iterable[Content]:
    yield from _why(detail)
    pictures = detail.get("pictures") or []
    shown = [found for data in pictures if (found := room(data)) is not None]
    if shown:
        yield section("The difference", *map(picture, shown))
    if len(shown) < len(pictures):
        yield tag("p", "Pictures are left out: there are more of them than the page has room for.", class_="note")
    if detail.get("words"):
        yield section("In words", _pre(detail["words"]))
    if record.get("remark"):
        yield tag("p", record["remark"])
    if detail.get("commands"):
        yield section("Next", _pre(detail["commands"]))


def _pipeline(record: Record, detail: Json, room: Fitting) -> Iterable[Content]:
    if detail.get("steps"):
        yield section("Steps", graph(detail))
    if detail.get("lines"):
        yield section("In words", _pre(detail["lines"]))


def _robust(record: Record, detail: Json, room: Fitting) -> Iterable[Content]:
    yield section("Robust accuracy", bracket(record, detail), course(record, detail))
    if detail.get("examples"):
        yield section("Counterexamples", *(_example(example, room) for example in detail["examples"]))
    if detail.get("lines"):
        yield section("In words", _pre(detail["lines"]))


def _example(example: Json, room: Fitting) -> Markup:
    far = f"{short(example['distance'])} of {short(example['allowed'])} allowed"
    caption = (
        f"Sample {example['sample']}: {example['outcome']}. {example['attack']}, distance {far}; "
        f"{example['changed']} of {example['elements']} elements changed."
    )
    drawn = room({**example["images"], "titles": ("before", "after")}) if "images" in example else None
    if drawn is not None:
        return tag("div", tag("p", caption), picture(drawn), class_="example")
    rows = [
        tag("tr", tag("th", row["name"], scope="row"), tag("td", row["before"], class_="number"),
            tag("td", row["after"], class_="number"))
        for row in example.get("rows", ())
    ]  # fmt: skip
    head = tag("tr", *(tag("th", name, scope="col") for name in ("element", "before", "after")))
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="numbers")
    return tag("div", tag("p", caption), tag("div", table, class_="scroll") if rows else None, class_="example")


def _drift(record: Record, detail: Json, room: Fitting) -> Iterable[Content]:
    rows, before = record.get("rows"), record.get("reference_rows")
    if rows is not None and before is not None:
        yield tag("p", f"{rows:,} rows against {record['reference']} ({before:,} rows).")
    columns = [found for data in detail.get("columns", ()) if (found := room(data)) is not None]
    if columns:
        drawn = [bins(data) if data["type"] == "bins" else levels(data) for data in columns]
        yield section("Columns that moved", tag("div", *drawn, class_="columns"))
    if detail.get("findings"):
        yield section("Each test", _tests(detail))
    if detail.get("lines"):
        yield section("In words", _pre(detail["lines"]))
    if detail.get("commands"):
        yield section("Next", _pre(detail["commands"]))


def _tests(detail: Json) -> Markup:
    names = ("column", "what", "distance", "of what is allowed", "allowed", "p", "verdict")
    rows = [
        tag(
            "tr", tag("th", row["column"], scope="row"), tag("td", row["what"]),
            tag("td", short(row["value"]), class_="number"), tag("td", _gauge(row)),
            tag("td", short(row["allowed"]), class_="number"),
            tag("td", "" if row["p"] is None else short(row["p"], 2), class_="number"),
            tag("td", tag("span", STATES[row["state"]], class_=f"state {row['state']}")),
        )
        for row in detail["findings"]
    ]  # fmt: skip
    head = tag("tr", *(tag("th", name, scope="col") for name in names))
    more = tag("p", f"… and {detail['more']} more tests, all the same as the reference") if detail["more"] else None
    return tag("div", tag("table", tag("thead", head), tag("tbody", *rows)), more, class_="scroll")


def _gauge(row: Json) -> Markup | None:
    """Return a bar: half full at what is allowed, full at twice of it."""
    if not row["allowed"] or row["value"] is None:
        return None
    share = min(row["value"] / row["allowed"] / 2, 1)
    return tag(
        "svg",
        tag("rect", x=0, y=3, width=100, height=8, class_="trough"),
        tag("rect", x=0, y=3, width=round(100 * share, 1), height=8, class_=f"bar {row['state']}"),
        tag("line", x1=50, y1=0, x2=50, y2=14, class_="mark"),
        viewBox="0 0 100 14", width=100, height=14, aria_hidden="true",
    )  # fmt: skip


def _contract(record: Record, detail: Json, room: Fitting) -> Iterable[Content]:
    findings = detail.get("findings", ())
    if findings:
        head = tag("tr", *(tag("th", name, scope="col") for name in ("fault", "columns", "rows", "first rows", "what")))
        rows = [
            tag(
                "tr", tag("th", finding["kind"], scope="row"), tag("td", ", ".join(finding["columns"])),
                tag("td", f"{finding['count']:,}", class_="number"), tag("td", ", ".join(map(str, finding["rows"]))),
                tag("td", finding["words"], tag("br") if finding["hint"] else None, finding["hint"] or None),
            )
            for finding in findings
        ]  # fmt: skip
        yield tag("div", tag("table", tag("thead", head), tag("tbody", *rows)), class_="scroll")
    if detail.get("more"):
        yield tag("p", f"… and {detail['more']} more faults")
    if detail.get("commands"):
        yield section("Next", _pre(detail["commands"]))


def _determinism(record: Record, detail: Json, room: Fitting) -> Iterable[Content]:
    runs = record.get("runs") or []
    yield tag("p", f"Held against {len(runs)} further run{'' if len(runs) == 1 else 's'}: {', '.join(runs)}.")
    spreads = detail.get("spreads") or []
    if spreads:
        head = tag("tr", *(tag("th", name, scope="col") for name in ("varied", "value", "how far apart")))
        rows = [tag("tr", *(tag("td", spread[name]) for name in ("varied", "value", "apart"))) for spread in spreads]
        yield section("May differ, and does", tag("table", tag("thead", head), tag("tbody", *rows)))
