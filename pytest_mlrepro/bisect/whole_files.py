"""Files as wholes, where no suspect carries the change: imports, settings and the order of a module are in no suspect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..provenance.git import read_git
from .old_files import OldFiles
from .source import Unsplicable
from .tree import Tree
from .units import Unit, put_back

__all__ = ["whole_files"]

_TEXTS: Final = (".md", ".rst")
_BOOKS: Final = frozenset({".gitignore", ".gitattributes", "LICENSE"})


def whole_files(tree: Tree, files: OldFiles, test_file: str, units: Sequence[Unit]) -> list[Unit]:
    """Return each file that differs from the old commit, whatever the suspects: imports and settings are in none of them."""
    commit, top = files.commits[0], tree.origin
    answer = read_git(
        top, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", commit, seconds=600
    )
    names = {raw.decode("utf-8", "surrogateescape") for raw in (answer or b"").split(b"\0") if raw}
    new = read_git(top, "ls-files", "-z", "--others", "--exclude-standard", seconds=600) or b""
    names |= {raw.decode("utf-8", "surrogateescape") for raw in new.split(b"\0") if raw.endswith(b".py")}
    made = []
    done = {path for unit in units for path, _ in unit.files}
    for path in sorted(names - done - {test_file}):
        old = files.at(commit, path)
        if not _is_book(path) and not old.trouble and old.data != tree.read(path):
            made.append(Unit(f"the file {path}", "", commit == files.sure or None, commit, files=((path, old.data),)))
    return [*made, *(unit for unit in units if unit.files or unit.variables)] if _is_news(made, units, tree) else []


def _is_news(files: list[Unit], units: Sequence[Unit], tree: Tree) -> bool:
    """Tell whether whole files are more than the suspects in them."""
    try:
        before = put_back(units, tree.read).files
    except Unsplicable:
        return True
    return any(before.get(path, b"") != data for unit in files for path, data in unit.files)


def _is_book(path: str) -> bool:
    """Tell whether a file is of goldens, or for people alone."""
    steps = path.split("/")
    return "__golden__" in steps or ".mlrepro" in steps or steps[-1] in _BOOKS or path.endswith(_TEXTS)
