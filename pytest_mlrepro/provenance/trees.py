"""Two fingerprints of one thing, walked down to the smallest parts that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ..fingerprints.digest import Fingerprint

__all__ = ["Change", "Difference", "Key", "differences", "numbered", "one_sided"]

Change: TypeAlias = Literal["changed", "added", "removed", "renamed"]
Key: TypeAlias = tuple[str, int]
_FEW: Final = 3
"""Parts up to which each is told although all of them changed."""
_PIECE: Final = "chunk"
_FOLDER: Final = "folder"
_FILES: Final = ("file", "folder", "artifact.")


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that isn't the same on both sides; `before` is its old path, which differs only for a renamed one."""

    change: Change
    path: str
    before: str
    old: Fingerprint | None
    new: Fingerprint | None

    @property
    def is_file(self) -> bool:
        """Tell whether it is a file or a folder, whose name rarely matters, unlike that of a column or a layer."""
        part = self.new or self.old
        return part is not None and part.kind.startswith(_FILES)


def differences(old: Fingerprint, new: Fingerprint, path: str, joint: str = ": ") -> list[Difference]:
    """Return what differs at and below a path; [] if the digests are equal.

    A part whose content is found again under another name on the new side is renamed. Where nearly nothing is left of a
    whole (all parts of more than three changed), or its parts are not known on one side, the whole is told.
    `joint` stands between the names of a whole and a part that has no bracket or dot of its own.
    """
    if old.digest == new.digest:
        return []
    whole = [Difference("changed", path, path, old, new)]
    if not old.parts or not new.parts:
        return whole
    before, after = numbered(old), numbered(new)
    between = "/" if old.kind.endswith(_FOLDER) else joint
    found: list[Difference] = []
    for key, part in before.items():
        if key in after:
            found += differences(part, after[key], _join(path, key[0], between), joint)
    found += one_sided(before, after, path, between)
    kept = any(key in after and after[key].digest == part.digest for key, part in before.items())
    if not found or (not kept and min(len(before), len(after)) > _FEW):
        return whole
    return found


def numbered(whole: Fingerprint) -> dict[Key, Fingerprint]:
    """Return the parts by name; those of one name are matched in order."""
    seen: Counter[str] = Counter()
    parts: dict[Key, Fingerprint] = {}
    for name, part in whole.parts:
        parts[name, seen[name]] = part
        seen[name] += 1
    return parts


def one_sided(
    before: dict[Key, Fingerprint], after: dict[Key, Fingerprint], path: str, joint: str
) -> Iterator[Difference]:
    """Yield the parts at a path that only one side has; pairs of the same content are one renamed part."""
    arrived = {key: part for key, part in after.items() if key not in before}
    twins: dict[tuple[str, str], list[Key]] = {}
    for key, part in reversed(arrived.items()):
        if part.kind != _PIECE:  # a range of an array or file: that one is like another says nothing
            twins.setdefault((part.digest, part.kind), []).append(key)
    for key, part in before.items():
        if key in after:
            continue
        here = _join(path, key[0], joint)
        if twin := twins.get((part.digest, part.kind)):
            name = twin.pop()
            yield Difference("renamed", _join(path, name[0], joint), here, part, arrived.pop(name))
        else:
            yield Difference("removed", here, here, part, None)
    for key, part in arrived.items():
        here = _join(path, key[0], joint)
        yield Difference("added", here, here, None, part)


def _join(path: str, name: str, joint: str) -> str:
    return path + name if not path or name.startswith(("[", ".")) else f"{path}{joint}{name}"
