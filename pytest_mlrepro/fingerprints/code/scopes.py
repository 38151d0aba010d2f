"""Where a piece of code looks its names up, and which of the values that it carries no other part tells."""

from __future__ import annotations

import ast
import builtins
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ...values.located import SourceFile
from ...values.node import Field, Group, Node
from .classes import shell
from .mentions import mentions
from .modules import module_code
from .objects import reference_name

__all__ = ["DEFINITION", "Scope", "captured", "cells", "constant", "module_name"]

DEFINITION: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Scope:
    """The names that a piece of code sees."""

    module: str
    namespace: dict[str, Any] | None
    """The globals; None if the module isn't loaded, so that its file tells."""
    closure: dict[str, Any]


def module_name(module: str, space: dict[str, Any] | None) -> str:
    """Return the name by which imports of a module are resolved: that of a script run by `python -m` is in its spec."""
    spec = space.get("__spec__") if module == "__main__" and space is not None else None
    name = getattr(spec, "name", None)
    return name if isinstance(name, str) else module


def constant(value: Node) -> Group:
    """Return the description of a constant that counts by its value."""
    return Group("constant", (), ((Field("value"), value),))


def cells(function: types.FunctionType) -> dict[str, Any]:
    """Return what the closure of a function holds, but for cells that are not filled yet."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue
    return found


def captured(
    function: types.FunctionType, closure: dict[str, Any], file: SourceFile, pieces: tuple[Any, ...]
) -> Iterator[tuple[str, Any]]:
    """Yield the data that a function carries: of its closure, and default values that its source doesn't tell.

    Functions and classes are parts by themselves. A variable that functions of the file change is state, not a
    constant: it would differ by how often the function was called.
    """
    if closure:
        code = module_code(file)
        for name, value in sorted(closure.items()):
            if not _is_code(value) and not code.is_state(name, value):
                yield f"closure.{name}", value
    if (function.__defaults__ or function.__kwdefaults__) and len(pieces) == 1:
        for name, expression, value in _defaults(function, pieces[0].args):
            if not _is_code(value) and not _told(expression, value, function, file):
                yield f"default.{name}", value


def _is_code(value: Any) -> bool:
    kind = type(value)
    return issubclass(kind, types.MethodType | property) or reference_name(value, str) is not None


def _defaults(function: types.FunctionType, args: ast.arguments) -> Iterator[tuple[str, ast.expr, Any]]:
    """Pair the default values of a function with their expressions."""
    positional = [*args.posonlyargs, *args.args]
    values = function.__defaults__ or ()
    named = positional[len(positional) - len(args.defaults) :]
    if len(values) == len(args.defaults):
        for arg, expression, value in zip(named, args.defaults, values, strict=True):
            yield arg.arg, expression, value
    given = function.__kwdefaults__ or {}
    for arg, keyword in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        if keyword is not None and arg.arg in given:
            yield arg.arg, keyword, given[arg.arg]


def _told(expression: ast.expr, value: Any, function: types.FunctionType, file: SourceFile) -> bool:
    """Tell whether the source of a default value says it all, together with the parts that it mentions."""
    space = function.__globals__
    if isinstance(expression, ast.Name):
        known = expression.id in space and space[expression.id] is value
        return known or _of_class(expression.id, function, file)
    names = {chain[0] for chain in mentions(file, (expression,)).body}
    return names <= space.keys() | vars(builtins).keys()


def _of_class(name: str, function: types.FunctionType, file: SourceFile) -> bool:
    """Tell whether a method's default value is a name that its class statement binds, and so tells."""
    owner = file.classes.get(function.__code__.co_qualname.rpartition(".")[0], [])
    targets = (node for kind in owner for statement in shell(kind).body for node in ast.walk(statement))
    return any(isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store) for node in targets)
