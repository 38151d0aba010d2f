"""Contracts lie beside a golden as text that people edit: what such a text says must be what was accepted.

Comments, spaces and the order of keys are free, so that people can work in the text; whatever a reader of TOML sees is not.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

from .._json import Json
from ..errors import GoldenError
from ..values.node import Scalar
from .layout import contract_file
from .record import CONTRACT, Golden, Recorded

__all__ = ["contract_problems"]


def contract_problems(golden: Golden, folder: Path) -> Iterator[str]:
    """Yield a sentence for each contract of the golden in `folder` whose text is gone, damaged or was edited."""
    for name, check in golden.checks.items():
        if CONTRACT in check.tolerance:
            yield from _problem(name, check, folder)


def _problem(name: str, check: Recorded, folder: Path) -> Iterator[str]:
    path, node = folder / contract_file(name), check.node(folder)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        raise GoldenError(f"{folder}: the recorded value of check {name!r} is no contract")
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        yield f"{path} is gone: what was accepted holds. Put it back with  git checkout -- {path}"
        return
    except (OSError, UnicodeDecodeError) as error:
        yield f"{path}, the contract {name!r}, can't be read: {error}"
        return
    try:
        now = _said(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        yield f"{path}, the contract {name!r}, is no TOML: {error}"
        return
    if now != _said(node.value):
        yield f"{path}, the contract {name!r}, was edited since it was accepted: run its test to see how, then  mlrepro accept"


def _said(text: str) -> str:
    """Return what a TOML text says, with 1, 1.0 and true told apart, and NaN equal to itself."""
    return json.dumps(tomllib.loads(text.replace("\r\n", "\n")), sort_keys=True, default=_typed)


def _typed(value: object) -> Json:
    return {type(value).__name__: str(value)}
