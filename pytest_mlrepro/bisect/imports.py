"""Where the project's modules are imported from, as seen from its copy, so that the copy wins over an editable install."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

__all__ = ["python_path", "strangers"]

_PROBE: Final = """
import json, sys
found = [[entry, ""] for entry in sys.path if entry]
for name, module in list(sys.modules.items()):
    if name.startswith("__editable__"):
        found += [[path, package] for package, path in getattr(module, "MAPPING", {}).items()]
print(json.dumps(found))
"""
_ORIGINS: Final = """
import importlib.util, json, sys
found = []
for name in sys.argv[1:]:
    try:
        spec = importlib.util.find_spec(name)
    except Exception:  # a package above it runs when it is looked for, and may raise anything
        continue
    places = [spec.origin] if spec and spec.has_location else list(spec.submodule_search_locations or []) if spec else []
    found += [[name, place] for place in places if place]
print(json.dumps(found))
"""


def strangers(names: Iterable[str], cwd: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Yield where modules at the top would be imported from in a run with this environment; nothing is imported."""
    for name, place in _asked(_ORIGINS, sorted(names), cwd, environment):
        yield name, Path(os.path.normpath(cwd / place))


def python_path(
    origin: Path, top: Path, cwd: Path, environment: Mapping[str, str], parts: Iterable[tuple[str, str]], prefix: str
) -> str:
    """Return the PYTHONPATH for a run in the copy `top` of `origin`: the same folders, those of the project in the copy.

    parts: module-qualified names and places (`src/pkg/train.py:41`) of the code that the test was seen to reach, which
    tell from which folders it was imported. `prefix` is the way from the top to the root directory of the tests.
    """
    seen: dict[str, None] = {}
    for entry in environment.get("PYTHONPATH", "").split(os.pathsep):
        if entry:
            seen[_mapped(cwd / entry, origin, top)] = None
    for folder in _installed(cwd, environment):
        if folder.is_relative_to(origin):
            seen[_mapped(folder, origin, top)] = None
    for root in _seen(parts):
        seen[str(top / prefix / root)] = None
    return os.pathsep.join(seen)


def _mapped(folder: Path, origin: Path, top: Path) -> str:
    whole = Path(os.path.normpath(folder))
    return str(top / whole.relative_to(origin)) if whole.is_relative_to(origin) else str(whole)


def _installed(cwd: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folders that Python itself would import from: of links and finders of editable installs, too."""
    for place, package in _asked(_PROBE, [], cwd, environment):
        folder = Path(os.path.normpath(cwd / place))
        steps = tuple(package.split(".")) if package else ()
        tail = folder.with_suffix("").parts[len(folder.parts) - len(steps) :] if steps else ()
        if tail == steps and not {"site-packages", "dist-packages"} & set(folder.parts):
            yield folder.parents[len(steps) - 1] if steps else folder


def _asked(code: str, arguments: list[str], cwd: Path, environment: Mapping[str, str]) -> list[list[str]]:
    """Return what a small program prints, run by this Python; [] if it fails, as under a broken hook."""
    try:
        done = subprocess.run(  # noqa: S603  # our own Python
            [sys.executable, "-c", code, *arguments],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=True,
        )
        found: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return []
    return found


def _seen(parts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the folders that modules lie in, by their names and places."""
    for name, place in parts:
        path = PurePosixPath(place.partition(" (")[0].rpartition(":")[0])
        if path.suffix != ".py":
            continue
        steps = path.with_suffix("").parts
        steps = steps[:-1] if steps[-1] == "__init__" else steps
        words = tuple(name.split("."))
        count = next((n for n in range(min(len(steps), len(words) - 1), 0, -1) if words[:n] == steps[-n:]), 0)
        if count:
            yield PurePosixPath(*steps[:-count]).as_posix()
