"""Packages and all that they require: what can change the results of code that imports them, loaded by now or not."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement

__all__ = ["closure", "installed_version", "normal"]


def closure(names: Collection[str]) -> frozenset[str]:
    """Return the installed packages among `names` and what they require, without extras, in the index's spelling."""
    found: set[str] = set()
    todo = [normal(name) for name in names]
    while todo:
        name = todo.pop()
        if name not in found and installed_version(name) is not None:
            found.add(name)
            todo += _requires(name)
    return frozenset(found)


def normal(name: str) -> str:
    """Return the name of a package as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def installed_version(name: str) -> str | None:
    """Return the version of an installed package; None if it isn't one, or its metadata is damaged."""
    try:
        return metadata.version(name) or None
    except (metadata.PackageNotFoundError, KeyError):
        return None


@cache
def _requires(name: str) -> tuple[str, ...]:
    found = []
    for text in metadata.requires(name) or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # of an old package: what it means is not known
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found.append(normal(requirement.name))
    return tuple(found)
