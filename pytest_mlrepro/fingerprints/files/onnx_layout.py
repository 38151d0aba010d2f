"""The initializers of an ONNX model: found by following the lengths of its protobuf fields, decoding no tensor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ...values.paths import label_text
from .parts import Layout, Part, Reader

__all__ = ["onnx_layout"]

_MOST_FIELDS: Final = 200_000
_MOST_NAME: Final = 65_536
_GRAPH, _INITIALIZER, _TENSOR_NAME = 7, 5, 8  # field numbers of ModelProto, GraphProto, TensorProto
_BYTES: Final = 2
"""The wire type of what has a length: text, bytes and messages."""


class _Field(NamedTuple):
    number: int
    wire: int
    start: int
    stop: int


def onnx_layout(reader: Reader) -> Layout | None:
    """Return one part for each named initializer of the graph; raises ValueError where this is no such file."""
    budget = [_MOST_FIELDS]
    parts = []
    for field in list(_fields(reader, 0, reader.size, budget)):
        if (field.number, field.wire) != (_GRAPH, _BYTES):
            continue
        for inner in _fields(reader, field.start, field.stop, budget):
            if (inner.number, inner.wire) == (_INITIALIZER, _BYTES):
                parts.append(_initializer(reader, inner, budget))
    return Layout("onnx", tuple(parts))


def _initializer(reader: Reader, tensor: _Field, budget: list[int]) -> Part:
    for field in _fields(reader, tensor.start, tensor.stop, budget):
        if (field.number, field.wire) == (_TENSOR_NAME, _BYTES) and field.stop - field.start <= _MOST_NAME:
            name = reader.read(field.start, field.stop - field.start).decode("utf-8")
            return Part(label_text(name), "tensor", "", tensor.start, tensor.stop)
    raise ValueError("an initializer without a name")


def _fields(reader: Reader, at: int, end: int, budget: list[int]) -> Iterator[_Field]:
    """Yield the fields of a message, which must fill its range exactly."""
    while at < end:
        budget[0] -= 1
        if budget[0] < 0:
            raise ValueError("more fields than a model has")
        window = reader.read(at, 20)
        tag, used = _varint(window, 0)
        wire = tag & 7
        start = at + used
        if wire == _BYTES:
            length, end_of_length = _varint(window, used)
            start = at + end_of_length
            stop = start + length
        elif wire == 0:
            stop = at + _varint(window, used)[1]
        elif wire in (1, 5):
            stop = start + (8 if wire == 1 else 4)
        else:
            raise ValueError("no such wire type")
        if stop > end or not tag >> 3:
            raise ValueError("a field beyond its message")
        yield _Field(tag >> 3, wire, start, stop)
        at = stop


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where it ends."""
    number = 0
    for shift in range(0, 70, 7):
        byte = data[at]  # IndexError where the file ends
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number, at
    raise ValueError("a number of more than 64 bits")
