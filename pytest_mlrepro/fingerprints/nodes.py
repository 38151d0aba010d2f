"""The tree of a described value as bytes: small parts stand in their whole, large ones are held by their digests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from blake3 import blake3

from ..values.node import Array, Field, Group, Label, Node, Scalar
from .chunks import Piece, array_pieces, piece_size
from .digest import PREFIX, Fingerprint, Parts
from .encoding import (
    SMALL,
    Encoded,
    array_head,
    child,
    count,
    field_label,
    hashed,
    name_label,
    position_label,
    scalar,
    text,
)
from .reading import read_parts

__all__ = ["encode_array", "encode_node", "finished", "whole"]

_GROUP: Final = ord("G")
_SOME: Final = 32768
"""Bytes below which one call over joined bytes is faster than several calls."""


def encode_node(node: Node) -> Encoded:
    """Encode a tree, reading each of its arrays once."""
    if isinstance(node, Scalar):
        return scalar(node.kind, node.value)
    return encode_array(node) if isinstance(node, Array) else _group(node)


def finished(part: Encoded, kind: str) -> Fingerprint:
    """Return the fingerprint of what was encoded as a value of its own."""
    if not isinstance(part, bytes):
        return part
    return Fingerprint(hashed(part), kind, partial(read_parts, part, ()) if part[0] == _GROUP else ())


def whole(encoding: bytes, kind: str, large: list[Fingerprint]) -> Encoded:
    """Return a group that was put together, as a part is held: `large` are the parts that are in it by digest only."""
    if not large and len(encoding) <= SMALL:
        return encoding
    return Fingerprint(hashed(encoding), kind, partial(read_parts, encoding, tuple(large)))


def _group(node: Group) -> Encoded:
    encoded = [b"G", text(node.kind), count(len(node.attrs))]
    for name, fact in node.attrs:
        encoded += (text(name), text(fact))
    encoded.append(count(len(node.children)))
    large: list[Fingerprint] = []
    for label, node_below in node.children:
        part = encode_node(node_below)
        encoded += (name_label(label) if type(label) is str else _label(label, large), child(part))
        if not isinstance(part, bytes):
            large.append(part)
    return whole(b"".join(encoded), node.kind, large)


def _label(label: Label, large: list[Fingerprint]) -> bytes:
    if isinstance(label, str):
        return field_label(str(label)) if isinstance(label, Field) else name_label(str(label))
    if isinstance(label, int):
        return position_label(label)
    part = encode_node(label)
    if not isinstance(part, bytes):
        large.append(part)
    return b"n" + child(part)


def encode_array(node: Array) -> Encoded:
    """Encode an array; one of several pieces keeps their digests, which tell where it changed."""
    head = array_head(node.kind, node.dtype) + count(len(node.shape)) + b"".join(map(count, node.shape))
    found = array_pieces(node.data, node.dtype)
    if node.valid is None:
        encoded = [head + b"\0", *_pieces(found)]
    else:
        valid = array_pieces(node.valid, "bool")
        encoded = [head + b"\1", *_pieces(found), *_pieces(valid)]
    size = sum(map(len, encoded))
    if size <= SMALL and not isinstance(found, list):
        return b"".join(encoded)
    parts = partial(_ranges, found, node.data.size, piece_size(node.dtype)) if isinstance(found, list) else ()
    return Fingerprint(hashed(b"".join(encoded)) if size <= _SOME else _streamed(encoded), node.kind, parts)


def _streamed(encoded: list[bytes | memoryview]) -> str:
    hasher = blake3(b"mlrepro1")
    for piece in encoded:
        hasher.update(piece)
    return PREFIX + hasher.hexdigest()


def _pieces(found: Piece | list[bytes]) -> Iterator[bytes | memoryview]:
    if isinstance(found, list) or not found:
        yield count(len(found))
    else:
        yield b"\1" + count(sum(map(len, found)))
    yield from found


def _ranges(digests: list[bytes], size: int, step: int) -> Parts:
    """Name the pieces of a large array by their flat ranges, so that a diff tells where it changed."""
    return tuple(
        (f"[{at * step}:{min((at + 1) * step, size)}]", Fingerprint(PREFIX + raw.hex(), "chunk"))
        for at, raw in enumerate(digests)
    )
