"""The values that code carries: constants of modules, closures and defaults, with references in place of code.

A table of functions changes when it names another function, not when one of them changes: that one is a part by itself.
"""

from __future__ import annotations

import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from pathlib import PurePath
from typing import Any, Final

from ...errors import FingerprintError
from ...values.describe import describe
from ...values.node import Field, Group, Label, Node

__all__ = ["PLAIN", "Constants", "attributes", "reference_name"]

PLAIN: Final = frozenset({type(None), bool, int, float, complex, str, bytes, type(...), bytearray, range})
"""Types that hold no code and are described as they are."""
_SEQUENCES: Final[dict[Any, Any]] = {list: list, tuple: tuple, set: frozenset, frozenset: frozenset, deque: list}
_MAPPINGS: Final = frozenset({dict, OrderedDict, defaultdict, types.MappingProxyType})
_UNCHANGED: Final = PLAIN - {str}  # text may be a path of this machine
_MAX_DEPTH: Final = 50
_STATEFUL: Final = ("numpy.random", "random", "torch._C", "threading", "_thread", "logging", "weakref")
"""Homes of objects that change by being used, such as random generators: their source counts, not their state."""


class _NoValue(Exception):  # noqa: N818  # never leaves this module
    """A value that differs from machine to machine or has no canonical form."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Stands for a part of a value that is code, or a place on this machine."""

    kind: str
    what: object

    def __mlrepro__(self) -> object:
        return {self.kind: self.what}


@dataclass(frozen=True)
class Constants:
    """How values of one project are described."""

    relative: Callable[[str], str | None]
    """Tells what an absolute path of the project is called on every machine."""
    module_label: Callable[[str], str]

    def node(self, value: object) -> Node | None:
        """Return the description of a value; None if it has no canonical form that is the same on every machine.

        What foreign objects raise while they are looked at counts as having none.
        """
        try:
            return describe(self._stand(value, 0))
        except (_NoValue, FingerprintError):
            return None
        except Exception:  # noqa: BLE001  # a broken object of the user is no reason to stop
            return None

    def state(self, value: object) -> Node:
        """Return what can be told of any value: its description, or its class and what of its attributes has one."""
        node = self.node(value)
        if node is not None:
            return node
        kind = type(value)
        children: list[tuple[Label, Node]] = []
        for name, part in sorted(attributes(value).items()):
            found = self.node(part)
            if found is not None:
                children.append((Field(name), found))
        return Group("instance", (("type", reference_name(kind, self.module_label) or ""),), tuple(children))

    def _stand(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            local = self.relative(value) if value[:1] in "/\\~" or value[1:3] in (":\\", ":/") else None
            return value if local is None else Stand("path", local)
        if kind in PLAIN:
            return value
        if depth > _MAX_DEPTH:
            raise _NoValue
        if kind in _SEQUENCES:
            if _UNCHANGED.issuperset(map(type, value)):
                return value
            return _SEQUENCES[kind](self._stand(item, depth + 1) for item in value)
        if kind in _MAPPINGS:
            return {self._stand(key, depth + 1): self._stand(item, depth + 1) for key, item in value.items()}
        if issubclass(kind, PurePath):
            return self._path(value)
        name = reference_name(value, self.module_label)
        if name is not None:
            return Stand("reference", name)
        return self._structure(value, kind, depth)

    def _path(self, value: PurePath) -> Any:
        if not value.is_absolute():
            return value
        local = self.relative(str(value))
        if local is None:
            raise _NoValue
        return Stand("path", local)

    def _structure(self, value: Any, kind: type, depth: int) -> Any:
        if issubclass(kind, partial):
            parts = (value.func, value.args, value.keywords)
            return Stand("partial", self._stand(parts, depth + 1))
        if is_dataclass(kind):
            state = {field.name: object.__getattribute__(value, field.name) for field in fields(kind)}
            return Stand(kind.__qualname__, self._stand(state, depth + 1))
        if kind.__module__.startswith(_STATEFUL):
            raise _NoValue
        return value


def attributes(value: object) -> dict[str, Any]:
    """Return the attributes that an object holds itself, without running any of its code."""
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        held = {}
    found = {name: part for name, part in list(held.items()) if type(name) is str} if type(held) is dict else {}
    for base in type.__dict__["__mro__"].__get__(type(value)):
        for name, member in list(type.__dict__["__dict__"].__get__(base).items()):
            if type(member) is types.MemberDescriptorType and base.__module__ != "builtins":
                try:
                    found[name] = member.__get__(value)
                except AttributeError:  # a slot that was never filled
                    continue
    return found


def reference_name(value: object, label: Callable[[str], str]) -> str | None:
    """Return the name of a piece of code, `module.qualname`; None for what is no code."""
    kind = type(value)
    if issubclass(kind, types.FunctionType):
        function: Any = value
        return f"{label(str(function.__globals__.get('__name__')))}.{function.__code__.co_qualname}"
    if issubclass(kind, type):
        return (
            f"{label(str(type.__getattribute__(value, '__module__')))}.{type.__getattribute__(value, '__qualname__')}"
        )
    if issubclass(kind, types.ModuleType):
        return f"module {label(str(types.ModuleType.__getattribute__(value, '__dict__').get('__name__')))}"
    if issubclass(kind, types.BuiltinFunctionType | types.MethodDescriptorType | types.WrapperDescriptorType):
        return str(getattr(value, "__qualname__", ""))
    if kind.__name__ in ("ufunc", "cython_function_or_method", "_lru_cache_wrapper"):
        return str(getattr(value, "__qualname__", None) or getattr(value, "__name__", ""))
    return None
