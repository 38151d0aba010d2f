"""What a golden was made from and what it says, in the plain terms that every export uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .._json import Json
from ..fingerprints.digest import Fingerprint
from ..golden.record import CONTRACT, DRIFT, RATCHET, RATE, Recorded
from ..golden.store import details_of, provenance_of
from ..provenance.record import AREAS, UNKNOWN, WRITTEN, Area, Provenance
from .names import clean
from .stock import Holding

__all__ = ["Made", "Thing", "check_kind", "made", "metrics"]

MOST_METRICS = 200
PACKAGE = "package "


@dataclass(frozen=True, slots=True)
class Thing:
    """A function, file, model, package or setting that a result was made from."""

    name: str
    kind: str
    digest: str
    text: str


@dataclass(frozen=True, slots=True)
class Made:
    """What all checks and steps of a golden were made from; each thing once, sorted by name."""

    code: tuple[Thing, ...]
    data: tuple[Thing, ...]
    artifacts: tuple[Thing, ...]
    environment: tuple[Thing, ...]
    packages: tuple[tuple[str, str], ...]
    """Names and versions."""
    commit: str | None
    dirty: bool | None


def made(held: Holding, root: Path) -> Made:
    """Return what a golden was made from; areas that were not recorded are empty."""
    folder = root / held.folder
    sources = [provenance_of(check, folder) for check in held.golden.checks.values()]
    if held.golden.details is not None:
        sources.append(details_of(held.golden, folder).test)
    code, environment = _things(sources, "code"), _things(sources, "environment")
    packages = {(thing.name.removeprefix(PACKAGE), thing.text) for thing in (*code, *environment) if _is_package(thing)}
    known = [source for source in sources if source.commit != UNKNOWN]
    return Made(
        code=tuple(thing for thing in code if not _is_package(thing)),
        data=_things(sources, "data"),
        artifacts=_things(sources, "artifacts"),
        environment=tuple(thing for thing in environment if not _is_package(thing)),
        packages=tuple(sorted(packages)),
        commit=known[-1].commit if known else None,
        dirty=known[-1].dirty if known else None,
    )


def _things(sources: list[Provenance], area: Area) -> tuple[Thing, ...]:
    assert area in AREAS
    trees = [tree for source in sources if (tree := source.area(area)) is not None]
    return tuple(
        sorted({_thing(name, part) for tree in trees for name, part in tree.parts if name != WRITTEN}, key=_order)
    )


def _thing(name: str, part: Fingerprint) -> Thing:
    return Thing(clean(name), part.kind, part.digest, clean(part.text))


def _order(thing: Thing) -> tuple[str, str, str]:
    return thing.name, thing.kind, thing.digest


def _is_package(thing: Thing) -> bool:
    return thing.name.startswith(PACKAGE)


def check_kind(check: Recorded) -> str:
    """Return what kind of check it is: a value within tolerances, a distribution, a baseline, a drift profile, a contract."""
    marks = {RATE: "distribution", RATCHET: "robustness", DRIFT: "drift", CONTRACT: "contract"}
    return next((kind for mark, kind in marks.items() if mark in check.tolerance), "value")


def metrics(held: Holding) -> Iterator[tuple[str, str]]:
    """Yield names and values, as text, of the plain numbers that are checked: losses, accuracies, counts."""
    found = (
        pair
        for name, check in held.golden.checks.items()
        if check_kind(check) == "value"
        for pair in _numbers(name, check.value)
    )
    for count, pair in enumerate(found):
        if count == MOST_METRICS:
            return
        yield pair


def _numbers(name: str, value: Json) -> Iterator[tuple[str, str]]:
    ((form, body),) = value.items()
    if form in ("float", "int"):
        yield clean(name) or "value", str(body)
    elif form == "group" and body["kind"] == "dict":
        for label, inner in body["parts"]:
            if isinstance(label, str):
                yield from _numbers(f"{name}.{label}" if name else label, inner)
