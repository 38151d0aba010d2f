"""The piece of a source file that a function or a class was made from, found by its exact place.

Line numbers alone don't do: several lambdas share a line, and decorators, `functools.wraps` and pytest's rewriting of
assertions leave names and lines that mean something else. What the compiler noted in the code object does.
"""

from __future__ import annotations

import ast
import io
import linecache
import os
import time
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property, lru_cache
from types import CodeType
from typing import Any, Final, TypeAlias

from .code_objects import fits, narrowed, substance
from .syntax import syntax_digest

__all__ = ["Definition", "SourceFile", "source_file"]

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Pieces: TypeAlias = tuple[Any, ...]
"""Nodes that count as one: a statement, or a lambda."""
_SHARED: Final = frozenset({"<string>", "<stdin>"})
"""Names of much code at once: since Python 3.13 `linecache` knows the text of `python -c` under the first."""
_FRESH_NS: Final = 2 * 10**9
"""A file that changed so lately may change again within one tick of its clock, so that its text is compared."""


def source_file(filename: str) -> SourceFile | None:
    """Return the parsed file of a code object, as it is now; None if there is none, or it isn't Python.

    Cells of a notebook and examples of a docstring have no file: `linecache` knows their text.
    """
    try:
        stat = os.stat(filename)  # noqa: PTH116  # three times as fast as Path.stat, and done for every function
    except (OSError, ValueError):
        text = "".join(linecache.getlines(filename)) if filename not in _SHARED else ""
        return _parsed(filename, text) if text else None
    if time.time_ns() - stat.st_mtime_ns < _FRESH_NS:
        text = _read(filename)
    else:
        text = _unchanged(filename, (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
    return _parsed(filename, text)


@lru_cache(maxsize=512)
def _unchanged(filename: str, stamp: tuple[int, ...]) -> str:
    return _read(filename)


def _read(filename: str) -> str:
    """Read source as Python does, with its byte-order mark and its `coding` line; "" if that fails."""
    try:
        with open(filename, "rb") as file:  # noqa: PTH123
            data = file.read()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return io.TextIOWrapper(io.BytesIO(data), encoding).read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return ""


@lru_cache(maxsize=512)
def _parsed(filename: str, text: str) -> SourceFile | None:
    try:
        return SourceFile(filename, text, ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class SourceFile:
    """One file, parsed: its definitions by place and by name."""

    def __init__(self, filename: str, text: str, tree: ast.Module) -> None:
        self.filename = filename
        self.text = text
        self.tree = tree
        self._found: dict[CodeType, _Pieces] = {}
        self._outer: dict[CodeType, tuple[str, Any] | None] = {}
        self._digests: dict[_Pieces, str] = {}

    def function(self, code: CodeType) -> _Pieces:
        """Return the definition that a code object was compiled from; () if this file has none that fits.

        Lambdas that can't be told apart, since Python runs with `-X no_debug_ranges`, are returned together.
        """
        found = self._found.get(code)
        if found is None:
            found = self._found[code] = self._locate(code)
        return found

    def class_(self, qualname: str, lines: frozenset[int]) -> _Pieces:
        """Return the definition of a class: of several under one name the one around `lines`, or else all of them."""
        found = self.classes.get(qualname, [])
        inside = [node for node in found if lines and all(_spans(node, line) for line in lines)]
        return tuple(inside if inside else found)

    def around(self, code: CodeType, node: Any) -> tuple[str, Any] | None:
        """Return the outermost function, or else the class, whose source holds a nested function or a lambda."""
        if "." not in code.co_qualname and code.co_name != "<lambda>":
            return None
        if code not in self._outer:
            self._outer[code] = self._around(code, node)
        return self._outer[code]

    def _around(self, code: CodeType, node: Any) -> tuple[str, Any] | None:
        outer = self.outermost(node)
        if outer is not None and outer[1] is not node:
            return outer
        owner = code.co_qualname.rpartition(".")[0]
        found = [outer for outer in self.classes.get(owner, []) if _spans(outer, node.lineno)]
        return (owner, found[0]) if found and code.co_name == "<lambda>" else None

    def outermost(self, node: Any) -> tuple[str, Any] | None:
        """Return the function around a node, or the node itself, that stands in no other function; None if none does."""
        for qualname, nodes in self.definitions.items():
            if "<locals>" not in qualname:
                for outer in nodes:
                    if not isinstance(outer, ast.ClassDef) and _spans(outer, node.lineno):
                        return qualname, outer
        return None

    def digest(self, pieces: _Pieces) -> str:
        """Return the digest of the syntax of pieces of this file, computed once."""
        found = self._digests.get(pieces)
        if found is None:
            found = self._digests[pieces] = syntax_digest(pieces)
        return found

    def _locate(self, code: CodeType) -> _Pieces:
        if code.co_name == "<lambda>":
            return narrowed(self._lambdas.get(code.co_firstlineno, []), code)
        at = self._functions.get((code.co_firstlineno, code.co_name))
        if at is not None and fits(at, code):
            return (at,)
        moved = [node for node in self._by_name.get(code.co_qualname, []) if fits(node, code)]
        return tuple(moved) if len(moved) == 1 else ()

    @cached_property
    def definitions(self) -> dict[str, list[Any]]:
        """All functions and classes by qualified name."""
        found: defaultdict[str, list[Any]] = defaultdict(list)
        for qualname, node in _definitions(self.tree.body, ""):
            found[qualname].append(node)
        return dict(found)

    @cached_property
    def classes(self) -> dict[str, list[ast.ClassDef]]:
        """All classes by qualified name."""
        kept = {
            qualname: [node for node in nodes if isinstance(node, ast.ClassDef)]
            for qualname, nodes in self.definitions.items()
        }
        return {qualname: nodes for qualname, nodes in kept.items() if nodes}

    @cached_property
    def _by_name(self) -> dict[str, list[Any]]:
        return {
            qualname: [node for node in nodes if not isinstance(node, ast.ClassDef)]
            for qualname, nodes in self.definitions.items()
        }

    @cached_property
    def _functions(self) -> dict[tuple[int, str], Any]:
        return {(_first_line(node), node.name): node for nodes in self._by_name.values() for node in nodes}

    @cached_property
    def _lambdas(self) -> dict[int, list[ast.Lambda]]:
        found: defaultdict[int, list[ast.Lambda]] = defaultdict(list)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Lambda):
                found[node.lineno].append(node)
        return found

    @cached_property
    def substances(self) -> dict[str, list[Any]]:
        """What each function of the file would be if it were compiled now, by qualified name."""
        found: defaultdict[str, list[Any]] = defaultdict(list)
        try:
            stack = [compile(self.tree, self.filename, "exec", dont_inherit=True)]
        except (SyntaxError, ValueError, RecursionError):
            return {}
        while stack:
            code = stack.pop()
            found[code.co_qualname].append(substance(code))
            stack += [const for const in code.co_consts if isinstance(const, CodeType)]
        return found


def _definitions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield each definition with its qualified name, going into every block but into no expression."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + statement.name, statement
            yield from _definitions(statement.body, f"{prefix}{statement.name}.<locals>.")
        elif isinstance(statement, ast.ClassDef):
            yield prefix + statement.name, statement
            yield from _definitions(statement.body, f"{prefix}{statement.name}.")
        else:
            for block in _blocks(statement):
                yield from _definitions(block, prefix)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(statement, name, None) or []
    for name in ("handlers", "cases"):
        for inner in getattr(statement, name, None) or []:
            yield inner.body


def _first_line(node: Any) -> int:
    return int(node.decorator_list[0].lineno if node.decorator_list else node.lineno)


def _spans(node: Any, line: int) -> bool:
    return bool(_first_line(node) <= line <= node.end_lineno)
