"""Goldens that no test needs any more: listed from what the last run found, looked at again, and removed only on demand."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import GoldenError
from . import history
from .files import OURS
from .last_run import LastRun, Unneeded, changed_evidence, read_run
from .layout import is_leaf
from .pending import withdraw
from .private import private_folder
from .record import FILE
from .store import load
from .timings import TIMINGS

__all__ = ["Listing", "listing", "remove"]

CONTRACT = re.compile(r"[a-z0-9_-]{1,40}-[0-9a-f]{8}\.toml")


@dataclass(frozen=True, slots=True)
class Listing:
    """What may be removed, and what was obsolete in the last run and is to stay, with the reason."""

    run: LastRun | None
    obsolete: tuple[Unneeded, ...] = ()
    kept: tuple[tuple[Unneeded, str], ...] = ()


def listing(root: Path) -> Listing:
    """Return what the last run found to be obsolete, as far as that still holds; nothing unless that run was complete."""
    run = read_run(root)
    if run is None or run.partial:
        return Listing(run)
    judged = [(entry, _why_kept(root, entry)) for entry in run.obsolete]
    return Listing(
        run,
        tuple(entry for entry, why in judged if not why),
        tuple((entry, why) for entry, why in judged if why and why != "gone"),
    )


def _why_kept(root: Path, entry: Unneeded) -> str:
    """Return why a golden is not to be removed; "" if nothing speaks against it."""
    path = PurePosixPath(entry.folder)
    folder = root / path
    if path.is_absolute() or ".." in path.parts or not is_leaf(folder.name):
        return "its place is none of a golden"
    if not folder.is_dir():
        return "gone"
    if folder.is_symlink() or not folder.resolve().is_relative_to(root.resolve()):
        return "it lies outside of the root directory, behind a link"
    try:
        golden = load(folder)
    except GoldenError as error:
        return f"it is damaged: {error}"
    if golden is None or golden.seal != entry.seal:
        return "it was recorded anew since the run"
    if golden.variant:
        return "it is of a variant"
    changed = changed_evidence(root, entry)
    if changed is not None:
        return f"{changed} has changed since the run: run all tests again"
    foreign = _foreign(folder)
    return f"its folder holds {foreign}, which no golden writes: move it first" if foreign else ""


def _foreign(folder: Path) -> str | None:
    for name in sorted(os.listdir(folder)):  # noqa: PTH208  # names only
        ours = name in (FILE, history.FILE, TIMINGS) or OURS.fullmatch(name) or CONTRACT.fullmatch(name)
        if not ours or not (folder / name).is_file():
            return name
    return None


def remove(root: Path, entry: Unneeded) -> None:
    """Remove a golden and the proposal for it: its folder goes away in one step, so that no half of a golden is left.

    Raises GoldenError if it is no longer obsolete, or can't be removed.
    """
    why = _why_kept(root, entry)
    if why:
        raise GoldenError(f"{entry.folder} stays: {why}")
    folder = root / entry.folder
    withdraw(root, folder)
    doomed = private_folder(root) / f"pruned-{os.getpid()}-{folder.name}"
    try:
        folder.rename(doomed)
        shutil.rmtree(doomed)
        _drop_empty(folder.parent, root)
    except OSError as error:
        raise GoldenError(f"can't remove {folder}: {error.strerror or error}") from error


def _drop_empty(folder: Path, root: Path) -> None:
    """Remove the folder of a module without goldens, and that of all goldens if it is empty then."""
    for empty in (folder, folder.parent):
        if empty == root or any(empty.iterdir()):
            return
        empty.rmdir()
