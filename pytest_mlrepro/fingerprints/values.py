"""Values as digests: the canonical encoding of docs/fingerprint-format.md, hashed as a Merkle tree with BLAKE3."""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

from blake3 import blake3

from ..values.describe import describe
from ..values.node import Array, Group, Label, Node, Scalar
from ..values.paths import label_text
from ..values.walk import Foreign
from .chunks import Chunks, array_chunks
from .digest import PREFIX, Fingerprint

__all__ = ["fingerprint", "fingerprint_node"]

_Parts: TypeAlias = tuple[tuple[str, Fingerprint], ...]
_FEW: Final = 4096
"""Elements below which one call over joined bytes is faster than several calls."""
_NAN: Final = struct.pack("<Q", 0x7FF8000000000000)
_pack_float: Final = struct.Struct("<d").pack
_pack_long: Final = struct.Struct("<q").pack
_pack_size: Final = struct.Struct("<Q").pack


def fingerprint(value: object) -> Fingerprint:
    """Return the fingerprint of any value that `describe` covers; raises FingerprintError for others.

    Equal content gives equal digests whatever the layout, chunking, process, machine or library version.
    """
    return fingerprint_node(describe(value))


def fingerprint_node(node: Node) -> Fingerprint:
    """Return the fingerprint of a described value, reading every array once, in pieces of 4 MiB."""
    return _digest(node)[1]


def _digest(node: Node) -> tuple[bytes, Fingerprint]:
    if isinstance(node, Scalar):
        raw = _scalar(node)
        return raw, Fingerprint(PREFIX + raw.hex(), node.kind)
    raw, parts = _array(node) if isinstance(node, Array) else _group(node)
    return raw, Fingerprint(PREFIX + raw.hex(), node.kind, parts)


def _scalar(node: Scalar) -> bytes:
    data = _value(node.value)
    kind = _KINDS.get(node.kind) or _text(node.kind)
    return blake3(b"mlrepro1S" + kind + _pack_size(len(data)) + data).digest()


def _value(value: Foreign) -> bytes:
    """Encode the canonical value of a scalar; its kind, encoded before it, tells the type."""
    if isinstance(value, float):
        return _pack_float(value) if value == value else _NAN
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"\1" if value else b"\0"
    if isinstance(value, int):
        return value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    if isinstance(value, complex):
        return _float(value.real) + _float(value.imag)
    encoded: bytes = value
    return encoded


def _float(value: float) -> bytes:
    return _pack_float(value) if value == value else _NAN


def _array(node: Array) -> tuple[bytes, _Parts]:
    chunks = array_chunks(node.data, node.dtype)
    encoded: tuple[bytes | memoryview, ...] = (_array_header(node), *chunks.payload)
    if node.valid is not None:
        encoded += array_chunks(node.valid, "bool").payload
    parts = _ranges(node, chunks) if chunks.digests else ()
    if node.data.size < _FEW:
        return blake3(b"".join(encoded)).digest(), parts
    hasher = blake3()
    for piece in encoded:
        hasher.update(piece)
    return hasher.digest(), parts


def _array_header(node: Array) -> bytes:
    dims = b"".join(map(_pack_size, node.shape))
    nulls = b"\0" if node.valid is None else b"\1"
    return b"mlrepro1A" + _text(node.kind) + _text(node.dtype) + _pack_size(len(node.shape)) + dims + nulls


def _ranges(node: Array, chunks: Chunks) -> _Parts:
    """Name the pieces of a large array by their flat ranges, so that a diff tells where it changed."""
    size, step = node.data.size, chunks.step
    return tuple(
        (f"[{at * step}:{min((at + 1) * step, size)}]", Fingerprint(PREFIX + raw.hex(), "chunk"))
        for at, raw in enumerate(chunks.digests)
    )


def _group(node: Group) -> tuple[bytes, _Parts]:
    encoded = [b"mlrepro1G", _text(node.kind), _pack_size(len(node.attrs))]
    for name, fact in node.attrs:
        encoded += (_text(name), _text(fact))
    encoded.append(_pack_size(len(node.children)))
    parts: list[tuple[str, Fingerprint]] = []
    for label, child in node.children:
        if type(label) is str:  # written out, since a dict of metrics is checked after every step of a training
            key = label.encode("utf-8", "surrogatepass")
            encoded += (b"s", _pack_size(len(key)), key)
        else:
            encoded.append(_label(label))
        raw, part = _digest(child)
        encoded.append(raw)
        parts.append((label_text(label), part))
    return blake3(b"".join(encoded)).digest(), tuple(parts)


def _label(label: Label) -> bytes:
    if isinstance(label, str):
        return b"s" + _text(label)
    if isinstance(label, int):
        return b"i" + _pack_long(label)
    return b"n" + _digest(label)[0]


def _text(text: str) -> bytes:
    return _prefixed(text.encode("utf-8", "surrogatepass"))


def _prefixed(data: bytes) -> bytes:
    return _pack_size(len(data)) + data


_KINDS: Final = {kind: _text(kind) for kind in ("none", "bool", "int", "float", "str")}
