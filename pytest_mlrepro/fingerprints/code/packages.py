"""Installed packages by name and version: what counts of code that nobody of the project works on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Final

from ...values.origins import module_namespace
from ..environment.required import normal

__all__ = ["Package", "is_local_copy", "packages_of"]

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One installed distribution."""

    name: str
    """Normalised: lower case, with hyphens."""
    version: str


@cache
def _distributions() -> dict[str, list[str]]:
    """Map top-level modules to distributions: reads every installed record, so it is done once and only if needed."""
    return {top: sorted(set(names)) for top, names in metadata.packages_distributions().items()}


@cache
def packages_of(module: str) -> tuple[Package, ...]:
    """Return the distributions that a module comes from: more than one only for a shared namespace.

    A module that no distribution claims goes by its own name and `__version__`.
    """
    top = module.partition(".")[0]
    names = _distributions().get(top, [])
    if len(names) > 1:
        names = [name for name in names if _holds(name, module)] or names
    if not names and _version(top) != UNKNOWN:  # an editable install lists no modules
        names = [top]
    if not names:
        version = (module_namespace(top) or {}).get("__version__")
        return (Package(top, version if isinstance(version, str) else UNKNOWN),)
    return tuple(sorted(Package(normal(name), _version(name)) for name in names))


@cache
def is_local_copy(module: str) -> bool:
    """Tell whether a module was installed from a folder of this machine, so that its version doesn't tell its code."""
    names = _distributions().get(module.partition(".")[0], [])
    return any(_from_folder(name) for name in names)


def _from_folder(name: str) -> bool:
    try:
        text = metadata.distribution(name).read_text("direct_url.json")
        return text is not None and "dir_info" in json.loads(text)
    except (metadata.PackageNotFoundError, ValueError, OSError, TypeError):
        return False


def _holds(name: str, module: str) -> bool:
    """Tell whether the files of a distribution lie where the module does."""
    stem = module.replace(".", "/")
    try:
        files = metadata.files(name) or []
    except metadata.PackageNotFoundError:
        return False
    return any(file.as_posix().startswith((f"{stem}/", f"{stem}.")) for file in files)


def _version(name: str) -> str:
    try:
        return metadata.version(name) or UNKNOWN
    except metadata.PackageNotFoundError:
        return UNKNOWN
