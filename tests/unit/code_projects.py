"""Small projects, written to a folder of their own and imported anew: what a code fingerprint of them says."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from types import ModuleType

from pytest_mlrepro.fingerprints import Fingerprint
from pytest_mlrepro.fingerprints.code import fingerprint_code

_COUNT = itertools.count()
Files = Mapping[str, str]


class Projects:
    """Writes each project into another folder, so that no digest may depend on where it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, files: Files) -> Path:
        root = self._folder / f"project{next(_COUNT)}" / "deep"
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), "utf-8")
        return root

    @contextlib.contextmanager
    def imported(self, root: Path, name: str = "test_m") -> Iterator[ModuleType]:
        """Import a module of a project with nothing of other projects loaded; unload it after."""
        before = dict(sys.modules)
        sys.path.insert(0, str(root))
        importlib.invalidate_caches()
        try:
            yield importlib.import_module(name)
        finally:
            sys.path.remove(str(root))
            for loaded in set(sys.modules) - set(before):
                if not getattr(sys.modules[loaded], "__file__", None) or str(root) in str(sys.modules[loaded].__file__):
                    del sys.modules[loaded]

    def fingerprint(self, files: Files, root: Callable[[ModuleType], object] | None = None) -> Fingerprint:
        """Return the fingerprint of what `test_m.test_a` reaches, or of what `root` picks from `test_m`."""
        folder = self.write(files)
        with self.imported(folder) as module:
            return fingerprint_code([root(module) if root else module.test_a], project=folder)

    def changed(self, files: Files, edits: Mapping[str, tuple[str, str]], **options: object) -> set[str]:
        """Return the names of the parts that edits change: in each file, one text for another."""
        edited = dict(files)
        for name, (old, new) in edits.items():
            assert old in files[name], old
            edited[name] = files[name].replace(old, new)
        before, after = self.fingerprint(files, **options), self.fingerprint(edited, **options)
        assert (before.digest == after.digest) == (not before.diff(after))
        return set(before.diff(after))
