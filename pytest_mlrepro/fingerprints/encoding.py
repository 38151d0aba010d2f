"""The smallest pieces of the canonical encoding (docs/fingerprint-format.md): sizes, texts, labels and hashes."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any, Final, TypeAlias

from blake3 import blake3

from .digest import PREFIX, Fingerprint

__all__ = [
    "SMALL",
    "Encoded",
    "array_head",
    "child",
    "count",
    "field_label",
    "group_head",
    "hashed",
    "name_label",
    "pack_double",
    "pack_long",
    "payload",
    "position_label",
    "prefixed",
    "scalar",
    "text",
]

SMALL: Final = 4096
"""Bytes up to which the encoding of a part stands in that of its whole; above, its digest does."""
Encoded: TypeAlias = bytes | Fingerprint
"""A small part, or one that its whole holds by its digest."""

pack_double: Final = struct.Struct("<d").pack
pack_long: Final = struct.Struct("<q").pack
_pack_size: Final = struct.Struct("<Q").pack
_NAN: Final = struct.pack("<Q", 0x7FF8000000000000)
_ONE_BYTE: Final = [bytes([size]) for size in range(255)]


def count(number: int) -> bytes:
    """Encode a size: one byte below 255, else 255 and eight bytes."""
    return _ONE_BYTE[number] if number < 255 else b"\xff" + _pack_size(number)


def prefixed(data: bytes) -> bytes:
    """Encode bytes with their length before them."""
    return count(len(data)) + data


def text(value: str) -> bytes:
    """Encode a text; a lone surrogate as UTF-8 would write its code point."""
    return prefixed(value.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=4096)  # the same few keys come again in every row of metrics and every configuration
def name_label(name: str) -> bytes:
    """Encode a key, or the name of a column."""
    return b"s" + text(name)


@lru_cache(maxsize=1024)
def field_label(name: str) -> bytes:
    """Encode the name of a field or attribute."""
    return b"f" + text(name)


def position_label(position: int) -> bytes:
    """Encode a place in a list."""
    return b"i" + pack_long(position)


@lru_cache(maxsize=256)
def array_head(kind: str, dtype: str) -> bytes:
    """Encode what an array is, up to its shape."""
    return b"A" + text(kind) + text(dtype)


@lru_cache(maxsize=1024)
def group_head(kind: str, parts: int) -> bytes:
    """Encode what a group without attrs is, up to its parts."""
    return b"G" + text(kind) + b"\0" + count(parts)


def hashed(encoding: bytes) -> str:
    """Return the digest of a whole encoding."""
    return PREFIX + blake3(b"mlrepro1" + encoding).hexdigest()


def child(part: Encoded) -> bytes:
    """Encode a part within its whole: itself if it is small, else by its digest."""
    if isinstance(part, bytes):
        return b"=" + prefixed(part)
    return b"#" + bytes.fromhex(part.digest.removeprefix(PREFIX))


def scalar(kind: str, value: Any) -> Encoded:
    """Encode a scalar of any kind by its canonical value."""
    encoding = _scalar_head(kind) + prefixed(payload(value))
    return encoding if len(encoding) <= SMALL else Fingerprint(hashed(encoding), kind)


@lru_cache(maxsize=128)
def _scalar_head(kind: str) -> bytes:
    return b"S" + text(kind)


def payload(value: Any) -> bytes:
    """Encode the canonical value of a scalar; its kind, encoded before it, tells the type."""
    if isinstance(value, float):
        return pack_double(value) if value == value else _NAN
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"\1" if value else b"\0"
    if isinstance(value, int):
        return value.to_bytes(max(8, value.bit_length() // 8 + 1), "little", signed=True)
    if isinstance(value, complex):
        return payload(value.real) + payload(value.imag)
    encoded: bytes = value
    return encoded
