"""What a module's file says about its names: which statements bind them, which imports, and whether they are state."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any, Final

from ...values.located import SourceFile
from .changes import changed, changed_by_functions
from .mentions import Import, import_of, mentions

__all__ = ["ModuleCode", "absolute", "file_of_unloaded", "is_drawn", "is_namespace", "module_code"]

_REPEATED: Final = (ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith)
_UNCHANGING: Final = (bool, int, float, complex, str, bytes, tuple, frozenset, type(None))


@dataclass
class ModuleCode:
    """The bindings of one module, by reading its file."""

    file: SourceFile
    bindings: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """Statements at module level that bind or change a name, in order; a loop counts as a whole."""
    imports: dict[str, list[Import]] = field(default_factory=lambda: defaultdict(list))
    stars: list[Import] = field(default_factory=list)

    @cached_property
    def _mutated(self) -> frozenset[str]:
        return changed_by_functions(self.file.tree)

    def is_state(self, name: str, value: object) -> bool:
        """Tell whether functions of this module rebind a name of another scope or change its object in place."""
        if any(type(value) is kind for kind in _UNCHANGING) and not self._rebinds:
            return False
        return name in self._mutated

    @cached_property
    def _rebinds(self) -> bool:
        """Whether some function rebinds names of another scope: rare, and told faster by its text."""
        return "global " in self.file.text or "nonlocal " in self.file.text


@lru_cache(maxsize=512)
def module_code(file: SourceFile) -> ModuleCode:
    """Return what a parsed file binds at module level."""
    code = ModuleCode(file)
    for statement in _flat(file.tree.body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for name, found in import_of(statement):
                if name == "*":
                    code.stars.append(found)
                elif name:
                    code.imports[name].append(found)
            continue
        for name in dict.fromkeys(_bound(statement)):
            code.bindings[name].append(statement)
    return code


def _flat(body: Iterable[Any]) -> Iterator[Any]:
    """Yield statements at module level, going into conditions but not into loops."""
    for statement in body:
        if not isinstance(statement, ast.If | ast.Try | ast.TryStar):
            yield statement
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from _flat(getattr(statement, name, []))
        for handler in getattr(statement, "handlers", []):
            yield from _flat(handler.body)


def _bound(statement: Any) -> Iterator[str]:
    """Yield the names that a statement binds or changes in place."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, _REPEATED):
        for node in ast.walk(statement):
            yield from changed(node)
    elif isinstance(statement, ast.Expr):
        yield from changed(statement.value)
    elif not isinstance(statement, ast.AnnAssign) or statement.value is not None:
        for node in ast.walk(statement):
            yield from changed(node)


def is_drawn(file: SourceFile, statements: tuple[Any, ...]) -> bool:
    """Tell whether a value is another one in every process, such as the time: then its source counts."""
    chains = mentions(file, statements).body
    return any(not _DRAWN.isdisjoint((chain[0], ".".join(chain[:2]), chain[-1])) for chain in chains)


_DRAWN: Final = {
    *("time", "time_ns", "perf_counter", "monotonic", "process_time", "now", "today", "utcnow", "id", "gethostname"),
    *("uuid", "uuid1", "uuid4", "tempfile", "mkdtemp", "mkstemp", "gettempdir", "getpid", "getppid"),
}
"""Names in calls that draw such values: modules, functions, or both."""


def absolute(found: Import, module: str, *, is_package: bool) -> str:
    """Return the absolute name of the module that an import inside `module` means."""
    if not found.level:
        return found.module
    steps = module.split(".")
    keep = len(steps) - found.level + (1 if is_package else 0)
    base = steps[: max(keep, 0)]
    return ".".join([*base, *([found.module] if found.module else [])])


def file_of_unloaded(name: str) -> str | None:
    """Return the file that importing a module would run, without running it or its packages; None if there is none.

    Code that a test reaches may import inside a function that was not called yet.
    """
    spec = _spec_of_unloaded(name)
    return spec.origin if spec is not None and spec.has_location else None


def is_namespace(name: str) -> bool:
    """Tell whether a module that is not loaded would be a package without a file."""
    spec = _spec_of_unloaded(name)
    return spec is not None and not spec.has_location and spec.submodule_search_locations is not None


def _spec_of_unloaded(name: str) -> ModuleSpec | None:
    """Find a module step by step; `importlib.util.find_spec` would import the packages around it."""
    places: Any = None
    spec: ModuleSpec | None = None
    steps = name.split(".")
    for end in range(1, len(steps) + 1):
        spec = _find(".".join(steps[:end]), places)
        places = spec.submodule_search_locations if spec is not None else None
        if spec is None or (places is None and end < len(steps)):
            return None
    return spec


def _find(name: str, places: Any) -> ModuleSpec | None:
    """Ask the finders that only look: Python's own for folders, and those of editable installs."""
    editable = [finder for finder in sys.meta_path if str(getattr(finder, "__module__", "")).startswith("__editable__")]
    finders: list[Any] = [PathFinder, *editable]
    for finder in finders:
        try:
            spec: ModuleSpec | None = finder.find_spec(name, places)
        except (ImportError, AttributeError, ValueError, OSError):
            continue
        if spec is not None:
            return spec
    return None
