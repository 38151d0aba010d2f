"""Which names the functions of a file change though they belong to another scope: those hold state, not constants."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["changed", "changed_by_functions"]

_MUTATORS: Final = {
    *("add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "insert", "pop", "popitem", "popleft"),
    *("register", "remove", "reverse", "rotate", "setdefault", "sort", "update", "__setitem__", "__delitem__"),
}
_FUNCTIONS: Final = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda})
_LEAVES: Final = frozenset({ast.Constant, ast.Pass, ast.Break, ast.Continue, ast.Load, ast.Store, ast.Del})


def changed(node: Any) -> Iterator[str]:
    """Yield the name that a node stores to, or whose object it changes by an item, an attribute or a method."""
    kind = type(node)
    if kind is ast.Name:
        if type(node.ctx) is not ast.Load:
            yield node.id
    elif kind is ast.Subscript or kind is ast.Attribute:
        if type(node.ctx) is not ast.Load:
            yield from _root(node.value)
    elif kind is ast.Call and type(node.func) is ast.Attribute and node.func.attr in _MUTATORS:
        yield from _root(node.func.value)


def _root(node: Any) -> Iterator[str]:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def changed_by_functions(tree: ast.Module) -> frozenset[str]:
    """Return the names that some function of a file changes and that are not its own."""
    found: set[str] = set()
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if type(node) in _FUNCTIONS:
            _outside(node, found)
        elif type(node) not in _LEAVES:
            stack += _children(node)
    return frozenset(found)


def _outside(function: Any, found: set[str]) -> set[str]:
    """Return the names that one function, with those inside it, changes outside of itself; adds them to `found`."""
    own = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    declared: set[str] = set()
    touched: set[str] = set()
    stack = list(function.body) if isinstance(function.body, list) else [function.body]
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind in _FUNCTIONS:
            touched |= _outside(node, found)
            own.add(getattr(node, "name", ""))
        elif kind is ast.Global or kind is ast.Nonlocal:
            declared.update(node.names)
        elif kind not in _LEAVES:
            if kind is ast.Name and type(node.ctx) is ast.Store:
                own.add(node.id)
            touched.update(changed(node))
            stack += _children(node)
    outside = touched - (own - declared)
    found |= outside
    return outside


def _children(node: Any) -> Iterator[Any]:
    for name in node._fields:
        value = getattr(node, name, None)
        if type(value) is list:
            yield from (item for item in value if isinstance(item, ast.AST))  # some hold None, or names
        elif isinstance(value, ast.AST):
            yield value
