"""The graph of a pipeline's steps, from top to bottom, with the step that parts marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from ..._json import Json
from .markup import Markup, tag

__all__ = ["graph"]

Edge: TypeAlias = tuple[str, str]
Lane: TypeAlias = tuple[str, str, int]
"""Where an arrow passes a row: its ends, and the row."""
Spot: TypeAlias = str | Lane

BOX: Final = (176, 42)
GAP: Final = (22, 30)
LANE: Final = 28
"""Room for an arrow that passes a row."""
NAME: Final = 23
WORDS: Final[Mapping[str, str]] = {
    "same": "same",
    "within": "within what is allowed",
    "parts": "✕ parts here first",
    "also": "✕ parts by itself too",
    "follows": "↳ follows from it",
    "differs": "differs",
    "new": "+ not recorded",
    "unused": "∅ did not run",
}


def graph(detail: Json) -> Markup:
    """Return the drawing of a pipeline, and the same in a sentence for those who can't see it."""
    steps = [{**step, "state": _state(step, detail["first"])} for step in detail["steps"]]
    names = {step["name"] for step in steps}
    edges = [(source, step["name"]) for step in steps for source in step["from"] if source in names]
    edges += [(step["name"], step["inside"]) for step in steps if step["inside"] in names]
    depth = _depths([step["name"] for step in steps], edges)
    lanes = {edge: [(*edge, row) for row in range(depth[edge[0]] + 1, depth[edge[1]])] for edge in edges}
    places, size = _places(depth, lanes)
    drawn = tag(
        "svg",
        *(_edge([places[spot] for spot in (edge[0], *lane, edge[1])]) for edge, lane in lanes.items()),
        *(_box(step, places[step["name"]]) for step in steps),
        viewBox=f"0 0 {size[0]} {size[1]}", width=size[0], height=size[1], role="img", class_="graph",
        aria_label="Steps of the pipeline: " + "; ".join(f"{step['name']}: {WORDS[step['state']]}" for step in steps),
    )  # fmt: skip
    more = tag("p", f"… and {detail['more']} more steps") if detail["more"] else None
    return tag("figure", tag("div", drawn, class_="scroll", tabindex=0), more)


def _state(step: Json, first: str | None) -> str:
    state = step["state"]
    return "also" if state == "parts" and step["name"] != first else state if state in WORDS else "differs"


def _depths(names: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """Return in which row each step stands: below all that it comes from, which ended before it."""
    depth: dict[str, int] = {}
    for name in names:
        above = [depth[one] for one, two in edges if two == name and one in depth]
        depth[name] = 1 + max(above, default=-1)
    return depth


def _places(
    depth: Mapping[str, int], lanes: Mapping[Edge, Sequence[Lane]]
) -> tuple[dict[Spot, tuple[int, int]], tuple[int, int]]:
    """Return the middle of each box, and where arrows pass the rows between, and the size of the drawing."""
    rows: dict[int, list[Spot]] = {}
    for name, row in depth.items():
        rows.setdefault(row, []).append(name)
    above: dict[Spot, list[Spot]] = {}
    for edge, lane in lanes.items():
        way: list[Spot] = [edge[0], *lane, edge[1]]
        for one, two in pairwise(way):
            above.setdefault(two, []).append(one)
        for passed in lane:
            rows[passed[2]].append(passed)
    wide = max(sum(map(_wide, row)) for row in rows.values())
    high = BOX[1] + GAP[1]
    places: dict[Spot, tuple[int, int]] = {}
    for row in sorted(rows):
        x = (wide - sum(map(_wide, rows[row]))) // 2
        for spot in sorted(rows[row], key=lambda spot: _middle(above.get(spot, ()), places)):
            places[spot] = (x + _wide(spot) // 2, row * high + high // 2)
            x += _wide(spot)
    return places, (wide, len(rows) * high)


def _wide(spot: Spot) -> int:
    return LANE if isinstance(spot, tuple) else BOX[0] + GAP[0]


def _middle(above: Sequence[Spot], places: Mapping[Spot, tuple[int, int]]) -> float:
    found = [places[spot][0] for spot in above if spot in places]
    return sum(found) / len(found) if found else 0.0


def _edge(way: Sequence[tuple[int, int]]) -> Markup:
    """Return an arrow from one box to another, past those between."""
    half = BOX[1] // 2
    x, y = way[0][0], way[0][1] + half
    path = f"M{x} {y}"
    for u, middle in way[1:]:
        v = middle - half
        bend = max((v - y) // 2, 10)
        path += f"C{x} {y + bend} {u} {v - bend} {u} {v}"
        x, y = u, v
        if (u, middle) != way[-1]:
            y = middle + half
            path += f"L{u} {y}"
    return tag("path", d=f"{path}M{x - 4} {y - 6}L{x} {y}L{x + 4} {y - 6}", class_="edge")


def _box(step: Json, place: tuple[int, int]) -> Markup:
    x, y = place[0] - BOX[0] // 2, place[1] - BOX[1] // 2
    name = step["name"]
    shown = name if len(name) <= NAME else name[: NAME - 1] + "…"
    return tag(
        "g",
        tag("title", f"{name}: gives {step['gives']}"),
        tag("rect", x=x, y=y, width=BOX[0], height=BOX[1], rx=6),
        tag("text", shown, x=place[0], y=y + 17, class_="name"),
        tag("text", WORDS[step["state"]], x=place[0], y=y + 33, class_="state"),
        class_=f"step {step['state']}",
    )
