"""What the steps of a golden were made of, as text: code, inputs, environment and output of each, equal trees once.

`golden.json` holds the digests; this file holds the parts behind them, which are read only to tell a reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .._json import Json, json_text
from ..errors import GoldenError
from ..fingerprints import Fingerprint
from ..provenance.record import Provenance, from_json, to_json

__all__ = ["Detail", "Details", "dumps", "loads"]

SCHEMA: Final = 1
_AREAS: Final = ("code", "data", "artifacts", "environment")
_LARGEST: Final = 256 * 2**20
_HELP: Final = "Put it back from version control, or record it again"


@dataclass(frozen=True, slots=True)
class Detail:
    """What one step was made of; its inputs and the files that it read are the data."""

    made_from: Provenance
    output: Fingerprint | None


@dataclass(frozen=True, slots=True)
class Details:
    """Of all steps by name, and of the test around them."""

    steps: Mapping[str, Detail] = field(default_factory=dict)
    test: Provenance = field(default_factory=Provenance)
    """What the whole test was made from when the last of the steps was recorded."""


def dumps(details: Details) -> str:
    """Return the text: JSON, the same for the same details; no time is in it."""
    trees: dict[str, Json] = {}
    steps = {name: _references(_whole(detail), trees) for name, detail in details.steps.items()}
    test = to_json(details.test)
    return json_text(
        {
            "schema": SCHEMA,
            "steps": steps,
            "test": {**_references(test, trees), "commit": test["commit"], "dirty": test["dirty"]},
            "trees": trees,
        }
    )


def loads(text: str, place: str) -> Details:
    """Return the details that a text holds; raises GoldenError that says what is wrong with it."""
    if len(text) > _LARGEST:
        raise GoldenError(f"{place} is too large: {len(text):,} characters. {_HELP}")
    try:
        data = json.loads(text)
        if data["schema"] != SCHEMA:
            raise GoldenError(
                f"{place} has schema {data['schema']!r}, this version knows {SCHEMA}: update pytest-mlrepro"
            )
        trees = data["trees"]
        steps = {name: _detail(entry, trees, f"{place}: step {name!r}") for name, entry in data["steps"].items()}
        test = from_json(_resolved(data["test"], trees), f"{place}: test")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise GoldenError(f"{place} is not whole: {error}. {_HELP}") from None
    return Details(steps, test)


def _whole(detail: Detail) -> dict[str, Json]:
    """The output takes the place of the artifacts, of which a step has none: it is cut to size like these."""
    made = detail.made_from
    return to_json(Provenance(made.code, made.data, detail.output, made.environment))


def _references(areas: Mapping[str, Json], trees: dict[str, Json]) -> dict[str, Json]:
    """Return the digests of the areas, whose trees are noted."""
    found: dict[str, Json] = {}
    for name in _AREAS:
        tree = areas[name]
        found[name] = None if tree is None else tree["digest"]
        if tree is not None:
            trees.setdefault(f"{name} {tree['digest']}", tree)
    return found


def _resolved(entry: Mapping[str, Json], trees: Mapping[str, Json]) -> dict[str, Json]:
    areas = {name: None if entry[name] is None else trees[f"{name} {entry[name]}"] for name in _AREAS}
    return {**areas, "commit": entry.get("commit", "unknown"), "dirty": entry.get("dirty")}


def _detail(entry: Mapping[str, Json], trees: Mapping[str, Json], place: str) -> Detail:
    whole = from_json(_resolved(entry, trees), place)
    return Detail(Provenance(whole.code, whole.data, None, whole.environment), whole.artifacts)
