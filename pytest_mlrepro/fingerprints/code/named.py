"""Code by the names of its parts: what ran when a golden was recorded is looked up again, and nobody has to watch a check."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import Any

from ...values.origins import module_namespace

__all__ = ["codes_named"]

_LOCALS = "<locals>"


def codes_named(names: Iterable[str]) -> tuple[CodeType, ...]:
    """Return the code of the functions of these names (`train.fit`, `train.Model.fit`, `train.make.<locals>.inner`).

    Those whose module is not loaded, or that are gone, are left out. Nothing is imported, and no code of theirs is run.
    """
    return tuple(code for name in names for code in _codes(name))


def _codes(name: str) -> Iterator[CodeType]:
    steps = name.split(".")
    for cut in range(len(steps) - 1, 0, -1):
        namespace = module_namespace(".".join(steps[:cut]))
        if namespace is not None:
            yield from _inside(namespace, steps[cut:])
            return


def _inside(namespace: Any, steps: list[str]) -> Iterator[CodeType]:
    """Go down through classes to a function, and from there through the functions that are made inside of it."""
    found: Any = namespace.get(steps[0])
    at = 1
    while at < len(steps) and isinstance(found, type):
        found = found.__dict__.get(steps[at])
        at += 1
    outer = _code(found)
    if outer is None:
        return
    if at == len(steps):
        yield outer
    elif steps[at] == _LOCALS:
        yield from _nested(outer, ".".join(steps))


def _code(value: Any) -> CodeType | None:
    """Return the code of what a definition may have become."""
    for _ in range(20):
        if isinstance(value, types.FunctionType):
            wrapped = inspect.getattr_static(value, "__wrapped__", None)
            if not isinstance(wrapped, types.FunctionType):
                return value.__code__
            value = wrapped
        elif isinstance(value, staticmethod | classmethod | types.MethodType):
            value = value.__func__
        elif isinstance(value, property):
            value = value.fget
        else:
            value = inspect.getattr_static(value, "__wrapped__", None)
    return None


def _nested(code: CodeType, qualname: str) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == qualname:
                yield constant
            else:
                yield from _nested(constant, qualname)
