"""A digest with the digests of its parts, so that two of them tell which parts differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

__all__ = ["PREFIX", "Fingerprint"]

PREFIX: Final = "mlrepro1-blake3:"
"""Names the version of the encoding (docs/fingerprint-format.md) and the hash."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a value is, in one line: equal digests mean equal content.

    `parts` are named as a path goes on from the whole: `['a']`, `[3]`, `.weight`; other names, such as those of files
    or functions, are set apart by a slash.
    """

    digest: str
    """`mlrepro1-blake3:` and 64 hexadecimal digits."""
    kind: str
    parts: tuple[tuple[str, Fingerprint], ...] = ()
    text: str = field(default="", compare=False)
    """What a person reads of it, such as a version or `train.py:41`; takes no part in the digest."""

    def diff(self, other: Fingerprint) -> tuple[str, ...]:
        """Return the paths of the smallest parts that were changed, added or removed; () if nothing differs.

        A whole that differs although no part of it does gives the path of the whole, which is "" at the top. Parts of
        one name are matched in order.
        """
        return tuple(_changed(self, other, ""))


_Parts: TypeAlias = dict[tuple[str, int], Fingerprint]


def _changed(old: Fingerprint, new: Fingerprint, path: str) -> Iterator[str]:
    if old.digest == new.digest:
        return
    before, after = _numbered(old), _numbered(new)
    found = False
    for key in [*before, *(key for key in after if key not in before)]:
        below = _join(path, key[0])
        both = key in before and key in after
        inside = list(_changed(before[key], after[key], below)) if both else [below]
        found = found or bool(inside)
        yield from inside
    if not found:
        yield path


def _numbered(whole: Fingerprint) -> _Parts:
    seen: Counter[str] = Counter()
    parts: _Parts = {}
    for name, part in whole.parts:
        parts[name, seen[name]] = part
        seen[name] += 1
    return parts


def _join(path: str, name: str) -> str:
    return path + name if not path or name.startswith(("[", ".")) else f"{path}/{name}"
