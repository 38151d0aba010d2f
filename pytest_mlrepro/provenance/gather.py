"""What one test is made from, gathered only when somebody asks: when its golden is recorded, and when a check differs.

A test that passes pays for none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from types import CodeType
from typing import Final

from ..errors import FingerprintError, UsageError
from ..fingerprints import Fingerprint, fingerprint
from ..fingerprints.code import RAN, codes_named, fingerprint_code, project_of
from ..fingerprints.combined import combined
from ..fingerprints.environment import fingerprint_environment, is_tool
from ..fingerprints.files import StatCache, declared_paths, fingerprint_artifact, fingerprint_path
from .git import GitState, git_state
from .record import UNKNOWN, WRITTEN, Area, Provenance

__all__ = ["Sources", "gather"]

_PACKAGE: Final = "package "
_ASKED: Final = "fingerprint"
_MODELS: Final = (
    *(".safetensors", ".onnx", ".pt", ".pth", ".ckpt", ".joblib", ".pkl", ".pickle", ".keras", ".pb", ".tflite"),
    *(".gguf", ".mlmodel", ".skops", ".npz"),
)
"""Endings of files that hold a fitted model rather than data; the area is for people, both are suspects."""


@dataclass
class Sources:
    """What is known of a test: where it lies, what it starts from and declares, and what was noticed while it ran."""

    root: Path
    base: Path
    """The folder of the test's file, from which declared paths start."""
    functions: tuple[object, ...] = ()
    """The test and its fixtures."""
    code: Sequence[object] = ()
    data: Sequence[object] = ()
    artifacts: Sequence[object] = ()
    golden_dir: str = "__golden__"
    """Where goldens lie: that they change makes no work tree dirty."""
    data_dirs: Sequence[Path] = ()
    """Folders outside of the root directory whose files count as data."""
    opened: Callable[[], tuple[Iterable[Path], Iterable[Path]] | None] = lambda: None
    """Files that were read and written so far; None if nobody looked."""
    ran: Callable[[], tuple[CodeType, ...] | None] = lambda: None
    asked: list[tuple[Area, str, Fingerprint]] = field(default_factory=list)
    """What the test had fingerprinted by itself."""
    named: list[Path] = field(default_factory=list)
    """Files among that: reading them for it is no use of them as data."""

    def declared(self) -> tuple[list[tuple[str, Path | object]], list[tuple[str, Path | object]]]:
        """Return declared data and artifacts by name: paths, and values; UsageError for a path that isn't there."""
        return self._named(self.data), self._named(self.artifacts)

    def _named(self, items: Sequence[object]) -> list[tuple[str, Path | object]]:
        found: list[tuple[str, Path | object]] = []
        for position, item in enumerate(items):
            if isinstance(item, str | os.PathLike):
                paths = declared_paths(item, base=self.base, root=self.root)
                found += [(self.name(path, name), path) for name, path in paths]
            else:
                found.append((f"declared [{position}]", item))
        return found

    def path(self, given: str | os.PathLike[str]) -> Path:
        """Return the one file or folder that a path means; raise UsageError for none, and for a pattern that has several."""
        found = declared_paths(given, base=self.base, root=self.root)
        if len(found) > 1:
            raise UsageError(f"{os.fspath(given)!r} means {len(found)} files: name one, or their folder")
        self.named.append(found[0][1])
        return found[0][1]

    def fingerprint(self, item: Path | object, area: Area) -> Fingerprint:
        """Return the fingerprint of data or of an artifact, by path or as a value."""
        if not isinstance(item, Path):
            return fingerprint(item)
        return (fingerprint_artifact if area == "artifacts" else fingerprint_path)(item, cache=self.cache)

    def ask(self, area: Area, name: str | None, part: Fingerprint) -> None:
        """Note a fingerprint that the test asked for; without a name it gets a number among those of its area."""
        if name is None:
            known = sum(where == area and other.startswith(_ASKED) for where, other, _ in self.asked)
            name = f"{_ASKED} [{known + 1}]" if known else _ASKED
        self.asked.append((area, name, part))

    @cached_property
    def cache(self) -> StatCache:
        """What is known of files that haven't changed."""
        return StatCache(self.root / ".mlrepro" / "cache")

    def name(self, path: Path, otherwise: str | None = None) -> str:
        """Return how a file is called on every machine: relative to the root directory or its data folder, with slashes."""
        whole = Path(os.path.abspath(path))  # noqa: PTH100  # links stay as they are spelled
        if whole.is_relative_to(self.root):
            return whole.relative_to(self.root).as_posix()
        for folder in self.data_dirs:
            if whole.is_relative_to(folder):
                return f"{folder.name}/{whole.relative_to(folder).as_posix()}"
        return otherwise or whole.name


