"""Small pieces of text that several commands print."""

from __future__ import annotations

from ..golden.pending import Proposal

__all__ = ["count", "plain", "plain_lines", "summary"]


def plain(text: str) -> str:
    """Return text with what would move the cursor, colour the terminal or break the line written as an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def plain_lines(text: str) -> str:
    """Return text whose line ends stay, and in whose lines nothing moves the cursor."""
    return "\n".join(map(plain, text.split("\n")))


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'s' * (number != 1)}"


def summary(proposal: Proposal) -> str:
    """Return how many checks a proposal is about."""
    parts = (("new", proposal.new), ("changed", proposal.changed), ("dropped", proposal.dropped))
    steps = count(len(proposal.steps), "step") + (" other than recorded" if proposal.base else "")
    values = ", ".join(f"{len(names)} {word}" for word, names in parts if names)
    return ", ".join(filter(None, (values, steps if proposal.steps else ""))) or "nothing"
