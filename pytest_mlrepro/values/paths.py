"""How a place inside a value is written in errors, comparisons and fingerprints: `value['layers'][3].weight`."""

from __future__ import annotations

from collections.abc import Iterable

from .node import Array, Field, Group, Label, Node, Scalar

__all__ = ["axis", "is_axis", "label_text", "path_text"]

_QUOTED = frozenset({"decimal", "fraction", "uuid", "path", "datetime", "date", "time", "timedelta"})


def axis(name: str) -> Scalar:
    """Label of a part that is no item of its owner, such as the index of a frame: never equal to a column's name."""
    return Scalar("axis", name)


def is_axis(label: Label) -> bool:
    """Tell whether a label is that of a part that is no item."""
    return isinstance(label, Scalar) and label.kind == "axis"


def path_text(labels: Iterable[Label], *, root: str = "value") -> str:
    """Render labels from the outermost inwards: keys and columns `['a']`, positions `[3]`, fields `.name`."""
    return root + "".join(label_text(label) for label in labels)


def label_text(label: Label) -> str:
    """Render one step of a path."""
    if type(label) is str:  # by far the most
        return f"[{label!r}]"
    if isinstance(label, Field):
        return f".{label}"
    if isinstance(label, Scalar) and label.kind == "axis":  # written out: `is_axis` would not tell its type
        return f".{label.value}"
    return f"[{_key_text(label)}]"


def _key_text(key: Node | str | int) -> str:
    if isinstance(key, str | int):
        return repr(key)
    if isinstance(key, Group):
        inside = ", ".join(_key_text(child) for _, child in key.children)
        return f"({inside},)" if len(key.children) == 1 else f"({inside})"
    if isinstance(key, Array):
        return f"{key.kind} {key.dtype}"
    if key.kind in _QUOTED:
        return f"{key.kind} {key.value}"
    return key.value if key.kind == "enum" else repr(key.value)
