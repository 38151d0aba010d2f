"""A digest with the digests of its parts, so that two of them tell which parts differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

__all__ = ["PREFIX", "Fingerprint", "Parts"]

PREFIX: Final = "mlrepro1-blake3:"
"""Names the version of the encoding (docs/fingerprint-format.md) and the hash."""

Parts: TypeAlias = "tuple[tuple[str, Fingerprint], ...]"


class Fingerprint:
    """What a value is, in one line: equal digests mean equal content. It never changes, and compares by its digest.

    `parts` are named as a path goes on from the whole: `['a']`, `[3]`, `.weight`; other names, such as those of files
    or functions, are set apart by a slash. They may be given as a function that makes them, which is called when
    somebody first asks: a check of a golden looks at the digest alone, and so does not pay for its parts.
    """

    __slots__ = ("_digest", "_kind", "_parts", "_text")

    def __init__(self, digest: str, kind: str, parts: Parts | Callable[[], Parts] = (), text: str = "") -> None:
        self._digest, self._kind, self._parts, self._text = digest, kind, parts, text

    @property
    def digest(self) -> str:
        """`mlrepro1-blake3:` and 64 hexadecimal digits."""
        return self._digest

    @property
    def kind(self) -> str:
        """What it is a fingerprint of: `dict`, `numpy.ndarray`, `file` …"""
        return self._kind

    @property
    def parts(self) -> Parts:
        """Names and fingerprints of the parts, in order."""
        if callable(self._parts):
            self._parts = self._parts()
        return self._parts

    @property
    def text(self) -> str:
        """What a person reads of it, such as a version or `train.py:41`; takes no part in the digest."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, Fingerprint) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Fingerprint({self.digest!r}, {self.kind!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Fingerprint, (self.digest, self.kind, self.parts, self.text)

    def diff(self, other: Fingerprint) -> tuple[str, ...]:
        """Return the paths of the smallest parts that were changed, added or removed; () if nothing differs.

        A whole that became another kind of thing, or that differs although no part of it does, gives its own path, which
        is "" at the top. Parts of one name are matched in order.
        """
        return tuple(_changed(self, other, ""))


def _changed(old: Fingerprint, new: Fingerprint, path: str) -> Iterator[str]:
    if old.digest == new.digest:
        return
    if old.kind != new.kind:
        yield path
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


def _numbered(whole: Fingerprint) -> dict[tuple[str, int], Fingerprint]:
    seen: Counter[str] = Counter()
    parts: dict[tuple[str, int], Fingerprint] = {}
    for name, part in whole.parts:
        parts[name, seen[name]] = part
        seen[name] += 1
    return parts


def _join(path: str, name: str) -> str:
    return path + name if not path or name.startswith(("[", ".")) else f"{path}/{name}"
