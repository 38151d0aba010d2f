"""Counterexamples on disk, for the next run to try first: a bounded number, and nothing that could be executed.

All of them are floats. In a row of a table, each category is a number that stands for its content (`columns.number_of`),
since its code depends on the rows that it was met with; a run that knows no such category leaves the row out.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from .attacks.replay import content_keys
from .inputs import Floats
from .report import RobustnessReport, by_size

__all__ = ["MOST", "load", "points_of", "save"]

MOST: Final = 256
"""So many counterexamples are kept of one check."""
BYTES: Final = 1 << 26
"""A file that is larger was not written here."""


def points_of(report: RobustnessReport) -> dict[int, Floats]:
    """Return the counterexamples of a report by the content of their samples, the smallest first."""
    near = by_size(report.counterexamples)[:MOST]
    if not near:
        return {}
    form = near[0].form
    keys = content_keys(form.portable(np.stack([example.original for example in near])))
    return dict(zip(keys, form.portable(np.stack([example.perturbed for example in near])), strict=True))


def save(file: Path, points: Mapping[int, Floats], *, ignored: bool = True) -> None:
    """Write them, whole or not at all; where nothing can be written, nothing is kept.

    ignored: keep the folder out of version control.
    """
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        ignore = file.parent / ".gitignore"
        if ignored and not ignore.exists():
            ignore.write_text(
                "# counterexamples that the next run tries first: may be removed at any time\n*\n", "utf-8"
            )
        _write(file, points)


def _write(file: Path, points: Mapping[int, Floats]) -> None:
    keys = sorted(points)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "wb") as out:
        np.savez(out, keys=np.array(keys, np.uint64), points=np.stack([points[key] for key in keys]))
    Path(name).chmod(0o644)  # it was made for its owner alone
    Path(name).replace(file)


def load(file: Path) -> dict[int, Floats]:
    """Return what was kept; nothing where there is no file, or one that isn't of our making."""
    try:
        if file.stat().st_size > BYTES:
            return {}
        with np.load(file, allow_pickle=False) as held:
            keys, points = held["keys"], held["points"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    if keys.ndim != 1 or len(keys) != len(points) or points.dtype.kind != "f" or len(keys) > MOST:
        return {}
    return dict(zip(keys.tolist(), points, strict=True))
