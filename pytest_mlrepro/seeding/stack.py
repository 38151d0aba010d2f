"""The scopes that are open, innermost last. Module level because what they patch is the whole process's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .scope import SeedScope

__all__ = ["OPEN", "innermost"]

OPEN: list[SeedScope] = []


def innermost() -> SeedScope | None:
    """Return the scope that draws are served from, or None."""
    try:
        return OPEN[-1]
    except IndexError:  # also when another thread closes the last one between a test and this line
        return None
