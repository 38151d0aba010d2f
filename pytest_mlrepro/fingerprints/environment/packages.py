"""The installed packages of the modules that are loaded, with their versions.

`importlib.metadata` parses every package's metadata and takes 0.14 s for sixty packages. The folder names of the metadata
hold name and version, and lists of files are read only for modules that are called otherwise than their package.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final

from .facts import UNKNOWN, Fact
from .required import installed_version, normal

__all__ = ["is_tool", "package_facts", "required_facts"]

_TOOLING: Final = frozenset(
    {
        *("blake3", "click", "colorama", "coverage", "debugpy", "exceptiongroup", "execnet", "iniconfig", "ipykernel"),
        *("ipython", "markdown-it-py", "mdurl", "mypy", "pip", "pluggy", "py", "pydevd", "pygments", "pytest", "rich"),
        *("ruff", "setuptools", "syrupy", "tomli", "tomli-w", "tox", "typing-extensions", "wheel"),
    }
)
"""They find, run, time and show tests, or digest values: none takes part in a computation."""
_SEEDING: Final = frozenset({"pytest-mlrepro", "pytest-randomly", "pytest-random-order"})
"""Plugins that seed or order tests, and so can change numbers, unlike all others of pytest."""
_METADATA: Final = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(-[^-]+)*\.(dist|egg)-info")
_TOP: Final = re.compile(rb"^\"?([A-Za-z_]\w*)(?![\w-])", re.MULTILINE)
"""The first part of a path in a list of files, or a whole line of a list of modules; metadata folders have a hyphen."""
_GPU: Final = "nvidia-"
"""Packages of NVIDIA's libraries, which torch loads from their folders and not as modules."""


def package_facts() -> Iterator[Fact]:
    """Yield `package NAME` and its version for each installed package that has a module loaded."""
    found: dict[str, str] = {}
    for module in [name for name in sys.modules if "." not in name]:
        found.update(_packages(module))
    for name, version in found.items():
        yield Fact(f"package {name}", version, numeric=_numeric(name))


def required_facts(names: Collection[str]) -> Iterator[Fact]:
    """Yield the same for named packages and ours, which seeds, whether they are loaded or not; tools are left out."""
    for name in sorted(filter(_numeric, names)):
        yield Fact(f"package {name}", installed_version(name) or UNKNOWN)
    yield Fact("package pytest-mlrepro", _own_version())


def is_tool(name: str) -> bool:
    """Tell whether a package finds, runs, times or shows tests, so that its version can't change a result."""
    return not _numeric(normal(name))


def _numeric(name: str) -> bool:
    if name in _SEEDING:
        return True
    return name not in _TOOLING and not name.startswith("pytest-")


@cache  # the version that was loaded, also if another one is installed meanwhile
def _packages(top: str) -> dict[str, str]:
    """Return the packages, usually one, that the loaded module of this name comes from; none for the project's own."""
    if top == "pytest_mlrepro":
        return {"pytest-mlrepro": _own_version()}
    module = sys.modules.get(top)
    if top in sys.stdlib_module_names or not isinstance(module, ModuleType):
        return {}
    found: dict[str, str] = {}
    for folder in _folders(module):
        installed = _installed(*_stamped(folder))
        plain = normal(top)
        names = {plain} if plain in installed else _owners(*_stamped(folder)).get(top, frozenset())
        found.update({name: installed[name] for name in names})
        if "torch" in found:
            found.update({name: version for name, version in installed.items() if name.startswith(_GPU)})
    return found


def _own_version() -> str:
    """An editable install has its metadata elsewhere than its modules."""
    versions = (_installed(*_stamped(folder)).get("pytest-mlrepro") for folder in sys.path)
    return next(filter(None, versions), "not installed")


def _folders(module: ModuleType) -> set[str]:
    """Return the folders that the module was found in; a namespace package can have several."""
    places = list(getattr(module, "__path__", ())) or [getattr(module, "__file__", None)]
    return {os.path.dirname(place) for place in places if isinstance(place, str)}  # noqa: PTH120  # some hundred at once


def _stamped(folder: str) -> tuple[str, int]:
    """Return a folder with the time of its last change: something may be installed while a notebook runs."""
    try:
        return folder, os.stat(folder).st_mtime_ns  # noqa: PTH116
    except OSError:
        return folder, 0


@cache
def _installed(folder: str, stamp: int) -> dict[str, str]:
    """Return the version of each package whose metadata lies in the folder."""
    return {normal(match["name"]): match["version"] for match in _metadata(folder, stamp).values()}


@cache
def _metadata(folder: str, stamp: int) -> dict[Path, re.Match[str]]:
    try:
        with os.scandir(folder or ".") as entries:
            return {Path(entry.path): match for entry in entries if (match := _METADATA.fullmatch(entry.name))}
    except OSError:
        return {}


@cache
def _owners(folder: str, stamp: int) -> dict[str, frozenset[str]]:
    """Return which packages of the folder bring each top-level module, by their own lists of files."""
    found: dict[str, frozenset[str]] = {}
    for path, match in _metadata(folder, stamp).items():
        for top in _tops(path):
            found[top] = found.get(top, frozenset()) | {normal(match["name"])}
    return found


def _tops(metadata: Path) -> set[str]:
    for name in ("top_level.txt", "RECORD"):
        try:
            content = (metadata / name).read_bytes()
        except OSError:
            continue
        return {line.decode("utf-8", "replace") for line in set(_TOP.findall(content))}
    return set()
