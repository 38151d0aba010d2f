"""Rows, values and shares of what breaks a contract, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from .finding import Finding
from .split_words import SHOWN, short

__all__ = ["allowed", "listed", "places", "quoted", "some", "titled"]

MOST: Final = 3_000
"""Bytes of the findings in a message; a table of a thousand columns can have thousands."""
LONG: Final = 60
"""Characters of a column's name."""


def allowed(share: float) -> str:
    """Return how much is allowed."""
    return "none is allowed" if not share else f"{100 * share:.3g} % of them are allowed"


def places(rows: tuple[int, ...], values: list[Any]) -> str:
    """Return the first rows with their values, or what is known of them: ` (99 in row 10, 98 in row 11, …)`."""
    if not rows and not values:
        return ""
    more = ", …" if max(len(rows), len(values)) > SHOWN else ""
    if not values:
        return f" (row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows[:SHOWN]))}{more})"
    told = [short(value) for value in values[:SHOWN]]
    if rows:
        told = [f"{value} in row {at}" for value, at in zip(told, rows, strict=False)]
    return f" ({', '.join(told)}{more})"


def some(values: tuple[Any, ...]) -> str:
    """Return what is allowed, the first of many."""
    return f"one of {', '.join(map(short, values[:6]))}" + (f" and {len(values) - 6} more" if len(values) > 6 else "")


def titled(name: str) -> str:
    """Return a column's name as it may stand in a message: on one line, and not longer than it helps."""
    text = name if name.isprintable() else repr(name)
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def quoted(name: str) -> str:
    """Return a column's name in quotes, where it stands in a sentence."""
    return repr(name) if len(name) <= LONG else repr(f"{name[:LONG]}…")


def listed(head: str, findings: Sequence[Finding], line: Callable[[Finding], str]) -> str:
    """Return findings under a head, the first of many: a message stays below 4 KB."""
    lines, size = [head], 0
    for at, finding in enumerate(findings):
        text = line(finding)
        size += len(text.encode("utf-8", "surrogatepass"))
        if size > MOST and at:
            rest = Counter(finding.kind for finding in findings[at:])
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in rest.most_common(8))
            lines.append(f"  … and {rest.total():,} more: {kinds}")
            break
        lines.append(text)
    return "\n".join(lines)
