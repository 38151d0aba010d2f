"""What can be put back: one definition, some files, or a variable of the environment; and what that leaves in the tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from .source import Unsplicable
from .splice import spliced

__all__ = ["Change", "Unit", "Untried", "put_back"]

Read: TypeAlias = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Unit:
    """One suspect that can be put back."""

    label: str
    note: str = ""
    """What a person should know of how it is put back."""
    known: bool | None = None
    """Whether it is what the golden was made from, by its digest; None if that can't be told."""
    commit: str = ""
    definitions: tuple[tuple[str, str, bytes], ...] = ()
    """Path from the top, qualified name, old content of the file."""
    files: tuple[tuple[str, bytes | None], ...] = ()
    """Path from the top, and the old content; None where there was no such file."""
    variables: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Untried:
    """One suspect that can't be put back, and why, or what to do by hand."""

    label: str
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    """How a tree and an environment differ from those of now."""

    files: Mapping[str, bytes | None] = field(default_factory=dict)
    variables: Mapping[str, str | None] = field(default_factory=dict)


def put_back(units: Iterable[Unit], read: Read) -> Change:
    """Return what it takes to put some units back; raise Unsplicable if they can't be put back together.

    read: gives the content of a file of now. Whole files come first, so that a definition in one of them stays as it was.
    """
    chosen = list(units)
    files = {path: data for unit in chosen for path, data in unit.files}
    for path, qualname, old in [definition for unit in chosen for definition in unit.definitions]:
        now = files[path] if path in files else read(path)
        if now is None:
            raise Unsplicable(f"{path} is gone")
        files[path] = spliced(now, old, qualname)
    return Change(files, {name: value for unit in chosen for name, value in unit.variables})
