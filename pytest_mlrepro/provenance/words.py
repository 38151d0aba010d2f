"""A suspect as a person reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .suspects import Suspect

__all__ = ["NAME", "joined", "line", "phrase", "plain", "shorten", "statement"]

NAME: Final = 64
TEXT: Final = 48
NONE: Final = "none of these"


def statement(suspect: Suspect) -> str:
    """Return what happened, as a clause: `train.fit_head changed`, `scikit-learn 1.8.0 → 1.9.1`."""
    name = shorten(suspect.name, NAME)
    match suspect.change:
        case "added" if suspect.weak:
            return f"{_titled(suspect)} was in use in this run only"
        case "removed" if suspect.weak:
            return f"{_titled(suspect)} was in use in the golden's run only"
        case "added":
            return f"{_titled(suspect)} is newly used"
        case "removed":
            return f"{_titled(suspect)} is no longer used"
        case "renamed":
            return f"{shorten(suspect.old, NAME)} is now called {shorten(suspect.new, NAME)}"
        case "changed" if suspect.source == "package" and _tells(suspect):
            return f"{name} {_step(suspect)}"
        case "changed" if suspect.source == "environment" and _tells(suspect):
            return f"{name} ({_step(suspect)})"
        case _:
            return f"{name} changed"


def phrase(suspect: Suspect) -> str:
    """Return the same as a noun, for a list: `train.fit_head`, `data/extra.csv (newly used)`."""
    match suspect.change:
        case "added":
            return f"{_titled(suspect)} (newly used)"
        case "removed":
            return f"{_titled(suspect)} (no longer used)"
        case "renamed":
            return f"{shorten(suspect.old, NAME)} (now {shorten(suspect.new, NAME)})"
        case _:
            return statement(suspect).removesuffix(" changed")


def line(suspect: Suspect) -> str:
    """Return the statement with its place, or with what was and what is."""
    place = suspect.new or suspect.old
    if suspect.change == "renamed" or suspect.source == "package" or not place:
        return statement(suspect)
    if suspect.source == "environment":
        return f"{shorten(suspect.name, NAME)}: {_step(suspect)}" if suspect.change == "changed" else statement(suspect)
    if suspect.source == "code" or suspect.change != "changed" or not _tells(suspect):
        return f"{statement(suspect)} ({shorten(place, TEXT)})"
    return f"{statement(suspect)} ({_step(suspect)})"


def _titled(suspect: Suspect) -> str:
    """Return the name, with the version of a package."""
    version = suspect.new or suspect.old if suspect.source == "package" else ""
    return " ".join(filter(None, (shorten(suspect.name, NAME), shorten(version, TEXT))))


def _tells(suspect: Suspect) -> bool:
    """Tell whether the texts say what the change was."""
    return (
        bool(suspect.old and suspect.new) and _step(suspect).partition(" → ")[0] != _step(suspect).partition(" → ")[2]
    )


def _step(suspect: Suspect) -> str:
    """Return both texts, cut to where they part if they are long."""
    old, new = plain(suspect.old), plain(suspect.new)
    if max(len(old), len(new)) > TEXT:
        old, new = _from_difference(old, new)
    return f"{shorten(old, TEXT)} → {shorten(new, TEXT)}"


def _from_difference(old: str, new: str) -> tuple[str, str]:
    """Return the items of two lists that are not in both, if they are lists; else the texts."""
    one, two = old.split(", "), new.split(", ")
    if len(one) == 1 or len(two) == 1:
        one, two = old.split(" "), new.split(" ")
        separator = " "
    else:
        separator = ", "
    left = separator.join(item for item in one if item not in two)
    right = separator.join(item for item in two if item not in one)
    return (left or NONE, right or NONE) if left or right else (old, new)


def joined(items: Sequence[str]) -> str:
    """Return a list in words: `a, b and c`."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else ""


def plain(text: str) -> str:
    """Return text that keeps to its line: what a terminal would act on is written as an escape."""
    return text if text.isprintable() else ascii(text)[1:-1]


def shorten(text: str, limit: int) -> str:
    """Return printable text, cut in the middle, where a name tells least."""
    text = plain(text)
    if len(text) <= limit:
        return text
    head = (limit - 3) // 2
    return f"{text[:head]}...{text[len(text) - (limit - 3 - head) :]}"
