"""One line of a history: which fields it has, its digest, and the one text that it may have.

Schema 2 is canonical JSON (RFC 8785) and names its digest's algorithm, so that a reader of another language, years later, needs
no word of ours. Schema 1 is what versions before it wrote; its lines stay as they are and stay readable.
"""

from __future__ import annotations

import json
import re
from typing import TypeAlias

from blake3 import blake3

from .._canonical import canonical
from ..errors import GoldenError

__all__ = ["ALGORITHM", "SCHEMA", "Entry", "digest", "entry_line", "is_whole", "parsed", "safe"]

SCHEMA = 2
ALGORITHM = "blake3"
FIELDS = {"action", "author", "change", "commit", "digest", "new", "old", "previous", "reason", "schema", "time"}
UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What would break a line in some tool, turn the direction of text, command a terminal, or is no text at all."""
Entry: TypeAlias = dict[str, str | int | None]


def safe(text: str) -> str:
    r"""Return text with the unsafe characters written as escapes (`\u2028`), since canonical JSON would leave them as they are."""
    return UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def entry_line(entry: Entry) -> str:
    """Return the line of a new entry."""
    return canonical(entry)


def parsed(line: str, where: str) -> Entry:
    """Return the entry of a line; `where` is how an error calls it."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        raise GoldenError(f"{where} is no entry: it is not JSON") from None
    if not isinstance(entry, dict):
        raise GoldenError(f"{where} is no entry of a golden's history")
    schema = entry.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise GoldenError(f"{where} has schema {schema}, this version knows {SCHEMA}: update pytest-mlrepro")
    if entry.keys() != (FIELDS if schema == 1 else FIELDS | {"algorithm"}) or not _plain(entry):
        raise GoldenError(f"{where} is no entry of a golden's history")
    return entry


def _plain(entry: dict[str, object]) -> bool:
    return all(value is None or isinstance(value, (str, int)) for value in entry.values())


def digest(entry: Entry) -> str:
    """Return the digest over the other fields of an entry: it shows an edit, and the next entry refers to it."""
    fields = {name: value for name, value in entry.items() if name != "digest"}
    text = _first(fields, ascii_only=True) if entry["schema"] == 1 else canonical(fields)
    return f"{ALGORITHM}:{blake3(text.encode()).hexdigest()}"


def is_whole(entry: Entry, line: str) -> bool:
    """Tell whether a line is as it was written; an entry with another spelling is not, whatever it says."""
    try:
        if digest(entry) != entry["digest"]:
            return False
        if entry["schema"] == 1:  # what counts as printable, and was written plainly, may differ between two Pythons
            return line in (_first(entry, ascii_only=False), _first(entry, ascii_only=True))
        return entry["schema"] == SCHEMA and entry["algorithm"] == ALGORITHM and line == canonical(entry)
    except ValueError:  # a lone surrogate or a number that canonical JSON doesn't have
        return False


def _first(entry: Entry, *, ascii_only: bool) -> str:
    """Return the text that schema 1 has."""
    return json.dumps(entry, sort_keys=True, ensure_ascii=ascii_only, separators=(",", ":"))
