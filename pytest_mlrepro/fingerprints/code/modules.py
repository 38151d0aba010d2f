"""What a module's file says about its names: which statements bind them, which imports, and which functions change them."""

from __future__ import annotations

import ast
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.machinery import PathFinder
from typing import Any, Final

from ...values.located import SourceFile
from .mentions import Import, import_of

__all__ = ["ModuleCode", "absolute", "file_of_unloaded", "module_code"]

_MUTATORS: Final = {
    *("add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "insert", "pop", "popitem", "popleft"),
    *("register", "remove", "reverse", "rotate", "setdefault", "sort", "update", "__setitem__", "__delitem__"),
}
_REPEATED: Final = (ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass
class ModuleCode:
    """The bindings of one module, by reading its file."""

    file: SourceFile
    bindings: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """Statements at module level that bind or change a name, in order; a loop counts as a whole."""
    imports: dict[str, list[Import]] = field(default_factory=lambda: defaultdict(list))
    stars: list[Import] = field(default_factory=list)

    @cached_property
    def mutated(self) -> frozenset[str]:
        """Names of other scopes that functions of this module rebind or change in place: state, not constants."""
        found: set[str] = set()
        for node in ast.walk(self.file.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found |= _changes_outside(node)
        return frozenset(found)


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
            yield from _changed(node)
    elif isinstance(statement, ast.Expr):
        yield from _changed(statement.value)
    elif not isinstance(statement, ast.AnnAssign) or statement.value is not None:
        for node in ast.walk(statement):
            yield from _changed(node)


def _changed(node: Any) -> Iterator[str]:
    """Yield the name that a node stores to, or whose object it changes by an item, an attribute or a method."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        yield from _root(node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATORS:
        yield from _root(node.func.value)


def _root(node: Any) -> Iterator[str]:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _changes_outside(function: Any) -> set[str]:
    """Return the names that a function changes and that are not its own."""
    own = {arg.arg for node in ast.walk(function.args) for arg in [node] if isinstance(arg, ast.arg)}
    declared: set[str] = set()
    changed: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Global | ast.Nonlocal):
            declared.update(node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, _FUNCTIONS) and node is not function:
            own.update(arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg))
        changed.update(_changed(node))
    return changed - (own - declared)


def absolute(found: Import, module: str, *, is_package: bool) -> str:
    """Return the absolute name of the module that an import inside `module` means."""
    if not found.level:
        return found.module
    steps = module.split(".")
    keep = len(steps) - found.level + (1 if is_package else 0)
    base = steps[: max(keep, 0)]
    return ".".join([*base, *([found.module] if found.module else [])])


@lru_cache(maxsize=1024)
def _file_of_unloaded(name: str, path: tuple[str, ...]) -> str | None:
    places: Any = None
    steps = name.split(".")
    for end in range(1, len(steps) + 1):
        try:
            spec = PathFinder.find_spec(".".join(steps[:end]), places)
        except (ImportError, AttributeError, ValueError, OSError):
            return None
        if spec is None:
            return None
        places = spec.submodule_search_locations
        if end == len(steps):
            return spec.origin if spec.has_location else None
        if places is None:
            return None
    return None


def file_of_unloaded(name: str) -> str | None:
    """Return the file that importing a module would run, without running it or its packages; None if there is none.

    Code that a test reaches may import inside a function that was not called yet.
    """
    return _file_of_unloaded(name, tuple(os.fspath(entry) for entry in sys.path if isinstance(entry, str)))
