"""JSON of which there is one form only, as RFC 8785 (JCS) says: what is digested or signed has no second spelling.

Only text, integers, truth values, null, lists and objects are taken. Floats are refused: their shortest decimal form is the one
hard part of the RFC, and what we digest has floats as text.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["canonical"]

LARGEST = 2**53 - 1
"""Integers beyond it are not the same in every reader of JSON."""


def canonical(value: Any) -> str:
    """Return the one text of a value; its UTF-8 is what is digested.

    Raises ValueError for a float, an integer beyond 2**53 - 1, a lone surrogate, and whatever JSON does not have.
    """
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(key)}:{canonical(value[key])}" for key in sorted(value, key=_units)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) and abs(value) <= LARGEST:
        return str(int(value))
    return _text(value)


def _units(key: str) -> bytes:
    """Return what keys are sorted by: their UTF-16 code units, whose order is not that of code points."""
    if not isinstance(key, str):
        raise ValueError(f"canonical JSON has text as keys, got {type(key).__name__}")
    return key.encode("utf-16-be", "surrogatepass")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"canonical JSON holds no {type(value).__name__} ({value!r})")
    value.encode("utf-8")  # UnicodeEncodeError is a ValueError
    return json.dumps(value, ensure_ascii=False)
