"""A fingerprint over parts whose digests are known: the encoding of a group, without the values below it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from blake3 import blake3

from .digest import PREFIX, Fingerprint

__all__ = ["combined"]

_pack_size: Final = struct.Struct("<Q").pack


def combined(kind: str, parts: Sequence[tuple[str, Fingerprint]]) -> Fingerprint:
    """Return the fingerprint of named parts in their order: the digest is that of a group of this kind over them."""
    encoded = [b"mlrepro1G", _text(kind), _pack_size(0), _pack_size(len(parts))]
    for name, part in parts:
        encoded += (b"s", _text(name), bytes.fromhex(part.digest.removeprefix(PREFIX)))
    return Fingerprint(PREFIX + blake3(b"".join(encoded)).hexdigest(), kind, tuple(parts))


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return _pack_size(len(data)) + data
