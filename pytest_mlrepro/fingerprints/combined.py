"""A fingerprint over parts whose digests are known: the encoding of a group, without the values below it."""

from __future__ import annotations

from collections.abc import Sequence

from .digest import Fingerprint
from .encoding import child, group_head, hashed, name_label

__all__ = ["combined"]


def combined(kind: str, parts: Sequence[tuple[str, Fingerprint]]) -> Fingerprint:
    """Return the fingerprint of named parts in their order: a group of this kind that holds all of them by digest."""
    encoded = [group_head(kind, len(parts)), *(name_label(name) + child(part) for name, part in parts)]
    return Fingerprint(hashed(b"".join(encoded)), kind, tuple(parts))
