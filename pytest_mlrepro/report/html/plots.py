"""Pictures of a record as SVG and images: what is drawn, and the same in a sentence for those who can't see it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ..._json import Json
from .axes import BASE, LEFT, NOW, PAD, THEN, WIDE, Axes, figure, finite, frame, legend, path, short
from .markup import Markup, tag
from .raster import png

__all__ = ["picture"]


def picture(data: Json) -> Markup:
    """Return the figure of one picture, with its caption and legend."""
    drawn: Mapping[str, Callable[[Json], Markup]] = {
        "curve": _curve, "histogram": _histogram, "map": _map, "images": _images, "numbers": _numbers,
    }  # fmt: skip
    return drawn[data["type"]](data)


def _curve(data: Json) -> Markup:
    sides = [data["golden"], data["now"]]
    known = finite([value for side in sides for ends in side.values() for value in ends])
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
        None if at is None else tag("line", x1=at, y1=PAD, x2=at, y2=BASE, class_="mark"),
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
            area = f"{path(high + low[::-1])}Z"
            drawn.append(tag("path", d=area, class_=f"band {name}", stroke_dasharray=dashes))
            continue
        if stop - start == 1:
            drawn.append(tag("circle", cx=low[0][0], cy=low[0][1], r=2, class_=f"dot {name}"))
        drawn.append(tag("path", d=path(low), class_=f"line {name}", stroke_dasharray=dashes))
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


def _title(data: Json) -> Markup | None:
    path = data.get("path", "value")
    return None if path == "value" else tag("code", path, class_="path")


def _histogram(data: Json) -> Markup:
    counts = data["counts"]
    axes = Axes((data["low"], data["high"]), (0, max(counts)))
    width = (WIDE - LEFT - PAD) / len(counts)
    bars = [
        tag("rect", x=round(LEFT + at * width, 1), y=axes.y(count), width=round(width - 1, 1),
            height=round(BASE - axes.y(count), 1), class_="bar")
        for at, count in enumerate(counts) if count
    ]  # fmt: skip
    zero = axes.x(0) if data["low"] < 0 < data["high"] else None
    total = sum(counts)
    label = f"differences of {total:,} elements, from {short(data['low'])} to {short(data['high'])}"
    drawing = frame(
        f"Histogram of {label}",
        axes.drawn((short(data["low"]), short(data["high"])), 6),
        bars,
        None if zero is None else tag("line", x1=zero, y1=PAD, x2=zero, y2=BASE, class_="mark"),
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
