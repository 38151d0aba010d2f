"""Python's small objects, and instances of classes that declare their fields: attrs and pydantic."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from .generators import describe_random
from .node import Field, Group, Label, Node
from .walk import Foreign, Refused, Walk

__all__ = ["describe_object"]


def describe_object(value: Foreign, walk: Walk) -> Node | None:
    """Describe a slice, a compiled pattern, a generator, or an instance of attrs or pydantic; None for other things.

    All fields of an instance count, those that it was made without too, and what pydantic was told beyond them.
    """
    if isinstance(value, slice):
        return _of_fields("slice", value, ("start", "stop", "step"), walk)
    if isinstance(value, re.Pattern):
        return _of_fields("pattern", value, ("pattern", "flags"), walk)
    if isinstance(value, random.Random):
        if isinstance(value, random.SystemRandom):
            raise Refused(value, "it draws from the system and has no state; pass a seeded random.Random")
        return describe_random(value, walk)
    kind = type(value)
    declared = getattr(kind, "__attrs_attrs__", None)
    if declared is not None:
        return _record("attrs", value, ((Field(field.name), _get(value, field.name)) for field in declared), walk)
    if hasattr(kind, "__pydantic_fields__"):
        return _record("pydantic", value, _pydantic(value), walk)
    return None


def _of_fields(kind: str, value: Foreign, names: tuple[str, ...], walk: Walk) -> Group:
    return Group(kind, (), walk.parts(value, ((Field(name), getattr(value, name)) for name in names)))


def _record(kind: str, value: Foreign, fields: Iterator[tuple[Label, Any]], walk: Walk) -> Group:
    return Group(kind, (("type", type(value).__qualname__),), walk.parts(value, fields))


def _pydantic(value: Foreign) -> Iterator[tuple[Label, Any]]:
    for name in type(value).__pydantic_fields__:
        yield Field(name), _get(value, name)
    extra = value.__pydantic_extra__ or {}
    for name in sorted(extra):
        yield name, extra[name]


def _get(value: Foreign, name: str) -> Any:
    try:
        return getattr(value, name)
    except AttributeError:
        raise Refused(value, f"its field {name} was never set; set it") from None
