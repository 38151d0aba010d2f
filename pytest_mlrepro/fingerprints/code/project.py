"""Which code is the project's own, and how its places are written: the same on every machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from ...errors import UsageError
from ...values.origins import module_file, module_namespace, origin_of_file
from .packages import is_local_copy

__all__ = ["Project", "project_of"]

_MARKS: Final = ("pyproject.toml", "setup.py", "setup.cfg", "pytest.ini", "tox.ini", ".git", ".hg")
_SITES: Final = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True)
class Project:
    """The folders of a project, and what counts as source that is looked at."""

    roots: tuple[str, ...]
    spelled: tuple[str, ...] = ()
    """The roots as they were given, which may lead through links."""

    @classmethod
    def at(cls, project: Path | str | Sequence[Path | str]) -> Project:
        """Return the project of one folder or several."""
        folders = [project] if isinstance(project, str | os.PathLike) else list(project)
        if not folders:
            raise UsageError("project is empty; give the folder, or the folders, that hold the project's code")
        spelled = tuple(str(Path.cwd() / folder) for folder in folders)
        return _project(tuple(os.path.realpath(folder) for folder in folders), spelled)

    @cached_property
    def _known(self) -> dict[str, bool]:
        return {}

    @cached_property
    def _inside(self) -> dict[str, str | None]:
        return {}

    def holds(self, filename: str, module: str) -> bool:
        """Tell whether code counts by its source: the project's, and any other that is known by no version.

        That is what is neither Python's nor installed from an index: an editable install, or one from a folder.
        """
        found = self._known.get(filename)
        if found is None:
            found = self._known[filename] = self._holds(filename, module)
        return found

    def _holds(self, filename: str, module: str) -> bool:
        origin = origin_of_file(filename)
        if origin == "installed":
            ours = module.partition(".")[0] == __name__.partition(".")[0]
            return self._below(filename) is not None or (not ours and is_local_copy(module))
        return origin == "source"

    def holds_file(self, filename: str) -> bool:
        """Tell the same of a file without asking the records of what is installed; never raises.

        Code of no file was generated, but for what was typed into IPython.
        """
        if filename.startswith("<") and not filename.startswith("<ipython-input"):
            return False
        try:
            return origin_of_file(filename) == "source" or self._below(filename) is not None
        except (OSError, ValueError):
            return False

    def holds_module(self, name: str) -> bool:
        """Tell whether a loaded module counts by its source."""
        filename = module_file(module_namespace(name))
        if filename is None:
            return name == "__main__" or name not in sys.modules
        return self.holds(filename, name)

    def _below(self, filename: str) -> str | None:
        """Return a path relative to the root that holds it; None outside, and for what is installed inside."""
        if filename not in self._inside:
            self._inside[filename] = self._find(filename)
        return self._inside[filename]

    def _find(self, filename: str) -> str | None:
        real = os.path.realpath(filename)
        for root in self.roots:
            if real.startswith(root + os.sep):
                relative = Path(real).relative_to(root)
                return relative.as_posix() if _SITES.isdisjoint(relative.parts) else None
        return None

    def place(self, filename: str, module: str, line: int) -> str:
        """Return `relative/path.py:41`; outside of the project the path is that of the module."""
        below = self._below(filename)
        if below is None:
            exists = filename.endswith(".py") and module != "__main__"
            last = "/__init__.py" if filename.endswith("__init__.py") else ".py"
            below = module.replace(".", "/") + last if exists else module
        return f"{below}:{line}"

    def relative(self, text: str) -> str | None:
        """Return an absolute path inside the project as it is on every machine; None for other text."""
        for folder in (*self.roots, *self.spelled):
            if text == folder or text.startswith((folder + os.sep, folder + "/")):
                return "<project>" + text[len(folder) :].replace(os.sep, "/")
        return None


@lru_cache(maxsize=16)  # what it learns of files serves the next test
def _project(roots: tuple[str, ...], spelled: tuple[str, ...]) -> Project:
    return Project(roots, spelled)


def project_of(value: object) -> Path:
    """Return the folder of the project that a function, class or module belongs to.

    That is the nearest folder above its file with `pyproject.toml`, `setup.py`, `.git` or their like, else the
    folder of the file; the current folder for what has no file, as in a notebook.
    """
    filename = _file_of(value)
    if filename is None or not os.path.isfile(filename):  # noqa: PTH113
        return Path.cwd()
    folder = Path(os.path.realpath(filename)).parent
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in _MARKS):
            return candidate
    return folder


def _file_of(value: Any) -> str | None:
    """Return the file of an object, going through methods, partials and wrappers."""
    for _ in range(100):
        inner = (
            getattr(value, "__wrapped__", None) or getattr(value, "__func__", None) or getattr(value, "func", None)
        )  # fmt: skip
        if inner is None:
            break
        value = inner
    code = getattr(value, "__code__", None)
    if code is not None:
        return str(code.co_filename)
    name = getattr(value, "__name__", "") if isinstance(value, type(sys)) else getattr(value, "__module__", "")
    return module_file(module_namespace(name)) if isinstance(name, str) else None
