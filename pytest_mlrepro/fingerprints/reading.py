"""The parts of an encoded group, read back from its bytes when somebody asks for them.

A fingerprint keeps the encoding of its group and not the value, which may change after it was digested.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import numpy as np

from ..values.node import Array, Field, Group, Label, Node, Scalar
from ..values.paths import label_text
from ..values.sources import FlatSource
from .digest import Fingerprint, Parts
from .encoding import hashed

__all__ = ["read_parts"]


def read_parts(encoding: bytes, large: tuple[Fingerprint, ...]) -> Parts:
    """Return names and fingerprints of the parts of a group; () of what is none.

    `large` are the parts, and the keys, that the encoding holds by their digests, in order.
    """
    return tuple(_Reader(encoding, iter(large)).parts()) if encoding.startswith(b"G") else ()


class _Reader:
    """A place in an encoding, which each call moves on."""

    def __init__(self, data: bytes, large: Iterator[Fingerprint]) -> None:
        self.data, self.at, self.large = data, 0, large

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def count(self) -> int:
        (first,) = self.take(1)
        return first if first < 255 else int.from_bytes(self.take(8), "little")

    def prefixed(self) -> bytes:
        return self.take(self.count())

    def text(self) -> str:
        return self.prefixed().decode("utf-8", "surrogatepass")

    def parts(self) -> Iterator[tuple[str, Fingerprint]]:
        self.head()
        for _ in range(self.count()):
            name, part = self.name(), self.child()
            yield name, part if isinstance(part, Fingerprint) else _small(part)

    def head(self) -> tuple[bytes, str, tuple[tuple[str, str], ...]]:
        """Read form, kind and, of a group, its attrs."""
        form, kind = self.take(1), self.text()
        return form, kind, tuple((self.text(), self.text()) for _ in range(self.count())) if form == b"G" else ()

    def child(self) -> bytes | Fingerprint:
        if self.take(1) == b"=":
            return self.prefixed()
        self.take(32)
        return next(self.large)

    def name(self) -> str:
        """Read a label as it is written in a path; a key too large to be written goes by its digest."""
        label = self.label()
        return f"[{label.kind} {label.digest}]" if isinstance(label, Fingerprint) else label_text(label)

    def label(self) -> Label | Fingerprint:
        form = self.take(1)
        if form in b"sf":
            return self.text() if form == b"s" else Field(self.text())
        if form == b"i":
            return int.from_bytes(self.take(8), "little", signed=True)
        key = self.child()
        if isinstance(key, Fingerprint):
            return key
        node = _node(key)
        assert not isinstance(node, Array)  # keys are described as scalars and groups
        return node


def _small(encoding: bytes) -> Fingerprint:
    kind = _Reader(encoding, iter(())).head()[1]
    return Fingerprint(hashed(encoding), kind, partial(read_parts, encoding, ()))


def _node(encoding: bytes) -> Node:
    """Read a small node back, an array without its elements, for which no name of a part asks."""
    reader = _Reader(encoding, iter(()))
    form, kind, attrs = reader.head()
    if form == b"S":
        return Scalar(kind, _VALUES.get(kind, _text)(reader.prefixed()))
    if form == b"A":
        return Array(kind, reader.text(), (0,), FlatSource(np.empty(0)))
    return Group(kind, attrs, tuple(_children(reader)))


def _children(reader: _Reader) -> Iterator[tuple[Label, Node]]:
    for _ in range(reader.count()):
        label, part = reader.label(), reader.child()
        assert isinstance(part, bytes)  # all parts of what is small are small
        assert not isinstance(label, Fingerprint)
        yield label, _node(part)


def _text(payload: bytes) -> str:
    return payload.decode("utf-8", "surrogatepass")


_VALUES: Final[dict[str, Callable[[bytes], Any]]] = {
    "none": lambda payload: None,
    "bool": lambda payload: payload == b"\1",
    "int": lambda payload: int.from_bytes(payload, "little", signed=True),
    "float": lambda payload: struct.unpack("<d", payload)[0],
    "complex": lambda payload: complex(*struct.unpack("<dd", payload)),
    "bytes": bytes,
}
