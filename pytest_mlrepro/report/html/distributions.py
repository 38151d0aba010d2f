"""How a column is distributed in the reference and in this run: two outlines over the same bins, or bars for categories."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from ..._json import Json
from .axes import NOW, Axes, figure, finite, frame, legend, path, short
from .markup import Markup, tag

__all__ = ["bins", "levels"]


def bins(data: Json) -> Markup:
    """Return two distributions of numbers over the same bins."""
    then, now = data["then"], data["now"]
    axes = Axes((0, len(then)), (0, max([*finite(then), *finite(now), 1e-9])))
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
    return path(points) + ("Z" if closed else "")


def _nulls(data: Json) -> Markup | None:
    then, now = data["nulls"]
    return tag("span", f"Nulls: {_percent(then)} → {_percent(now)}.") if then or now else None


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.3g}" if share < 0.001 else f"{share:.1%}"


def levels(data: Json) -> Markup:
    """Return the shares of categories, then and now, those that moved most first."""
    top = max([*finite(data["then"]), *finite(data["now"]), 1e-9])
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
