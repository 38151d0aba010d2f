"""Libraries that appear while something waits for them: told as soon as their import has finished."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["ImportWatch"]


class ImportWatch:
    """A meta path finder that lets the others find, and calls back with the name after a watched module has run.

    Several may stand on the path and watch the same module: each is told.
    """

    def __init__(self, watched: Collection[str], imported: Callable[[str], object]) -> None:
        self.watched, self.imported = watched, imported
        self._asking: set[str] = set()

    def install(self) -> None:
        """Go first on `sys.meta_path`."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Leave `sys.meta_path`; quietly if a test replaced the list."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Wrap the loader that the other finders give for a watched module; say nothing about any other module."""
        if name not in self.watched or name in self._asking:
            return None
        self._asking.add(name)  # another watch asks all finders too, and this one among them
        try:
            spec = self._ask(name, path, target)
        finally:
            self._asking.discard(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Told(spec.loader, self.imported)
        return spec

    def _ask(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = None if find is None else find(name, path, target)
            if spec is not None:
                return spec  # type: ignore[no-any-return]  # finders of other packages have no types
        return None


class _Told(Loader):
    def __init__(self, inner: Loader, imported: Callable[[str], object]) -> None:
        self.inner, self.imported = inner, imported

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The module must never see us: resources, reloading and pickling ask its loader for things that we lack.
        module.__loader__ = self.inner
        if module.__spec__ is not None:
            module.__spec__.loader = self.inner
        self.inner.exec_module(module)
        self.imported(module.__name__)
