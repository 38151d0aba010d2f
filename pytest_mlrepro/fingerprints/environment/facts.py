"""One fact about the environment, and how to ask for it without ever failing a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["UNKNOWN", "Fact", "ask"]

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Fact:
    """A named fact; docs/provenance.md lists all of them, with the reason why each can change numbers or can't."""

    name: str
    text: str
    """What a person reads."""
    numeric: bool = True
    """Whether another value can lead to another result."""
    value: str | None = None
    """What tells two environments apart, where that isn't the text."""
    package: str | None = None
    """The package that it is a fact about, where it is one: code that doesn't use the package isn't concerned."""


def ask(question: Callable[[], str]) -> str:
    """Return the answer, or `unknown`: what is asked belongs to other libraries, and a test goes on if one is broken."""
    try:
        return question() or UNKNOWN
    except Exception:  # noqa: BLE001  # whatever a half-imported or patched library raises
        return UNKNOWN
