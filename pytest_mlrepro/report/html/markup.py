"""Markup that can't be broken out of: texts are escaped as they go in, and nothing but this module makes `Markup`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

__all__ = ["Content", "Markup", "joined", "tag"]

VOID: Final = frozenset({"img", "meta", "input", "br"})
SPECIAL: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
UNSEEN: Final = re.compile(
    "[\0-\x08\x0b\x0c\r\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]"
)
"""What a person can't see, and what makes text look like another: controls, direction marks, halves of characters."""
NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")


class Markup:
    """Markup that is safe to stand in the page. No `str`: one can't be made from the other by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str, *, trusted: bool) -> None:
        assert trusted  # said by this module, and by the page of its own style and script
        self._text = text

    @property
    def text(self) -> str:
        """Return it as it stands in the page."""
        return self._text


Content: TypeAlias = "Markup | str | int | float | Iterable[Content] | None"


def tag(name: str, /, *content: Content, **attributes: str | int | float | bool | None) -> Markup:
    """Return an element. Underscores in names of attributes stand for hyphens, one at the end for nothing (`class_`).

    An attribute of None or False is left out, one of True has no value.
    """
    assert NAME.fullmatch(name)
    opened = "".join([name, *(_attribute(key, value) for key, value in attributes.items())])
    if name in VOID:
        return Markup(f"<{opened}>", trusted=True)
    return Markup(f"<{opened}>{joined(content).text}</{name}>", trusted=True)


def joined(content: Content) -> Markup:
    """Return several pieces after each other; texts and numbers are escaped, None is nothing."""
    if isinstance(content, Markup):
        return content
    if content is None:
        return Markup("", trusted=True)
    if isinstance(content, str | int | float):
        return Markup(_escaped(str(content)), trusted=True)
    return Markup("".join(joined(part).text for part in content), trusted=True)


def _attribute(name: str, value: str | int | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    plain = name.rstrip("_").replace("_", "-")
    assert NAME.fullmatch(plain)
    assert not plain.startswith("on")  # no element of the page runs a script
    return f" {plain}" if value is True else f' {plain}="{_escaped(str(value))}"'


def _escaped(text: str) -> str:
    shown = UNSEEN.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)
    return shown.translate(SPECIAL)
