"""Verdicts as properties of a JUnit file, which CI services read: one fact a property, in characters that XML can hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..session import Session

__all__ = ["suite_properties", "verdict_properties", "xml_name"]

_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\t\n\r]")
_LONGEST: Final = 200


def xml_name(text: str) -> str:
    """Return text that may stand in an attribute: pytest escapes the values of properties, and not their names."""
    return _NOT_XML.sub(lambda match: f"#x{ord(match[0]):02X}", text)


def verdict_properties(name: str, told: str) -> Iterator[tuple[str, str]]:
    """Yield the facts of one verdict that are single values: `mlrepro.drift:train.rows` and so on, the outcome first.

    told: the facts as JSON, as they are in the property `mlrepro.verdict:NAME`, which has the others too.
    """
    facts: Mapping[str, Any] = json.loads(told)
    kind = facts.get("kind", "check")
    shown = {key: value for key, value in facts.items() if isinstance(value, str | int | float) and key != "kind"}
    for key in sorted(shown, key=lambda key: (key != "outcome", key != "verdict", key)):
        yield xml_name(f"mlrepro.{kind}:{name}.{key}"), str(shown[key])[:_LONGEST]


def suite_properties(session: Session, version: str) -> Iterator[tuple[str, str]]:
    """Yield what is to be said of a whole run: the version, the mode, and how often each outcome was."""
    yield "mlrepro.version", version
    yield "mlrepro.mode", session.settings.mode
    for outcome, count in sorted(session.outcomes.items()):
        yield f"mlrepro.golden.{outcome}", str(count)
    verdicts: dict[str, int] = {}
    for _, _, told in session.verdicts:
        facts = json.loads(told)
        key = f"mlrepro.{facts.get('kind', 'check')}.{facts.get('outcome', 'unknown')}"
        verdicts[key] = verdicts.get(key, 0) + 1
    yield from ((xml_name(key), str(count)) for key, count in sorted(verdicts.items()))
