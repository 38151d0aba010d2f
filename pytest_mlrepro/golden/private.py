"""The folder `.mlrepro` below the root directory: proposals, caches and what is known of the last run, of this checkout alone."""

from __future__ import annotations

from pathlib import Path

from ..errors import GoldenError
from .files import write_whole

__all__ = ["private_folder"]


def private_folder(root: Path) -> Path:
    """Return the folder, made if need be, and kept out of version control."""
    folder = root / ".mlrepro"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GoldenError(f"can't make the folder {folder}: {error.strerror or error}") from error
    ignore = folder / ".gitignore"
    if not ignore.exists():
        write_whole(ignore, "# made by pytest-mlrepro: what lies here is for this checkout alone\n*\n")
    return folder
