"""Names that the exports share: the same for the same content, so that an export of the same store has the same bytes."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Final

from .._json import Json

__all__ = ["NAMESPACE", "PRODUCER", "clean", "counted", "hexadecimal", "number_free", "short_name", "uuid_of"]

NAMESPACE: Final = "urn:pytest-mlrepro:"
PRODUCER: Final = "urn:pytest-mlrepro"
_LONG: Final = 60


def hexadecimal(digest: str) -> str:
    """Return the hexadecimal part of a digest such as `blake3:…`; of other text, the start of its SHA-256."""
    found = re.fullmatch(r"[a-z0-9-]+:([0-9a-f]{64})", digest)
    return found[1] if found else hashlib.sha256(digest.encode("utf-8", "surrogatepass")).hexdigest()


def uuid_of(*parts: str) -> str:
    """Return the UUID (version 5) of some text."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE + "\0".join(parts)))


def short_name(folder: str) -> str:
    """Return a file name for the golden in a folder: readable, and unlike that of any other folder."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.rpartition("/")[2])[:_LONG]
    return f"{readable}-{hashlib.sha256(folder.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def clean(text: str) -> str:
    """Return text without lone surrogates, which names of files may have and no format of ours can hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def number_free(value: Json) -> Json:
    """Return JSON that canonical JSON can hold: floats as their shortest text, and text cleaned."""
    if isinstance(value, dict):
        return {clean(str(name)): number_free(item) for name, item in value.items()}
    if isinstance(value, list):
        return [number_free(item) for item in value]
    if isinstance(value, float):
        return repr(value)
    return clean(value) if isinstance(value, str) else value
