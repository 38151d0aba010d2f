"""The project's code behind a result as it is written at one moment, kept with a proposal so that it can be asked later
whether the code is still the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from .._json import Json
from ..fingerprints import Fingerprint
from ..fingerprints.code import RAN
from ..fingerprints.code.written import place_of, qualname_in, written_digest
from .words import plain

__all__ = ["Written", "changed_code", "checked", "written_code"]

Written = Mapping[str, Mapping[str, str]]
"""By path below the root directory, the digest of each definition by its qualified name."""


def written_code(code: Fingerprint | None, root: Path) -> dict[str, dict[str, str]]:
    """Return the definitions that a code fingerprint has, as their files below `root` hold them now.

    Code that lies elsewhere, or that was made while the program ran, is left out.
    """
    found: dict[str, dict[str, str]] = {}
    for path, qualname in _places(code):
        digest = written_digest(root / path, qualname) if _is_inside(path) else None
        if digest is not None:
            found.setdefault(path, {})[qualname] = digest
    return found


def changed_code(written: Written, root: Path) -> list[str]:
    """Return what is written otherwise by now, in words: functions, classes and constants with their files, or whole files."""
    changed = []
    for path, definitions in sorted(written.items()):
        if not _is_inside(path) or not (root / path).is_file():
            changed.append(f"{plain(path)} is gone")
            continue
        for qualname, digest in sorted(definitions.items()):
            now = written_digest(root / path, qualname)
            if now != digest:
                what = "changed" if now else "is gone"
                changed.append(f"{plain(_title(path, qualname))} {what} ({plain(path)})")
    return changed


def checked(data: Json) -> dict[str, dict[str, str]]:
    """Return what a file holds of it; raise ValueError for what is none."""
    if not isinstance(data, dict) or not all(isinstance(definitions, dict) for definitions in data.values()):
        raise ValueError("'code' is no mapping of files to definitions")
    if not all(isinstance(digest, str) for definitions in data.values() for digest in definitions.values()):
        raise ValueError("'code' holds what is no digest")
    return data


def _places(code: Fingerprint | None) -> Iterator[tuple[str, str]]:
    for name, part in code.parts if code else ():
        inner = part.parts if name == RAN else ((name, part),)
        for one, piece in inner:
            path = place_of(piece.text)
            qualname = qualname_in(path, one.removeprefix("ran/").removeprefix("ran."))
            if path.endswith(".py") and qualname:
                yield path, qualname


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts and ":" not in path[:2]


def _title(path: str, qualname: str) -> str:
    """Return `train.fit_head`."""
    steps = PurePosixPath(path).with_suffix("").parts
    return f"{(steps[:-1] if steps[-1:] == ('__init__',) and len(steps) > 1 else steps)[-1]}.{qualname}"
