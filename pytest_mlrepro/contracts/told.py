"""Rows, values and shares of what breaks a contract, in words."""

from __future__ import annotations

from typing import Any

from .split_words import SHOWN, short

__all__ = ["allowed", "places", "some"]


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
