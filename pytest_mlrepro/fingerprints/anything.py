"""One function for all that has a fingerprint: what a thing is decides what counts of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from ..values.describe import describe
from ..values.functions import installed_name, is_callable_value
from .combined import combined
from .digest import Fingerprint
from .values import fingerprint as fingerprint_value

__all__ = ["fingerprint"]


def fingerprint(value: object) -> Fingerprint:
    """Return the fingerprint of a value, of a file or folder, or of code.

    - A `pathlib.Path` is the file or folder that it names, by content; a string is a string.
    - A function, class or module of your own is the code that it reaches in its project (the nearest folder above it with
      `pyproject.toml`, `.git` or the like), with constants, and the packages that it uses by version.
    - Anything else is a value: data, models by their content, and any object with a method `__mlrepro__()`. Paths and
      functions inside of a value are part of it, as text and by their own source.

    Equal content gives equal digests whatever the layout, chunking, process, machine or library version. Raises
    FingerprintError, with the place, for what has no canonical form, is missing or can't be read.
    """
    if isinstance(value, Path):
        from .files import fingerprint_path

        return fingerprint_path(value)
    if isinstance(value, ModuleType) or (is_callable_value(value) and installed_name(value) is None):
        from .code import fingerprint_code, project_of

        whole = fingerprint_code([value], project=project_of(value))
        if any(part.kind == "bytecode" for _, part in whole.parts):
            describe(value)  # refuses a function that has no source, with what to do
        return _with_arguments(whole, value) if isinstance(value, partial) else whole
    return fingerprint_value(value)


def _with_arguments(code: Fingerprint, value: partial[Any]) -> Fingerprint:
    given = fingerprint_value({"args": value.args, "keywords": value.keywords})
    return combined(code.kind, [*code.parts, ("arguments", given)])
