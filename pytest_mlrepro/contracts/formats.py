"""What texts can look like: each format by a pattern that all engines understand alike."""

from __future__ import annotations

from typing import Final

__all__ = ["FORMATS", "IN_WORDS"]

FORMATS: Final = {
    "date": r"^\d{4}-\d{2}-\d{2}$",
    "date-time": r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$",
    "day-first date": r"^\d{1,2}[./]\d{1,2}[./]\d{4}$",
    "whole number": r"^[+-]?\d+$",
    "decimal point": r"^[+-]?\d+\.\d+$",
    "decimal comma": r"^[+-]?\d+,\d+$",
    "e-mail": r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$",
    "uuid": r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
    "url": r"^https?://\S+$",
    "hexadecimal": r"^[0-9a-f]{16,}$",
    "identifier": r"^[A-Za-z]{1,8}[-_]?\d+$",
}
"""In the order in which a column's is looked for. Digits and letters of ASCII alone, no look-around."""

IN_WORDS: Final = {
    "date": "dates like 2024-01-31",
    "date-time": "times like 2024-01-31T12:00:00",
    "day-first date": "dates like 31/01/2024",
    "whole number": "whole numbers",
    "decimal point": "numbers with a decimal point",
    "decimal comma": "numbers with a decimal comma",
    "e-mail": "e-mail addresses",
    "uuid": "UUIDs",
    "url": "addresses of the web",
    "hexadecimal": "hexadecimal digests",
    "identifier": "identifiers like AB-12",
}
