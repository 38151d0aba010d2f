"""The values that code carries: constants of modules, closures and defaults, with references in place of code.

A table of functions changes when it names another function, not when one of them changes: that one is a part by itself.
"""

from __future__ import annotations

import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import partial
from pathlib import PurePath
from typing import Any, Final

from ...errors import FingerprintError
from ...values.describe import describe
from ...values.node import Field, Group, Label, Node
from ...values.origins import origin_of_module
from .objects import PLAIN, attributes, has_static, home_of, is_plain, reference_name

__all__ = ["Constants"]

_SEQUENCES: Final[dict[Any, Any]] = {list: list, tuple: tuple, set: set, frozenset: frozenset, deque: list}
_MAPPINGS: Final = frozenset({dict, OrderedDict, defaultdict, types.MappingProxyType})
_UNCHANGED: Final = frozenset(map(id, PLAIN - {str}))  # text may be a path of this machine
_MAX_DEPTH: Final = 50
_STATEFUL: Final = ("numpy.random", "random", "torch._C", "threading", "_thread", "logging", "weakref", "unittest.mock")
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

    def node(self, value: object, *, anywhere: bool = True) -> Node | None:
        """Return the description of a value; None if it has no canonical form.

        With `anywhere`, one that names a folder of this machine outside of the project has none, since it would be
        another one elsewhere. What foreign objects raise while they are looked at counts as having none.
        """
        try:
            return describe(self._stand(value, 0, anywhere))
        except (_NoValue, FingerprintError):
            return None
        except Exception:  # noqa: BLE001  # a broken object of the user is no reason to stop
            return None

    def state(self, value: object) -> Node:
        """Return what can be told of any value: its description, or its class and what of its attributes has one."""
        node = self.node(value, anywhere=False)
        if node is not None:
            return node
        kind = type(value)
        children: list[tuple[Label, Node]] = []
        for name, part in sorted(attributes(value).items()):
            found = self.node(part, anywhere=False)
            if found is not None:
                children.append((Field(name), found))
        return Group("instance", (("type", reference_name(kind, self.module_label) or ""),), tuple(children))

    def _stand(self, value: Any, depth: int, anywhere: bool) -> Any:
        kind = type(value)
        if kind is str:
            return self._place(value, value, anywhere) if _is_absolute(value) else value
        if is_plain(value):
            return value
        if depth > _MAX_DEPTH:
            raise _NoValue
        if kind in _SEQUENCES:
            if _UNCHANGED.issuperset(map(id, map(type, value))):
                return value
            return _SEQUENCES[kind](self._stand(item, depth + 1, anywhere) for item in value)
        if kind in _MAPPINGS:
            return {
                self._stand(key, depth + 1, anywhere): self._stand(item, depth + 1, anywhere)
                for key, item in value.items()
            }
        if issubclass(kind, PurePath):
            return self._place(value, str(value), anywhere) if value.is_absolute() else value
        name = reference_name(value, self.module_label)
        if name is not None:
            return Stand("reference", name)
        return self._structure(value, kind, depth, anywhere)

    def _place(self, value: Any, text: str, anywhere: bool) -> Any:
        local = self.relative(text)
        if local is not None:
            return Stand("path", local)
        if anywhere:
            raise _NoValue
        return value

    def _structure(self, value: Any, kind: type, depth: int, anywhere: bool) -> Any:
        if issubclass(kind, partial):
            parts = (value.func, value.args, value.keywords)
            return Stand("partial", self._stand(parts, depth + 1, anywhere))
        if is_dataclass(kind):
            state = {field.name: object.__getattribute__(value, field.name) for field in fields(kind)}
            return Stand(kind.__qualname__, self._stand(state, depth + 1, anywhere))
        if issubclass(kind, dict):
            return Stand(kind.__qualname__, self._stand(dict(dict.items(value)), depth + 1, anywhere))
        for base in (list, tuple, set, frozenset):
            if issubclass(kind, base):
                return Stand(kind.__qualname__, self._stand(base(base.__iter__(value)), depth + 1, anywhere))
        if _runs_code_of_users(kind):
            raise _NoValue
        return value


def _is_absolute(text: str) -> bool:
    return text[:1] in ("/", "\\") or text[1:3] in (":\\", ":/")


def _runs_code_of_users(kind: type) -> bool:
    """Tell whether describing an object would call methods that the project wrote, or change it by looking."""
    homes = [home_of(base) for base in type.__dict__["__mro__"].__get__(kind) if base is not object]
    if homes and homes[0].startswith(_STATEFUL):
        return True
    own = issubclass(kind, Enum | int | float | complex | str | bytes) or has_static(kind, "__mlrepro__")
    return not own and all(origin_of_module(home) == "source" for home in homes)
