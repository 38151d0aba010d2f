"""Definitions as they stand in their files, digested without importing anything: whether code has changed since can be asked
where it can't be run, such as by a command that decides on a proposal of another machine.
"""

from __future__ import annotations

import ast
import builtins
from pathlib import Path, PurePosixPath
from typing import Any

from blake3 import blake3

from ...values.located import SourceFile, source_file
from ...values.syntax import syntax_digest
from .classes import functions_inside, shell
from .mentions import mentions
from .modules import ModuleCode, module_code

__all__ = ["place_of", "qualname_in", "written_digest"]


def written_digest(path: Path, qualname: str) -> str | None:
    """Return the digest of all definitions of a name in a file; None if the file is no Python, or defines no such name.

    qualname: `fit`, `Model.fit`, `RATE`; of what a function makes, that function counts. The imports of the file that
    the definition uses take part: the same words mean something else if a name comes from elsewhere.
    """
    file = source_file(str(path))
    if file is None:
        return None
    outer = qualname.partition(".<locals>")[0]
    code = module_code(file)
    nodes = list(file.definitions.get(outer, [])) or (list(code.bindings.get(outer, [])) if "." not in outer else [])
    if not nodes:
        return None
    return blake3("\n".join(line for node in nodes for line in _lines(file, code, outer, node)).encode()).hexdigest()


def _lines(file: SourceFile, code: ModuleCode, qualname: str, node: Any) -> list[str]:
    """Return what a definition comes to: its syntax, of a class the names of its methods too, and the imports it uses."""
    inside: list[str] = []
    piece = node
    if isinstance(node, ast.ClassDef):
        piece = shell(node)
        inside = [name for name, _ in functions_inside(file, (node,), qualname)]
    return [syntax_digest((piece,)), *inside, *_imports(file, code, piece)]


def _imports(file: SourceFile, code: ModuleCode, piece: Any) -> list[str]:
    found = mentions(file, (piece,))
    names = {chain[0] for chain in (*found.header, *found.body)}
    used = [f"{name} {target}" for name in sorted(names) for target in map(_target, code.imports.get(name, []))]
    if any(name not in code.bindings and name not in code.imports and not hasattr(builtins, name) for name in names):
        used += [f"* {_target(star)}" for star in code.stars]
    return used


def _target(found: Any) -> str:
    return f"{'.' * found.level}{found.module}:{found.attribute or ''}"


def place_of(text: str) -> str:
    """Return the path of a place such as `train.py:41`."""
    return text.partition(" (")[0].rpartition(":")[0] or text


def qualname_in(path: str, name: str) -> str | None:
    """Return the part of `package.module.Class.method` behind the module, by the path of the module; None if it doesn't fit."""
    steps = PurePosixPath(path).with_suffix("").parts
    steps = steps[:-1] if steps[-1:] == ("__init__",) else steps
    words = name.split(".")
    for count in range(min(len(steps), len(words) - 1), 0, -1):
        if tuple(words[:count]) == steps[-count:]:
            return ".".join(words[count:])
    if steps and steps[-1] in words[:-1]:  # imported under another name, as by a plugin of its own
        return ".".join(words[words.index(steps[-1]) + 1 :])
    return None