def gather(sources: Sources, then: Provenance | None = None) -> Provenance:
    """Return what a test is made from, as it is now.

    then: what it was made from when it was recorded. Functions that ran at that time are looked up by their names, since
    what runs is noted only while a golden is recorded.

    Raises UsageError for a declared path that isn't there, and FingerprintError for declared data that has no
    fingerprint. What was only noticed never stops a test: a file that can't be read is a part that says so, and code
    that can't be understood is unknown.
    """
    code = _code(sources, then)
    data, artifacts = _files(sources)
    sources.cache.save()
    state = _git(sources.root, sources.golden_dir)
    return Provenance(
        code, data, artifacts, _environment(code), state.commit if state else UNKNOWN, state.dirty if state else None
    )


@lru_cache(maxsize=4)
def _git(root: Path, golden_dir: str) -> GitState | None:
    """Asked once in a run: recording itself changes goldens, which don't count, and nobody else should meanwhile."""
    return git_state(root, exclude=(f"**/{golden_dir}/**",))


def _code(sources: Sources, then: Provenance | None) -> Fingerprint | None:
    roots = [*sources.functions, *sources.code]
    if not roots:
        return None
    ran = sources.ran()
    if ran is None and then is not None:
        ran = _ran_then(then)
    folders = {sources.root, *(project_of(function) for function in sources.functions)}
    try:
        whole = fingerprint_code(roots, project=sorted(folders), ran=ran)
    except FingerprintError:
        return None
    asked = [(name, part) for area, name, part in sources.asked if area == "code"]
    kept = [(name, part) for name, part in whole.parts if not _is_tool(name)]
    known = {name for name, _ in kept}
    return combined("code", kept + [part for part in asked if part[0] not in known])


def _ran_then(then: Provenance) -> tuple[CodeType, ...] | None:
    for name, part in then.code.parts if then.code else ():
        if name == RAN:
            return codes_named(name for name, _ in part.parts)
    return None


def _is_tool(name: str) -> bool:
    return name.startswith(_PACKAGE) and is_tool(name.removeprefix(_PACKAGE))


def _environment(code: Fingerprint | None) -> Fingerprint:
    """Return the environment as far as the code uses it: what other tests have imported must leave no trace."""
    if code is None:
        return fingerprint_environment()
    names = [name.removeprefix(_PACKAGE) for name, _ in code.parts if name.startswith(_PACKAGE)]
    return fingerprint_environment(names)


def _files(sources: Sources) -> tuple[Fingerprint | None, Fingerprint | None]:
    """Return data and artifacts: declared, noticed and asked for; None where nothing was declared and nobody looked."""
    data, artifacts = sources.declared()
    parts: dict[Area, dict[str, Fingerprint]] = {
        "data": {name: sources.fingerprint(item, "data") for name, item in data},
        "artifacts": {name: sources.fingerprint(item, "artifacts") for name, item in artifacts},
    }
    opened = sources.opened()
    covered = [*sources.named, *(item for _, item in (*data, *artifacts) if isinstance(item, Path))]
    for path in opened[0] if opened else ():
        if not any(path == item or path.is_relative_to(item) for item in covered):
            area: Area = "artifacts" if path.name.lower().endswith(_MODELS) else "data"
            parts[area][sources.name(path)] = _noticed(path, sources, area)
    for where, name, part in sources.asked:
        if where in parts:
            parts[where][name] = part
    written = [(sources.name(path), _noticed(path, sources, "artifacts")) for path in (opened[1] if opened else ())]
    if written:
        parts["artifacts"][WRITTEN] = combined(WRITTEN, sorted(written, key=_by_name))
    return tuple(  # type: ignore[return-value]  # two of them
        combined(name, sorted(found.items(), key=_by_name)) if found or opened is not None else None
        for name, found in parts.items()
    )


def _by_name(part: tuple[str, Fingerprint]) -> str:
    return part[0]


def _noticed(path: Path, sources: Sources, area: Area) -> Fingerprint:
    try:
        return sources.fingerprint(path, area)
    except FingerprintError as error:
        unreadable = fingerprint("unreadable")
        return Fingerprint(unreadable.digest, "unreadable", text=str(error))
