"""The state of now, as a list of files: what git knows, what it doesn't know yet, and what is ignored but needed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ..errors import GoldenError
from ..provenance.git import read_git

__all__ = ["files_of_now"]

_NEEDED: Final = (".py", ".so", ".pyd", ".ini", ".toml", ".cfg", ".env", ".json", ".yaml", ".yml")
"""Ignored files that code may need, such as generated versions and compiled modules; data is named by the provenance."""
_LARGEST: Final = 64 * 2**20
_LEFT_OUT: Final = frozenset({".git", ".mlrepro", "__pycache__", "node_modules"})


def files_of_now(top: Path, *, named: Iterable[str] = ()) -> list[str]:
    """Return the paths (from the top, with slashes) of the files that make up the state of a work tree now.

    named: files and folders that count although git ignores them. Raises GoldenError if git doesn't answer.
    """
    found: dict[str, None] = dict.fromkeys(_listed(top, "--cached", "--others", "--exclude-standard"))
    for path in _listed(top, "--others", "--ignored", "--exclude-standard", "--directory"):
        whole = top / path
        if path.endswith(_NEEDED) and whole.is_file() and whole.stat().st_size <= _LARGEST:
            found[path] = None
    for name in named:
        found.update(dict.fromkeys(_below(top, name)))
    return [path for path in found if not _LEFT_OUT & set(path.split("/")[:-1]) and os.path.lexists(top / path)]


def _listed(top: Path, *how: str, below: str = "") -> Iterator[str]:
    answer = read_git(top / below, "ls-files", "-z", *how, seconds=600)
    if answer is None:
        raise GoldenError(f"git doesn't list the files of {top / below}: is the repository broken? See  git status")
    for raw in answer.split(b"\0"):
        path = below + raw.decode("utf-8", "surrogateescape")
        if not raw or path.endswith("/"):
            continue
        if (top / path).is_dir() and not (top / path).is_symlink():  # a submodule
            yield from _listed(top, *how, below=f"{path}/")
        else:
            yield path


def _below(top: Path, name: str) -> Iterator[str]:
    """Yield a file, or the files of a folder, if it lies in the tree."""
    whole = Path(os.path.normpath(top / name))
    if not whole.is_relative_to(top) or whole == top:
        return
    if whole.is_file():
        yield whole.relative_to(top).as_posix()
    elif whole.is_dir():
        yield from (path.relative_to(top).as_posix() for path in whole.rglob("*") if path.is_file())
