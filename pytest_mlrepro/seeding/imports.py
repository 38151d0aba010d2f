"""Libraries that appear while a scope is open: told as soon as their import has finished."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["WATCHED", "ImportWatch"]

WATCHED = frozenset(
    {
        "numpy.random",
        "torch",
        "polars",
        "hypothesis",
        "multiprocessing.process",
        "concurrent.futures.thread",
        "concurrent.futures.process",
    }
)


class ImportWatch:
    """A meta path finder that lets the others find, and calls back after the module has run."""

    def __init__(self, imported: Callable[[str], object]) -> None:
        self.imported = imported

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
        if name not in WATCHED:
            return None
        for finder in sys.meta_path:
            find = None if isinstance(finder, ImportWatch) else getattr(finder, "find_spec", None)
            spec = None if find is None else find(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Told(spec.loader, self.imported)
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
