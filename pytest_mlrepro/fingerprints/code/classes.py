"""Classes as code: their own statement, what was written inside it, and what a decorator added."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from ...values.located import SourceFile
from ...values.node import Field, Group, Label, Node, Scalar
from ...values.syntax import class_shell
from .constants import Constants
from .objects import reference_name

__all__ = ["functions_inside", "is_generated", "made_class", "members", "owner_of", "shell"]

_NOT_CODE: Final = frozenset({"__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__annotations__"})


@lru_cache(maxsize=2048)
def shell(node: ast.ClassDef) -> ast.ClassDef:
    """Return a class statement without its functions, at its place."""
    return ast.copy_location(class_shell(node), node)


def members(kind: type) -> list[tuple[str, Any]]:
    """Return what the class itself holds, without running any of its code."""
    held = type.__dict__["__dict__"].__get__(kind)
    return [(name, member) for name, member in list(held.items()) if name not in _NOT_CODE]


def is_generated(member: object) -> bool:
    """Tell whether a function was written by the machinery of a class, such as the `__init__` of a dataclass.

    What it does follows from the class statement and the version of what made it.
    """
    if type(member) is not types.FunctionType:
        return False
    code = member.__code__
    made = code.co_qualname.startswith("__create_fn__.") or code.co_filename.startswith("<attrs generated")
    return made or (code.co_filename == "<string>" and member.__qualname__ != code.co_qualname)


def owner_of(function: types.FunctionType) -> type | None:
    """Return the class that a function is a method of, by its qualified name; None if there is none."""
    *steps, name = function.__qualname__.split(".")
    found: Any = None
    space: Any = function.__globals__
    for step in steps:
        found = space.get(step)
        if not issubclass(type(found), type):
            return None
        space = type.__dict__["__dict__"].__get__(found)
    return found if found is not None and name in space else None


def functions_inside(file: SourceFile, pieces: tuple[Any, ...], qualname: str) -> Iterator[tuple[str, Any]]:
    """Yield the functions that a class statement defines directly, with their qualified names."""
    for name, nodes in file.definitions.items():
        if name.startswith(f"{qualname}.") and "." not in name[len(qualname) + 1 :]:
            for node in nodes:
                inside = any(piece.lineno <= node.lineno <= piece.end_lineno for piece in pieces)
                if inside and not isinstance(node, ast.ClassDef):
                    yield name, node


def made_class(kind: type, constants: Constants) -> Node:
    """Describe a class that no class statement made, such as by `type(name, bases, members)`."""
    bases = [reference_name(base, constants.module_label) or "" for base in kind.__bases__]
    children: list[tuple[Label, Node]] = [(Field("bases"), Scalar("reference", " ".join(bases)))]
    for name, member in sorted(members(kind)):
        node = constants.node(member) if not name.startswith("__") else None
        if node is not None:
            children.append((Field(name), node))
    return Group("class", (("name", kind.__qualname__),), tuple(children))
