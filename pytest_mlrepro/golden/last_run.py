"""What the last run of the tests found: which goldens no test needs any more, and which were held against a passing test.

`mlrepro prune` and `mlrepro status` go by it. It is written once at the end of a run, by the process that all others
report to, and taken away when a run begins: a run that was killed leaves no word. Read without numpy.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from blake3 import blake3

from .._json import Json, json_text
from .files import write_whole
from .private import private_folder

__all__ = ["LastRun", "Unneeded", "changed_evidence", "note_verified", "read_run", "unneeded", "verified", "write_run"]

RUN = "run.json"
VERIFIED = "verified.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Unneeded:
    """A golden that a complete run found to be obsolete, and the files that this rests on."""

    folder: str
    """Relative to the root directory, with slashes."""
    test: str
    seal: str
    why: str
    evidence: Mapping[str, str | None]
    """The test's file, the `conftest.py` and settings above it, by path relative to the root: BLAKE3, None for no file."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run."""

    began: float
    """Seconds since 1970."""
    ended: float
    partial: str
    """Why it was no complete run; "" if it was."""
    obsolete: tuple[Unneeded, ...] = ()


def unneeded(root: Path, folder: Path, test: str, file: Path, seal: str, why: str) -> Unneeded:
    """Return the entry of a golden that is obsolete as things are now."""
    files = {_relative(path, root): _digest(path) for path in _evidence(file, root)}
    return Unneeded(folder.relative_to(root).as_posix(), test, seal, why, files)


def changed_evidence(root: Path, entry: Unneeded) -> str | None:
    """Return the first file that is not as it was when the golden was found to be obsolete; None if all are."""
    return next((name for name, digest in entry.evidence.items() if _digest(root / name) != digest), None)


def _evidence(file: Path, root: Path) -> Iterator[Path]:
    yield file
    folder = file.parent
    while folder.is_relative_to(root):
        yield folder / "conftest.py"
        if folder == root:
            break
        folder = folder.parent
    yield from (root / name for name in ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"))


def _relative(path: Path, root: Path) -> str:
    text, start = os.fspath(path), os.path.join(root, "")  # noqa: PTH118  # for thousands of goldens
    below = text[len(start) :] if text.startswith(start) else os.path.relpath(path, root)
    return below.replace(os.sep, "/")


def _digest(path: Path) -> str | None:
    try:
        return blake3(path.read_bytes()).hexdigest()
    except OSError:
        return None


def write_run(root: Path, run: LastRun) -> None:
    """Write what the last run found, in one step."""
    write_whole(private_folder(root) / RUN, json_text({**asdict(run), "schema": SCHEMA}))


def read_run(root: Path) -> LastRun | None:
    """Return the last run; None if none is on record, or if the record can't be read, which proves as little."""
    data = _read(root / ".mlrepro" / RUN)
    try:
        found = tuple(Unneeded(**entry) for entry in data["obsolete"])
        return LastRun(float(data["began"]), float(data["ended"]), str(data["partial"]), found)
    except (KeyError, TypeError, ValueError):
        return None


def note_verified(root: Path, passed: Mapping[Path, tuple[str, float]], others: Collection[str]) -> None:
    """Note which goldens their tests passed with, and up to when these may have been written for that to hold.

    passed: the test's node id and seconds since 1970, by the golden's folder. others: node ids of tests that did not pass,
    of which nothing is known any more.
    """
    known = {folder: found for folder, found in _verified(root).items() if found[0] not in others}
    new = {_relative(folder, root): found for folder, found in passed.items()}
    data = {
        "schema": SCHEMA,
        "goldens": {**known, **new},
    }  # on one line, which takes a fifth of the time: nobody reads it
    write_whole(private_folder(root) / VERIFIED, json.dumps(data, sort_keys=True) + "\n")


def verified(root: Path) -> dict[Path, float]:
    """Return the folders of goldens that their tests last passed with, and up to when these may have been written."""
    return {root / folder: at for folder, (_, at) in _verified(root).items()}


def _verified(root: Path) -> dict[str, tuple[str, float]]:
    goldens = _read(root / ".mlrepro" / VERIFIED).get("goldens")
    try:
        return {folder: (str(nodeid), float(at)) for folder, (nodeid, at) in goldens.items()} if goldens else {}
    except (AttributeError, TypeError, ValueError):
        return {}


def _read(path: Path) -> dict[str, Json]:
    """Return what a file of ours holds; {} for none, one of another schema, or one that isn't whole."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        return {}
    return data
