"""JSON as text that version control can merge and people can read: sorted keys, one field a line, the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

__all__ = ["Json", "json_text", "one_line"]

Json: TypeAlias = Any  # what json.loads gives: checked field by field as it is read


def json_text(value: Json) -> str:
    """Return the value with a line for each field; what holds no object and no list of its own stays on one line."""
    return "".join(_lines(value, "")) + "\n"


def one_line(value: Json) -> str:
    """Return the value on one line, keys sorted: what JSON lines are made of."""
    return _text(value)


def _lines(value: Json, indent: str) -> Iterator[str]:
    if not isinstance(value, (dict, list)) or not any(isinstance(item, (dict, list)) for item in _items(value)):
        yield _text(value)
        return
    deeper, (opening, closing) = indent + " ", "{}" if isinstance(value, dict) else "[]"
    yield opening
    for number, (prefix, item) in enumerate(_prefixed(value)):
        yield ("," if number else "") + f"\n{deeper}{prefix}"
        yield from _lines(item, deeper)
    yield f"\n{indent}{closing}"


def _prefixed(value: Json) -> list[tuple[str, Json]]:
    if isinstance(value, dict):
        return [(f"{_text(key)}: ", value[key]) for key in sorted(value)]
    return [("", item) for item in value]


def _items(value: Json) -> list[Json]:
    return list(value.values()) if isinstance(value, dict) else list(value)


def _text(value: Json) -> str:
    """Return JSON on one line; what can't be printed is escaped, so that a line stays a line to every tool."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text if text.isprintable() else json.dumps(value, sort_keys=True, allow_nan=False)
