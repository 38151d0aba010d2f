"""Files that DVC keeps, from its cache on this machine, by the pointer that git has of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["cached"]

_MD5: Final = re.compile(rb"^-?\s*(?:-\s+)?md5:\s*([0-9a-f]{32})\s*$", re.MULTILINE)


def cached(pointer: bytes, top: Path) -> bytes | None:
    """Return the content that a `.dvc` file of one output points to; None if it isn't in the cache, or is a folder."""
    found = _MD5.findall(pointer)
    if len(set(found)) != 1:
        return None
    name = found[0].decode("ascii")
    for path in _places(top, name):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        if hashlib.md5(data, usedforsecurity=False).hexdigest() == name:
            return data
    return None


def _places(top: Path, name: str) -> Iterator[Path]:
    """Yield where DVC 3 and DVC 2 keep a file."""
    for folder in (top / ".dvc" / "cache" / "files" / "md5", top / ".dvc" / "cache"):
        yield folder / name[:2] / name[2:]
