"""Robust accuracy as a bracket on a line from 0 to 1, how each attack narrowed it, and over several epsilons of one threat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..._json import Json
from .markup import Content, Markup, tag

__all__ = ["bracket", "course", "curves"]

Record = Mapping[str, Any]
WIDE: Final = 640
LEFT: Final = 44
PAD: Final = 52
HIGH: Final = 170
BELOW: Final = 24


def _x(share: float) -> float:
    return round(LEFT + (WIDE - LEFT - PAD) * share, 1)


def _y(share: float) -> float:
    return round(HIGH - BELOW - (HIGH - BELOW - 12) * share, 1)


def bracket(record: Record, detail: Json) -> Markup:
    """Return the bracket: what is proved, what nothing has broken yet, what is asked, and accuracy without any attack."""
    low, high = record["proved"], record["robust_accuracy"]
    asked, clean = record["required"], record["clean_accuracy"]
    inside = detail.get("interval")
    words = f"Robust accuracy is at most {high:.1%}, at least {low:.1%} is proved; asked are {asked:.1%}, clean are {clean:.1%}"
    between = (
        f"; at {detail['confidence']:.0%} confidence between {inside[0]:.1%} and {inside[1]:.1%}" if inside else ""
    )
    drawn = tag(
        "svg",
        tag("rect", x=_x(0), y=26, width=_x(1) - _x(0), height=14, class_="trough"),
        tag("rect", x=_x(low), y=26, width=round(max(_x(high) - _x(low), 2), 1), height=14, class_="open"),
        tag("rect", x=_x(0), y=26, width=round(_x(low) - _x(0), 1), height=14, class_="bar proved"),
        _pin(asked, "asked", above=True),
        _pin(clean, "clean", above=False),
        _pin(high, "at most", above=False) if abs(high - clean) > 0.12 else None,
        tag("text", "0%", x=_x(0) - 6, y=37, class_="tick end"),
        tag("text", "100%", x=_x(1) + 6, y=37, class_="tick"),
        viewBox=f"0 0 {WIDE} 66", role="img", aria_label=f"{words}{between}.", class_="plot",
    )  # fmt: skip
    used = f"{record['samples_used']} of {record['samples']} samples, {record['evaluations']:,} evaluations"
    colours = "Green: proved; orange: not broken"
    return tag("figure", drawn, tag("figcaption", tag("span", f"{words}{between}. {used}. {colours}.")))


def _pin(share: float, word: str, *, above: bool) -> Markup:
    y = (14, 44) if above else (22, 50)
    return tag(
        "g",
        tag("line", x1=_x(share), y1=y[0], x2=_x(share), y2=y[1], class_="mark" if above else "axis"),
        tag("text", f"{word} {share:.1%}", x=_x(share), y=11 if above else 62, class_="tick middle"),
    )


def course(record: Record, detail: Json) -> Markup | None:
    """Return what was left of the accuracy after each attack, in the order in which they ran; None for fewer than two."""
    stages, samples = detail.get("stages") or [], record["samples"]
    if len(stages) < 2 or not samples:
        return None
    left, bars = record["clean_accuracy"], []
    for stage in stages:
        left = max(left - stage["broke"] / samples, 0.0)
        cells = [f"{stage['tried']:,}", f"{stage['broke']:,}", f"{stage['evaluations']:,}", f"{left:.1%}"]
        gauge = tag(
            "svg",
            tag("rect", x=0, y=3, width=120, height=8, class_="trough"),
            tag("rect", x=0, y=3, width=round(120 * left, 1), height=8, class_="bar now"),
            viewBox="0 0 120 14", width=120, height=14, aria_hidden="true",
        )  # fmt: skip
        numbers = [tag("td", cell, class_="number") for cell in cells]
        bars.append(tag("tr", tag("th", stage["attack"], scope="row"), *numbers, tag("td", gauge)))
    names = ("attack", "tried", "broke", "evaluations", "left at most")
    head = tag("tr", *(tag("th", name, scope="col") for name in names), tag("td"))
    return tag("div", tag("table", tag("thead", head), tag("tbody", *bars)), class_="scroll")


def curves(records: Sequence[Record]) -> list[Content]:
    """Return robust accuracy over epsilon, with its brackets, of each test that has several epsilons of one norm."""
    found: dict[tuple[str, str], dict[float, Record]] = {}
    for record in records:
        detail = record.get("detail") or {}
        if record["kind"] == "robustness" and detail.get("norm") and detail.get("epsilon") is not None:
            found.setdefault((record["test"], detail["norm"]), {})[detail["epsilon"]] = record
    return [_curve(*key, sorted(of.items())) for key, of in found.items() if len(of) > 1]


def _curve(test: str, norm: str, points: Sequence[tuple[float, Record]]) -> Markup:
    top = points[-1][0]
    at = [(_x(epsilon / top), record) for epsilon, record in points]
    upper = [(x, _y(record["robust_accuracy"])) for x, record in at]
    lower = [(x, _y(record["proved"])) for x, record in at]
    words = "; ".join(
        f"{norm} {epsilon:g}: {record['proved']:.1%} to {record['robust_accuracy']:.1%}" for epsilon, record in points
    )
    drawn = tag(
        "svg",
        tag("line", x1=LEFT, y1=_y(1), x2=LEFT, y2=_y(0), class_="axis"),
        tag("line", x1=LEFT, y1=_y(0), x2=_x(1), y2=_y(0), class_="axis"),
        tag("text", "100%", x=LEFT - 5, y=_y(1) + 8, class_="tick end"),
        tag("text", "0%", x=LEFT - 5, y=_y(0), class_="tick end"),
        tag("path", d=f"M{_line(upper + lower[::-1])}Z", class_="band now"),
        tag("path", d=f"M{_line(upper)}", class_="line now"),
        tag("path", d=f"M{_line(lower)}", class_="line then", stroke_dasharray="5 3"),
        *(
            tag("text", f"{epsilon:g}", x=x, y=HIGH - 8, class_="tick middle")
            for (epsilon, _), (x, _) in zip(points, at, strict=True)
        ),
        viewBox=f"0 0 {WIDE} {HIGH}", role="img", aria_label=f"Robust accuracy over epsilon: {words}", class_="plot",
    )  # fmt: skip
    caption = tag(
        "figcaption", tag("code", test), f" Robust accuracy over epsilon ({norm}): at most (full), proved (dashed)."
    )
    return tag("figure", drawn, caption)


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "L".join(f"{x:g} {y:g}" for x, y in points)
