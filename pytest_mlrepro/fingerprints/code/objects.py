"""Looking at objects of any make without running their code: no property, `__getattr__`, `__eq__` or `__hash__`."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from ...values.code_objects import qualified_name
from ...values.functions import installed_name, is_callable_value

__all__ = ["PLAIN", "attributes", "has_static", "home_of", "is_container", "is_plain", "items_of", "reference_name"]

PLAIN: Final = frozenset({type(None), bool, int, float, complex, str, bytes, type(...), bytearray, range})
"""Types that hold no code and are described as they are."""
_PLAIN_IDS: Final = frozenset(map(id, PLAIN))


def is_plain(value: object) -> bool:
    """Tell whether a value is of a type of `PLAIN`; by identity, since a metaclass may say how a type is hashed."""
    return id(type(value)) in _PLAIN_IDS


def has_static(kind: type, name: str) -> bool:
    """Tell whether a class or a base of it has an attribute, without running any code."""
    mro = type.__dict__["__mro__"].__get__(kind)
    return any(name in type.__dict__["__dict__"].__get__(base) for base in mro)


def home_of(kind: type) -> str:
    """Return the module of a class, also if the class says something else under that name; "" if none is known."""
    named = type.__dict__["__module__"].__get__(kind)
    if type(named) is str:
        return named
    held = type.__dict__["__dict__"].__get__(kind).values()
    homes = [str(member.__globals__.get("__name__")) for member in held if type(member) is types.FunctionType]
    return homes[0] if homes else ""


def attributes(value: object) -> dict[str, Any]:
    """Return the attributes that an object holds itself, without running any of its code."""
    held: Any = None
    found: dict[str, Any] = {}
    for base in type.__dict__["__mro__"].__get__(type(value)):
        for name, member in list(type.__dict__["__dict__"].__get__(base).items()):
            if name == "__dict__" and type(member) is types.GetSetDescriptorType and held is None:
                held = member.__get__(value)  # not what a property of that name says
                found |= {name: part for name, part in list(held.items()) if type(name) is str}
            elif type(member) is types.MemberDescriptorType and base.__module__ != "builtins":
                try:
                    found[name] = member.__get__(value)
                except AttributeError:  # a slot that was never filled
                    continue
    return found


_CONTAINERS: Final = (dict, types.MappingProxyType, list, tuple, set, frozenset, deque)


def is_container(kind: type) -> bool:
    """Tell whether a type is one of Python's containers itself, so that its objects hold nothing but their items."""
    return any(kind is base for base in _CONTAINERS)


def items_of(value: Any) -> list[object]:
    """Return the keys and values, or the items, of a container, past what a subclass of it says; [] of others."""
    for base in _CONTAINERS:
        if issubclass(type(value), base):
            plain: Any = base
            is_mapping = issubclass(base, dict | types.MappingProxyType)
            return [*plain.keys(value), *plain.values(value)] if is_mapping else list(plain.__iter__(value))
    return []


def reference_name(value: object, label: Callable[[str], str]) -> str | None:
    """Return the name of a piece of code, `module.qualname`; None for what is no code."""
    kind = type(value)
    if issubclass(kind, types.ModuleType):
        return f"module {label(str(attributes(value).get('__name__')))}"
    if not issubclass(kind, type | types.FunctionType) and not is_callable_value(value):
        return None
    public = installed_name(value)
    if public is not None:
        return public
    if issubclass(kind, types.FunctionType):
        function: Any = value
        return f"{label(str(function.__globals__.get('__name__')))}.{qualified_name(function.__code__)}"
    if issubclass(kind, type):
        made: Any = value
        return f"{label(home_of(made))}.{type.__dict__['__qualname__'].__get__(made)}"
    wrapped = attributes(value).get("__wrapped__")
    return None if wrapped is None else reference_name(wrapped, label)
