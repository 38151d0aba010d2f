"""The tables of a contract's text in another order, each with the comment above it: TOML itself knows no moving."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

__all__ = ["arranged"]

_HEADER = re.compile(r"\s*\[\s*columns\s*\.")


def arranged(text: str, names: Sequence[str]) -> str:
    """Return the text with its `[columns.NAME]` in the order of the names; as it is where they are written otherwise."""
    lines = text.splitlines(keepends=True)
    starts = [_commented(lines, at) for at, line in enumerate(lines) if _HEADER.match(line)]
    if not starts:
        return text
    pieces = ["".join(lines[start:end]) for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    try:
        blocks = {_name(piece): piece if piece.endswith("\n") else f"{piece}\n" for piece in pieces}
        if len(blocks) != len(pieces) or {*blocks} != {*names}:
            return text
        found = "".join(["".join(lines[: starts[0]]), *(blocks[name] for name in names)])
        return found if tomllib.loads(found) == tomllib.loads(text) else text
    except (tomllib.TOMLDecodeError, ValueError):
        return text


def _commented(lines: list[str], at: int) -> int:
    """Return where the comment starts that stands right above a line."""
    while at and lines[at - 1].lstrip().startswith("#"):
        at -= 1
    return at


def _name(piece: str) -> str:
    """Return the only column of a piece of text; ValueError for another number of them."""
    (name,) = tomllib.loads(piece)["columns"]
    return str(name)
