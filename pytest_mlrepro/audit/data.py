"""The data and models that goldens were made from, for an archive: only files that are still what they were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import MlreproError
from ..fingerprints.anything import fingerprint
from .facts import Made, Thing

__all__ = ["Copies", "copies"]

FILES = ("file", "folder", "artifact")


@dataclass(frozen=True, slots=True)
class Copies:
    """Which files go into an archive, and what does not, with the reason."""

    files: dict[str, Path]
    """Where they are, by their path in the archive."""
    names: dict[str, str]
    """Path in the archive of what is one file, by its name in the provenance."""
    left_out: tuple[str, ...]


def copies(sources: list[Made], root: Path) -> Copies:
    """Return what to copy of all data and artifacts that goldens were made from."""
    files: dict[str, Path] = {}
    names: dict[str, str] = {}
    left: dict[str, str] = {}
    for thing in sorted({thing for source in sources for thing in (*source.data, *source.artifacts)}, key=str):
        reason = _reason(thing, root)
        if reason:
            left[thing.name] = f"{thing.name}: {reason}"
            continue
        place = root / thing.name
        for path in [place] if place.is_file() else _below(place):
            files[f"data/{path.relative_to(root).as_posix()}"] = path
        if place.is_file():
            names[thing.name] = f"data/{place.relative_to(root).as_posix()}"
    return Copies(files, names, tuple(left[name] for name in sorted(left)))


def _reason(thing: Thing, root: Path) -> str:
    """Return why something can't be archived; "" if it can."""
    if not thing.kind.startswith(FILES):
        return f"it is a value ({thing.kind}), no file"
    if PurePosixPath(thing.name).is_absolute() or ".." in PurePosixPath(thing.name).parts:
        return "it lies outside of the root directory"
    path = root / thing.name
    if not path.exists():
        return "it is no longer there"
    try:
        now = fingerprint(path)
    except MlreproError as error:
        return f"it can't be read: {error}"
    return "" if now.digest == thing.digest else "it was changed since the golden was recorded"


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
