"""Whether some content is what a golden was made from: digested anew, and held against what was recorded."""

from __future__ import annotations

import ast
import tempfile
from pathlib import Path
from typing import Any

from ..errors import FingerprintError
from ..fingerprints import Fingerprint, fingerprint_node
from ..fingerprints.code.classes import shell
from ..fingerprints.code.scopes import constant
from ..fingerprints.files import fingerprint_path
from ..values.describe import describe
from ..values.node import Field, Group, Node, Scalar
from .old_files import Fits
from .source import Source, Unsplicable, parsed
from .splice import found

__all__ = ["fits_code", "fits_file"]


def fits_code(recorded: list[Fingerprint], qualname: str) -> Fits:
    """Return how to tell whether a file has the definitions that were recorded under a name."""

    def fits(data: bytes | None) -> bool | None:
        if not recorded:
            return None
        if data is None:
            return False
        try:
            digests = {fingerprint_node(node).digest for node in _nodes(parsed(data), qualname)}
        except (Unsplicable, FingerprintError):
            return None
        wanted = {part.digest for part in recorded}
        # what a function carries besides its source takes part too, and can't be known from a file
        return True if wanted <= digests else None

    return fits


def _nodes(source: Source, qualname: str) -> list[Node]:
    nodes = found(source, qualname)
    parts: list[Node] = []
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            parts.append(_syntax("class", source, (shell(node),)))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts.append(_syntax("function", source, (node,)))
    if parts:
        return parts
    literal = _literal(nodes)
    return [_syntax("constant", source, tuple(nodes)), *([constant(literal)] if literal else [])]


def _syntax(kind: str, source: Source, pieces: tuple[Any, ...]) -> Node:
    return Group(kind, (), ((Field("source"), Scalar("syntax", source.file.digest(pieces))),))


def _literal(nodes: list[Any]) -> Node | None:
    """Return the description of a constant that is written out: it counts by its value, not by its spelling."""
    if len(nodes) != 1 or not isinstance(nodes[0], ast.Assign | ast.AnnAssign) or nodes[0].value is None:
        return None
    try:
        return describe(ast.literal_eval(nodes[0].value))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def fits_file(recorded: Fingerprint | None) -> Fits:
    """Return how to tell whether some content is a file that was recorded; its digest settles it."""

    def fits(data: bytes | None) -> bool | None:
        if recorded is None or not recorded.kind.startswith(("file", "artifact.")):
            return None
        if data is None:
            return False
        with tempfile.TemporaryDirectory(prefix="mlrepro-") as folder:
            path = Path(folder) / "data"
            path.write_bytes(data)
            return fingerprint_path(path).digest == recorded.digest

    return fits
