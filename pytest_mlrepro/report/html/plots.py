"""Pictures of a record as SVG and images: what is drawn, and the same in a sentence for those who can't see it."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..._json import Json
from .markup import Content, Markup, tag
from .raster import png

__all__ = ["bins", "levels", "picture"]

WIDE: Final = 640
HIGH: Final = 170
LEFT: Final = 64
BELOW: Final = 22
PAD: Final = 8
TICK: Final = 8
"""Characters for which there is room beside an axis."""
THEN: Final = "golden"
NOW: Final = "this run"


def picture(data: Json) -> Markup:
    """Return the figure of one picture, with its caption and legend."""
    drawn: Mapping[str, Callable[[Json], Markup]] = {
        "curve": _curve, "histogram": _histogram, "map": _map, "images": _images, "numbers": _numbers,
        "bins": bins, "levels": levels,
    }  # fmt: skip
    return drawn[data["type"]](data)


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


def _finite(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _curve(data: Json) -> Markup:
    sides = [data["golden"], data["now"]]
    known = _finite([value for side in sides for ends in side.values() for value in ends])
    if not known:
        return tag("p", "No finite number to draw.")
    length, count = data["length"], len(sides[0]["low"])
    axes = Axes((0, max(count - 1, 1)), (min(known), max(known)))
    worst = data.get("worst")
    at = None if worst is None else axes.x(worst["at"] * count // length)
    label = f"{THEN} and {NOW} along {length:,} elements, from {short(min(known))} to {short(max(known))}"
    far = ""
    if worst is not None:
        size = "without a distance" if worst["difference"] is None else f"by {short(worst['difference'])}"
        far = f"farthest apart at {worst['at']:,}, {size}"
    drawing = frame(
        f"{label}; {far}" if far else label,
        axes.drawn(("0", f"{length - 1:,}"), 5),
        None if at is None else tag("line", x1=at, y1=PAD, x2=at, y2=HIGH - BELOW, class_="mark"),
        [_band(side, name, axes) for side, name in zip(sides, ("then", "now"), strict=True)],
    )
    each = f"{length / count:,.{0 if length >= 10 * count else 1}f}"
    stretched = f"each point is the least and greatest of about {each} elements" if length > count else ""
    words = ". ".join(part[0].upper() + part[1:] for part in (far, stretched) if part)
    return figure(drawing, [_title(data), legend(), tag("span", words)])


def _band(side: Json, name: str, axes: Axes) -> list[Markup]:
    """Return a line, or the area between the least and the greatest of each stretch; gaps where nothing is finite."""
    dashes = "5 3" if name == "then" else None
    drawn = []
    for start, stop in _runs(side["low"]):
        low = [(axes.x(at), axes.y(side["low"][at])) for at in range(start, stop)]
        if "high" in side:
            high = [(axes.x(at), axes.y(side["high"][at])) for at in range(start, stop)]
            area = f"{_path(high + low[::-1])}Z"
            drawn.append(tag("path", d=area, class_=f"band {name}", stroke_dasharray=dashes))
            continue
        if stop - start == 1:
            drawn.append(tag("circle", cx=low[0][0], cy=low[0][1], r=2, class_=f"dot {name}"))
        drawn.append(tag("path", d=_path(low), class_=f"line {name}", stroke_dasharray=dashes))
    return drawn


def _runs(values: Sequence[float | None]) -> list[tuple[int, int]]:
    """Return where stretches of numbers begin and end."""
    found: list[tuple[int, int]] = []
    for at, value in enumerate(values):
        if value is None:
            continue
        if found and found[-1][1] == at:
            found[-1] = (found[-1][0], at + 1)
        else:
            found.append((at, at + 1))
    return found


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _title(data: Json) -> Markup | None:
    path = data.get("path", "value")
    return None if path == "value" else tag("code", path, class_="path")


def _histogram(data: Json) -> Markup:
    counts = data["counts"]
    axes = Axes((data["low"], data["high"]), (0, max(counts)))
    width = (WIDE - LEFT - PAD) / len(counts)
    base = HIGH - BELOW
    bars = [
        tag("rect", x=round(LEFT + at * width, 1), y=axes.y(count), width=round(width - 1, 1),
            height=round(base - axes.y(count), 1), class_="bar")
        for at, count in enumerate(counts) if count
    ]  # fmt: skip
    zero = axes.x(0) if data["low"] < 0 < data["high"] else None
    total = sum(counts)
    label = f"differences of {total:,} elements, from {short(data['low'])} to {short(data['high'])}"
    drawing = frame(
        f"Histogram of {label}",
        axes.drawn((short(data["low"]), short(data["high"])), 6),
        bars,
        None if zero is None else tag("line", x1=zero, y1=PAD, x2=zero, y2=base, class_="mark"),
    )
    odd = f"; {data['odd']:,} have no finite difference" if data["odd"] else ""
    at_zero = "" if zero is None else "; dashed: no difference"
    return figure(drawing, [_title(data), tag("span", f"{label[0].upper()}{label[1:]}{odd}{at_zero}.")])


def _map(data: Json) -> Markup:
    cells, shape = data["cells"], " x ".join(map(str, data["shape"]))
    rest = " x ".join(map(str, data["shape"][1:]))
    label = (
        f"Where a {shape} array differs: {data['shape'][0]} rows from top to bottom, {rest} elements from left to right"
    )
    odd = f"; cells in which a NaN or infinity stands on one side only: {data['odd']}" if data["odd"] else ""
    return figure(
        _image(cells, label, scale=True),
        [_title(data), _ramp(data["top"]), tag("span", f"{label}{odd}.")],
    )


def _images(data: Json) -> Markup:
    which = f", sample {data['sample']} of {data['samples']}" if data.get("samples", 1) > 1 else ""
    first, second = data.get("titles", (THEN, NOW))
    shown = [("golden", first, False), ("now", second, False), ("difference", "difference", True)]
    cells = [figure(_image(data[key], f"{title}{which}", scale=scale), title) for key, title, scale in shown]
    span = f"from {short(data['low'])} (dark) to {short(data['high'])} (bright)"
    return figure(
        tag("div", *cells, class_="images"),
        [_title(data), _ramp(data["top"]), tag("span", f"Shades {span}{which}.")],
    )


def _image(cells: Json, label: str, *, scale: bool) -> Markup:
    times = max(1, 168 // max(cells["width"], cells["height"], 1))
    wide, high = cells["width"] * times, cells["height"] * times
    if cells["height"] == 1:
        high = max(high, 16)
    return tag("img", src=png(cells, scale=scale), alt=label, width=wide, height=high, class_="cells")


def _ramp(top: float | None) -> Markup:
    """Return the scale of differences."""
    steps: Json = {"width": 64, "height": 1, "channels": 1, "pixels": _STEPS}
    bar = tag("img", src=png(steps, scale=True), alt="scale of colours", width=96, height=10, class_="cells ramp")
    return tag("span", "0 ", bar, f" {short(top)}", class_="legend")


def _steps() -> str:
    return base64.b64encode(bytes(round(at * 255 / 63) for at in range(64))).decode("ascii")


_STEPS: Final = _steps()


def _numbers(data: Json) -> Markup:
    head = tag("tr", *(tag("th", name, scope="col") for name in ("value", THEN, NOW, "difference")))
    rows = [
        tag("tr", tag("th", tag("code", row["path"]), scope="row"),
            *(tag("td", row[name], class_="number") for name in ("golden", "now", "difference")))
        for row in data["rows"]
    ]  # fmt: skip
    more = tag("p", f"… and {data['more']} more") if data["more"] else None
    return tag("div", tag("table", tag("thead", head), tag("tbody", *rows), class_="numbers"), more, class_="scroll")


def bins(data: Json) -> Markup:
    """Return two distributions of numbers over the same bins."""
    then, now = data["then"], data["now"]
    axes = Axes((0, len(then)), (0, max([*_finite(then), *_finite(now), 1e-9])))
    low, high = _end(data, "low"), _end(data, "high")
    drawing = frame(
        f"Distribution of {data['column']} from {low} to {high}, then and now",
        axes.drawn((low, high), 3),
        tag("path", d=_stairs(now, axes, closed=True), class_="band now"),
        tag("path", d=_stairs(now, axes), class_="line now"),
        tag("path", d=_stairs(then, axes), class_="line then", stroke_dasharray="5 3"),
    )
    return figure(drawing, [tag("strong", data["column"]), legend("reference", NOW), _nulls(data)])


def _end(data: Json, name: str) -> str:
    if not data.get("dates"):
        return short(data[name])
    try:
        return dt.datetime.fromtimestamp(data[name], dt.UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return short(data[name])


def _stairs(shares: Sequence[float | None], axes: Axes, *, closed: bool = False) -> str:
    points = []
    for at, share in enumerate(shares):
        points += [(axes.x(at), axes.y(share or 0.0)), (axes.x(at + 1), axes.y(share or 0.0))]
    if closed:
        points = [(axes.x(0), axes.y(0)), *points, (axes.x(len(shares)), axes.y(0))]
    return _path(points) + ("Z" if closed else "")


def _nulls(data: Json) -> Markup | None:
    then, now = data["nulls"]
    return tag("span", f"Nulls: {_percent(then)} → {_percent(now)}.") if then or now else None


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.3g}" if share < 0.001 else f"{share:.1%}"


def levels(data: Json) -> Markup:
    """Return the shares of categories, then and now, those that moved most first."""
    top = max([*_finite(data["then"]), *_finite(data["now"]), 1e-9])
    rows = []
    for name, then, now in zip(data["names"], data["then"], data["now"], strict=True):
        bars = tag(
            "svg",
            tag("rect", x=0, y=1, width=round(200 * (then or 0) / top, 1), height=7, class_="bar then"),
            tag("rect", x=0, y=10, width=round(200 * (now or 0) / top, 1), height=7, class_="bar now"),
            viewBox="0 0 200 18", width=200, height=18, aria_hidden="true",
        )  # fmt: skip
        cells = [tag("td", _percent(share), class_="number") for share in (then, now)]
        rows.append(tag("tr", tag("th", name, scope="row"), *cells, tag("td", bars)))
    head = tag("tr", *(tag("th", name, scope="col") for name in ("category", "reference", NOW)), tag("td"))
    more = f"… and {data['more']} more categories. " if data["more"] else None
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="numbers")
    return figure(tag("div", table, class_="scroll"), [tag("strong", data["column"]), more, _nulls(data)])
