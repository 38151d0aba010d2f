"""The graph of a pipeline's steps, from top to bottom, with the step that parts marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ..._json import Json
from .markup import Markup, tag

__all__ = ["graph"]

BOX: Final = (176, 42)
GAP: Final = (22, 30)
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
    """Return the drawing of a pipeline, and the same as a list for those who can't see it."""
    steps = [{**step, "state": _state(step, detail["first"])} for step in detail["steps"]]
    places, size = _places(steps)
    edges = [(source, step["name"]) for step in steps for source in step["from"]]
    edges += [(step["name"], step["inside"]) for step in steps if step["inside"]]
    drawn = tag(
        "svg",
        *(_edge(places[one], places[two]) for one, two in edges if one in places and two in places),
        *(_box(step, places[step["name"]]) for step in steps),
        viewBox=f"0 0 {size[0]} {size[1]}", width=size[0], height=size[1], role="img", class_="graph",
        aria_label="Steps of the pipeline: " + "; ".join(f"{step['name']}: {WORDS[step['state']]}" for step in steps),
    )  # fmt: skip
    more = tag("p", f"… and {detail['more']} more steps") if detail["more"] else None
    return tag("figure", tag("div", drawn, class_="scroll"), more)


def _state(step: Json, first: str | None) -> str:
    state = step["state"]
    return "also" if state == "parts" and step["name"] != first else state if state in WORDS else "differs"


def _places(steps: Sequence[Json]) -> tuple[dict[str, tuple[int, int]], tuple[int, int]]:
    """Return the middle of each box, below all that it comes from, and the size of the drawing."""
    depth: dict[str, int] = {}
    for step in steps:  # in the order in which they ended: what a step comes from, and what ran inside it, came before
        inner = [other["name"] for other in steps if other["inside"] == step["name"]]
        before = [depth[name] for name in (*step["from"], *inner) if name in depth]
        depth[step["name"]] = 1 + max(before, default=-1)
    rows: dict[int, list[str]] = {}
    for name, row in depth.items():
        rows.setdefault(row, []).append(name)
    wide, high = BOX[0] + GAP[0], BOX[1] + GAP[1]
    most = max(map(len, rows.values()))
    places: dict[str, tuple[int, int]] = {}
    for row, names in rows.items():
        spare = (most - len(names)) * wide // 2
        for at, name in enumerate(_ordered(names, steps, places)):
            places[name] = (spare + at * wide + wide // 2, row * high + high // 2)
    return places, (most * wide, len(rows) * high)


def _ordered(names: Sequence[str], steps: Sequence[Json], places: Mapping[str, tuple[int, int]]) -> list[str]:
    """Return the steps of a row so that each stands near what it comes from."""
    sources = {step["name"]: step["from"] for step in steps}

    def middle(name: str) -> float:
        above = [places[source][0] for source in sources[name] if source in places]
        return sum(above) / len(above) if above else 0.0

    return sorted(names, key=middle)


def _edge(one: tuple[int, int], two: tuple[int, int]) -> Markup:
    half = BOX[1] // 2
    (x, y), (u, v) = (one[0], one[1] + half), (two[0], two[1] - half)
    bend = max((v - y) // 2, 10)
    tip = f"M{u - 4} {v - 6}L{u} {v}L{u + 4} {v - 6}"
    return tag("path", d=f"M{x} {y}C{x} {y + bend} {u} {v - bend} {u} {v}{tip}", class_="edge")


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
