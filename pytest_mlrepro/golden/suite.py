"""What all goldens below the root directory have in common: where they lie, and how many metrics share a false-alarm rate.

Read without numpy, since a run counts before it knows whether any of its tests needs it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from .._json import Json
from .layout import is_leaf

__all__ = ["KIND", "SKIPPED", "golden_folders", "metrics_of_group", "metrics_recorded"]

GOLDEN = "golden.json"
HISTORY = "history.jsonl"
KIND = "distribution"
SKIPPED = {".git", ".mlrepro", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache"}


def golden_folders(root: Path) -> Iterator[Path]:
    """Yield the folders of all goldens below `root`, also those whose recording was interrupted.

    The folder's name tells: a `history.jsonl` elsewhere is somebody's training log.
    """
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in SKIPPED)
        path = Path(folder)
        if is_leaf(path.name) and (GOLDEN in files or HISTORY in files):
            yield path


def metrics_recorded(root: Path) -> dict[Path, int]:
    """Return how many metrics the distribution checks of each golden below `root` have, goldens with none left out.

    Counted over what is recorded, not over what a run comes to: so the verdict of a check depends neither on `-k` nor on
    the order of tests nor on how many processes run them. A golden that can't be read counts for nothing here.
    """
    found = {folder: _metrics(folder / GOLDEN) for folder in golden_folders(root)}
    return {folder: count for folder, count in found.items() if count}


def _metrics(path: Path) -> int:
    try:
        data = path.read_bytes()
        if f'"{KIND}"'.encode() not in data:
            return 0
        checks = json.loads(data)["checks"].values()
        return sum(metrics_of_group(check["value"].get("group", {})) for check in checks)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return 0


def metrics_of_group(group: Json) -> int:
    """Return how many metrics a group holds as it lies in `golden.json`; 0 for one that is no distribution."""
    if group.get("kind") != KIND:
        return 0
    (_, _), (_, values) = group["parts"]
    return len(values["group"]["parts"]) if "group" in values else 1
