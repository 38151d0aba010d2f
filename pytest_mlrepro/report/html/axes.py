"""What drawings have in common: a frame with a sentence for those who can't see it, axes, a legend, numbers in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from .markup import Content, Markup, tag

__all__ = ["BASE", "LEFT", "NOW", "PAD", "THEN", "WIDE", "Axes", "figure", "finite", "frame", "legend", "path", "short"]

WIDE: Final = 640
HIGH: Final = 170
LEFT: Final = 64
BELOW: Final = 22
PAD: Final = 8
TICK: Final = 8
"""Characters for which there is room beside an axis."""
THEN: Final = "golden"
NOW: Final = "this run"
BASE: Final = HIGH - BELOW
"""Where the horizontal axis lies."""


def short(value: Any, digits: int = 4) -> str:
    """Return a number as people read it; "none" for what is none."""
    return "none" if value is None else f"{value:.{digits}g}"


def narrow(value: float, digits: int) -> str:
    """Return a number with as many digits as there is room for beside an axis."""
    return next((text for count in range(digits, 1, -1) if len(text := short(value, count)) <= TICK), short(value, 1))


def figure(drawn: Content, caption: Content) -> Markup:
    """Return a picture with its caption below."""
    return tag("figure", drawn, tag("figcaption", caption))


def frame(label: str, *content: Content, high: int = HIGH) -> Markup:
    """Return a drawing that has a sentence for those who can't see it."""
    return tag("svg", *content, viewBox=f"0 0 {WIDE} {high}", role="img", aria_label=label, class_="plot")


def legend(then: str = THEN, now: str = NOW) -> Markup:
    """Return which line is which: dashed and full, so that it does not take colours to tell."""
    keys = [("then", then, {"stroke_dasharray": "5 3"}), ("now", now, {})]
    return tag(
        "span",
        *(
            tag(
                "span",
                tag(
                    "svg",
                    tag("line", x1=0, y1=6, x2=26, y2=6, class_=f"line {name}", **more),
                    viewBox="0 0 26 12",
                    width=26,
                    height=12,
                    aria_hidden="true",
                    class_="key",
                ),
                words,
                class_="entry",
            )
            for name, words, more in keys
        ),
        class_="legend",
    )


class Axes:
    """Where numbers lie in a drawing."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self._x, self._y = x, _widened(y)

    def x(self, value: float) -> float:
        """Return where a value of the horizontal axis lies."""
        low, high = self._x
        return round(LEFT + (WIDE - LEFT - PAD) * (value - low) / ((high - low) or 1), 1)

    def y(self, value: float) -> float:
        """Return where a value of the vertical axis lies."""
        low, high = self._y
        return round(HIGH - BELOW - (HIGH - BELOW - PAD) * (value - low) / ((high - low) or 1), 1)

    def drawn(self, names: tuple[str, str], digits: int = 4) -> list[Markup]:
        """Return the axes, with the ends of each in numbers."""
        low, high = self._y
        return [
            tag("line", x1=LEFT, y1=PAD, x2=LEFT, y2=HIGH - BELOW, class_="axis"),
            tag("line", x1=LEFT, y1=HIGH - BELOW, x2=WIDE - PAD, y2=HIGH - BELOW, class_="axis"),
            tag("text", narrow(high, digits), x=LEFT - 6, y=PAD + 10, class_="tick end"),
            tag("text", narrow(low, digits), x=LEFT - 6, y=HIGH - BELOW, class_="tick end"),
            tag("text", names[0], x=LEFT, y=HIGH - 6, class_="tick"),
            tag("text", names[1], x=WIDE - PAD, y=HIGH - 6, class_="tick end"),
        ]


def _widened(ends: tuple[float, float]) -> tuple[float, float]:
    low, high = ends
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def finite(values: Sequence[float | None]) -> list[float]:
    """Return the numbers among what may be none."""
    return [value for value in values if value is not None]


def path(points: Sequence[tuple[float, float]]) -> str:
    """Return a line through points, as the attribute `d` of a path."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
