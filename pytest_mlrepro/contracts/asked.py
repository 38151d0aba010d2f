"""What a check of a split is asked: which column is what, and what is no fault, each checked against the parts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from ..errors import UsageError
from .parts import Part
from .rows import identifying
from .split_words import named

__all__ = ["KINDS", "Asked", "named_by", "require_allowed"]

KINDS: Final = (
    "columns", "constant-label", "dtypes", "giveaway", "identical-rows", "label-balance", "near-identical-rows",
    "null-columns", "null-keys", "null-labels", "null-times", "other-label", "shared-groups", "shared-keys", "time-order",
    "time-zones", "unseen-label",
)  # fmt: skip


class Asked:
    """Which columns are what, checked."""

    def __init__(
        self,
        parts: Sequence[Part],
        key: list[str],
        group: list[str],
        time: str | None,
        label: str | None,
        ignore: Sequence[str],
    ) -> None:
        self.parts, self.key, self.group, self.time, self.label, self.ignore = parts, key, group, time, label, ignore
        self.shared = [name for name in parts[0].names if all(name in part.names for part in parts)]
        if not self.shared:
            raise UsageError(
                "split: the parts have no column in common: "
                + "; ".join(f"{part.name} has {named(part.names)}" for part in parts)
            )
        for argument, names in (("key", key), ("group", group), ("time", [time] if time is not None else [])):
            for name in names:
                self._require(argument, name, parts)
        if label is not None and not any(label in part.names for part in parts):
            self._require("label", label, parts[:1])
        for name in ignore:
            if not any(name in part.names for part in parts):
                self._require("ignore", name, parts[:1])

    def _require(self, argument: str, name: str, parts: Sequence[Part]) -> None:
        for part in parts:
            if name not in part.names:
                raise UsageError(
                    f"split: {argument}={name!r} is no column of {part.name}, which has {named(part.names)}"
                )

    def emptied(self, name: str) -> list[Part]:
        """Return the parts in which a column has no values although it has some in another."""
        empty = [part for part in self.parts if bool(part.column(name).null.all())]
        return empty if len(empty) < len(self.parts) else []

    def features(self) -> tuple[list[str], list[str]]:
        """Return the columns by which rows are compared, and those that are left out since they name rows."""
        out = {*self.key, *self.ignore, self.label}
        names = [name for name in self.shared if name not in out and not self.emptied(name)]
        identifiers = identifying(self.parts, names)
        rest = [name for name in names if name not in identifiers]
        return (rest, identifiers) if len(rest) > 1 else (names or self.shared, [])


def named_by(argument: str, value: str | Sequence[str] | None) -> list[str]:
    """Return the names of columns that an argument gives."""
    if value is None:
        return []
    names = [value] if isinstance(value, str | int) else list(value)
    if not names:
        raise UsageError(f"split: {argument} names no column")
    return [str(name) for name in names]


def require_allowed(allow: Collection[str], asked: Asked) -> None:
    """Raise UsageError for a name that is neither a column nor a kind: a slip of the pen would allow nothing."""
    if isinstance(allow, str):
        raise UsageError(f"split: allow must be a collection of names, got the text {allow!r}: write [{allow!r}]")
    for name in allow:
        if name not in KINDS and name not in asked.shared:
            raise UsageError(f"split: allow names {name!r}, which is neither a column nor a kind ({', '.join(KINDS)})")
