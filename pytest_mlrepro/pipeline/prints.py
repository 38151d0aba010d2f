"""Fingerprints of what goes into a step and comes out of it; what has none is named with its step."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ..errors import FingerprintError
from ..fingerprints import Fingerprint, fingerprint_node
from ..fingerprints import fingerprint as fingerprint_anything
from ..fingerprints.combined import combined
from ..fingerprints.values import fingerprint as fingerprint_value
from ..values.node import Scalar
from .call import SELF

__all__ = ["can_change", "print_of_error", "print_of_input", "print_of_output"]

_LASTING: Final = frozenset(
    {
        *("none", "bool", "int", "float", "complex", "str", "bytes", "ellipsis", "range", "enum", "path", "uuid"),
        *("datetime", "date", "time", "timedelta", "decimal", "fraction", "function", "class", "file", "folder"),
        *("numpy.scalar", "frozenset", "pyarrow.Table", "pyarrow.RecordBatch", "pyarrow.Array"),
    }
)
"""Kinds of what nobody can change in place."""


def print_of_input(label: str, value: Any, step: str) -> Fingerprint:
    """Return the fingerprint of an input; the object of a method is known by its attributes if it has none of its own.

    Raises FingerprintError that names the step, the input and what to do.
    """
    if label != SELF:
        return _print(value, step, f"input {label!r}", label)
    try:
        return fingerprint_value(value)
    except FingerprintError:
        state = getattr(value, "__dict__", None)
        if not isinstance(state, dict):
            return _print(value, step, "input 'self'", SELF)
    parts = [(f".{name}", _print(state[name], step, f"input 'self.{name}'", name)) for name in sorted(state)]
    return combined(f"object {type(value).__qualname__}", parts)


def print_of_output(value: Any, step: str) -> Fingerprint:
    """Return the fingerprint of what a step returned; raises FingerprintError that names the step and what to do."""
    return _print(value, step, "output", "output")


def _print(value: Any, step: str, what: str, root: str) -> Fingerprint:
    """A `Path` is the file or folder that it names; its name alone if nothing is there."""
    try:
        if isinstance(value, Path):
            return fingerprint_anything(value) if value.exists() else fingerprint_node(Scalar("path", value.name))
        return fingerprint_value(value)
    except FingerprintError as error:
        text = str(error)
        placed = f": {root}{text.removeprefix('value')}" if text.startswith("value") else f": {text}"
        raise FingerprintError(f"pipeline step {step!r}, {what}{placed}") from error


def print_of_error(error: BaseException) -> Fingerprint:
    """Return the fingerprint of a step that gave nothing: the type of what it raised; texts hold addresses and times."""
    return fingerprint_node(Scalar("raised", type(error).__qualname__))


def can_change(value: Any, found: Fingerprint) -> bool:
    """Tell whether a function could have changed a value in place."""
    if found.kind in _LASTING:
        return False
    return bool(getattr(getattr(value, "flags", None), "writeable", True))
