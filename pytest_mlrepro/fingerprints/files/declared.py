"""What a test says that it depends on, `data=` and `artifacts=` of its marker, as named fingerprints."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...errors import UsageError
from .folders import SKIPPED
from .pieces import failure, shown

__all__ = ["declared_paths"]


def declared_paths(item: str | os.PathLike[str], *, base: Path, root: Path | None = None) -> list[tuple[str, Path]]:
    """Return names and paths of the files and folders that one declared string or path means.

    A path is relative to `base` (the folder of the test's file) and, where there is none, to `root`. A string with `*`, `?` or
    `[` that is no such name is a pattern: all it matches in `base`, or if that is nothing in `root`, sorted; `**` matches
    folders on the way, and then files alone count. As in a shell, patterns leave out names that begin with a dot.

    Names are as they were written, with slashes, and relative to `base` where what was written is absolute and below
    `base` or `root`; of other absolute paths the last part. Raises UsageError for a path that isn't there and a pattern that
    matches nothing.
    """
    given = os.fspath(item)
    if not isinstance(given, str) or not given or "\0" in given:
        raise UsageError(f"declared path {given!r}: expected the path of a file or folder, or a pattern")
    places = [base] if root is None or root == base else [base, root]
    for place in places:
        whole = place / given
        if _is_there(whole):
            return [(_name(given, whole, places), whole)]
    if glob.has_magic(given):
        for place in places:
            if matches := list(_matches(given, place)):
                return [(_name(match, place / match, places), place / match) for match in matches]
    what = "matches nothing" if glob.has_magic(given) else "doesn't exist"
    where = " and ".join(shown(str(place)) for place in places)
    raise UsageError(f"declared path {given!r} {what}: looked in {where}. Correct it in the marker, or create the file")


def _is_there(path: Path) -> bool:
    """A dangling link is there, and so is what may not be looked at: each is an error of its own."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise failure(str(path), error) from error
    return True


def _matches(pattern: str, place: Path) -> Iterator[str]:
    recursive = "**" in pattern
    literal = _written_out(pattern)
    for match in sorted(set(glob.glob(pattern, root_dir=place, recursive=True)), key=os.fsencode):  # noqa: PTH207
        beyond = Path(match).parts[len(Path(literal).parts) :]
        if SKIPPED.isdisjoint(beyond) and not (recursive and (place / match).is_dir()):
            yield match


def _written_out(pattern: str) -> str:
    """Return the folders of a pattern that are written out."""
    parts = []
    for part in Path(pattern).parts:
        if glob.has_magic(part):
            break
        parts.append(part)
    return os.path.join(*parts) if parts else ""  # noqa: PTH118


def _name(given: str, whole: Path, places: Sequence[Path]) -> str:
    if not os.path.isabs(given):  # noqa: PTH117
        return shown(Path(os.path.normpath(given)).as_posix())
    for place in places:
        if whole.is_relative_to(place):
            return shown(Path(os.path.relpath(whole, places[0])).as_posix())
    return shown(whole.name) or shown(whole.as_posix())
