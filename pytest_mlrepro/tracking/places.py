"""Which of the opened files are data: those of the project and its data folders that no tool keeps for itself."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

__all__ = ["Places"]

_TOOLS: Final = frozenset(
    (
        *(".git", ".hg", ".svn", ".mlrepro", "__golden__", "__pycache__", ".pytest_cache", ".hypothesis"),
        *(".mypy_cache", ".ruff_cache", ".tox", ".nox", ".venv", "venv", "site-packages", "dist-packages"),
        *(".idea", ".vscode", ".ipynb_checkpoints", "node_modules"),
    )
)
_CODE: Final = (".py", ".pyc", ".pyo", ".pyi", ".pyd", ".so", ".dll", ".dylib", ".pth", ".coverage")
"""Endings of files that are counted as code or by their package's version, or that a tool writes."""


class Places:
    """The folders whose files count, and folders inside them whose files don't; the innermost one decides."""

    def __init__(self, roots: Iterable[Path], excluded: Iterable[Path]) -> None:
        tools = (Path(tempfile.gettempdir()), Path(sys.prefix))
        folders = {name: False for folder in (*tools, *excluded) for name in _names(folder)}
        folders |= {name: True for folder in roots for name in _names(folder)}
        self._folders = sorted(folders.items(), key=lambda item: -len(item[0]))

    def find(self, path: str | bytes, folder: str) -> str | None:
        """Return the whole path of a file that counts, by the name that it was opened by; else None."""
        given = os.fsdecode(path)
        if given.endswith(_CODE):
            return None
        whole = os.path.join(folder, given)  # noqa: PTH118  # strings: there may be thousands
        # The way up from a link leads elsewhere than its text says.
        whole = os.path.realpath(whole) if f"{os.sep}.." in whole else os.path.abspath(whole)  # noqa: PTH100
        if not self._holds(whole):
            whole = os.path.realpath(whole)
            if not self._holds(whole):
                return None
        return whole if os.path.isfile(whole) else None  # noqa: PTH113

    def _holds(self, whole: str) -> bool:
        for folder, counts in self._folders:
            if whole.startswith(folder):
                return counts and _TOOLS.isdisjoint(Path(whole[len(folder) :]).parts)
        return False


def _names(folder: Path) -> Iterator[str]:
    """A folder as it is called and as it is found when links are followed; nothing for a folder without a name."""
    for name in {os.path.abspath(folder), os.path.realpath(folder)}:  # noqa: PTH100
        yield name.rstrip(os.sep) + os.sep
