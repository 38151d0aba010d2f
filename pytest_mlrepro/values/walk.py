"""One walk through a value: how deep it is, what it stands in, and the error that names the place it stopped at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ..errors import FingerprintError
from .node import Array, Group, Label, Node, Scalar
from .paths import path_text

__all__ = ["MAX_DEPTH", "Foreign", "Handler", "Refused", "Walk", "key_node", "type_name"]

Foreign: TypeAlias = Any
"""A value of any type, or something of a library that is never imported here, so that its types can't be named."""

MAX_DEPTH = 100
"""Containers inside containers; real configurations and state dicts stay below twenty."""


class Refused(Exception):  # noqa: N818  # never leaves the package: users see a FingerprintError
    """A value that can't be described; the labels from it outwards are gathered as the walk unwinds."""

    def __init__(self, value: object, advice: str) -> None:
        super().__init__(advice)
        self.type_name = type_name(type(value))
        self.advice = advice
        self.labels: list[Label] = []

    def public(self) -> FingerprintError:
        """Return the error that users see: place, type, and what to do."""
        return FingerprintError(
            f"{path_text(reversed(self.labels))} is of type {self.type_name}, which has no fingerprint: {self.advice}"
        )


class Walk:
    """The state of one `describe`: how to describe a part, and the containers that are open."""

    __slots__ = ("_exact", "_open", "_other", "leftover")

    leftover: bool
    """Whether the walk is inside what a fit left behind."""

    def __init__(self, exact: Mapping[type, Handler], other: Handler) -> None:
        self.leftover = False
        self._open: set[int] = set()
        self._exact = exact
        self._other = other

    def describe(self, value: Foreign) -> Node:
        """Describe a part of the value: by its exact type, or by what it is otherwise."""
        return self._exact.get(type(value), self._other)(value, self)

    def enter(self, value: object) -> None:
        """Open a container; raises Refused if it stands inside itself or too deep."""
        if id(value) in self._open:
            raise Refused(value, "it contains itself; replace the inner reference by a name or an index")
        if len(self._open) >= MAX_DEPTH:
            raise Refused(value, f"it is nested more than {MAX_DEPTH} levels deep; flatten it")
        self._open.add(id(value))

    def inside(self, value: object) -> bool:
        """Tell whether a container is open, so that describing it again would never end."""
        return id(value) in self._open

    def leave(self, value: object) -> None:
        """Close a container."""
        self._open.discard(id(value))

    def parts(self, owner: object, items: Iterable[tuple[Label, Any]]) -> tuple[tuple[Label, Node], ...]:
        """Describe the parts of a container under their labels."""
        self.enter(owner)
        children: list[tuple[Label, Node]] = []
        exact, other = self._exact, self._other
        label: Label | None = None
        try:
            for label, item in items:
                children.append((label, exact.get(type(item), other)(item, self)))
        except Refused as refused:
            if label is not None:  # else the keys themselves were refused
                refused.labels.append(label)
            raise
        self.leave(owner)
        return tuple(children)

    def part(self, label: Label, describe: Callable[..., Node], *arguments: Foreign) -> tuple[Label, Node]:
        """Describe one part by a function of its own, so that an error names the part."""
        try:
            return label, describe(*arguments)
        except Refused as refused:
            refused.labels.append(label)
            raise

    def key(self, value: object) -> Label:
        """Describe a key of a dict, an element of a set, or the name of a column.

        A `str` is itself; a tuple is a group even if an array could hold it; a numpy scalar is the Python scalar
        that it equals as a key.
        """
        if type(value) is str:
            return value
        if isinstance(value, tuple):
            return self._tuple_key(value)
        node = self.describe(value)
        if isinstance(node, Array):
            return self._scalar_key(value, node)
        return str(node.value) if isinstance(node, Scalar) and node.kind == "str" else node

    def _tuple_key(self, value: Sequence[Any]) -> Group:
        self.enter(value)
        children: list[tuple[Label, Node]] = []
        for position, item in enumerate(value):
            children.append((position, key_node(self.key(item))))
        self.leave(value)
        return Group("tuple", (), tuple(children))

    def _scalar_key(self, value: object, node: Array) -> Label:
        if node.shape:
            raise Refused(value, "an array can't be a key; use its name or a tuple")
        item = node.data.read(0, 1)[0]
        if node.dtype.startswith(("datetime64", "timedelta64")):
            return Scalar(node.dtype, str(int(item.view("int64"))))
        plain = item.item() if hasattr(item, "item") else item
        return plain if isinstance(plain, str) else Scalar(type(plain).__name__, plain)


Handler = Callable[[Any, Walk], Node]


def key_node(key: Label) -> Node:
    """Return a key as a value."""
    if isinstance(key, str):
        return Scalar("str", key)
    return Scalar("int", key) if isinstance(key, int) else key


def type_name(kind: type) -> str:
    """Return the name by which people know a type: with its module, unless it is built in."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
