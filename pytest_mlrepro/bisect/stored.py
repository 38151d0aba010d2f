"""The large arrays of a project as its copy finds them: where they lie, not where a path from the copy would lead."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ..golden.objects import Objects
from ..golden.stores import FolderStore

__all__ = ["lend", "store_arguments"]


def store_arguments(root: Path) -> tuple[str, ...]:
    """Return what pytest must be told in a copy of the project in `root`."""
    store = Objects.near(root).store
    return ("-o", f"mlrepro_store={store.folder}") if isinstance(store, FolderStore) else ()


def lend(root: Path, copy: Path) -> None:
    """Let the copy use what this checkout has fetched already; it loses that with whatever else a try leaves behind."""
    cache = Objects.near(root).cache
    there = copy / ".mlrepro" / cache.name
    if cache.is_dir() and not there.exists():
        with contextlib.suppress(OSError):  # without the link, arrays are fetched again
            there.parent.mkdir(exist_ok=True)
            there.symlink_to(cache, target_is_directory=True)
