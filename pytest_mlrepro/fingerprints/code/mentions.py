"""What a piece of source mentions: names with the attributes asked of them, and what it imports.

The syntax tree tells the chains (`train.fit_head`), the compiled code tells which of their first names are global.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from opcode import opmap
from types import CodeType
from typing import Any, Final, TypeAlias

from ...values.located import SourceFile

__all__ = ["Chain", "Import", "Mentions", "chain_of", "compiled_names", "import_of", "mentions", "names_read"]

Chain: TypeAlias = tuple[str, ...]
"""A name and the attributes asked of it: `np.random.default_rng` is `("np", "random", "default_rng")`."""


@dataclass(frozen=True, slots=True)
class Import:
    """One name that an import statement binds."""

    module: str
    level: int
    """Number of dots before the module."""
    attribute: str | None
    """What is taken out of the module; None if the module itself is bound."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """What a piece of source mentions, free of where."""

    header: frozenset[Chain]
    """In decorators, default values, annotations, bases: evaluated outside of what they belong to; and names given as
    text, which the compiled code doesn't tell to be global."""
    body: frozenset[Chain]
    imports: tuple[tuple[str, Import], ...]
    """Local names that imports inside the piece bind."""
    attributes: frozenset[str]
    """Every attribute that is asked of anything, also by `getattr` with a constant name."""


@lru_cache(maxsize=8192)
def mentions(file: SourceFile, pieces: tuple[ast.AST, ...]) -> Mentions:
    """Read what pieces of a file mention; computed once per piece."""
    header, body = _Reader(), _Reader()
    for piece in pieces:
        outside, inside = _split(piece)
        header.read(outside)
        body.read(inside)
    return Mentions(
        frozenset(header.chains | header.certain | body.certain),
        frozenset(body.chains),
        (*header.imports, *body.imports),
        frozenset(header.attributes | body.attributes),
    )


def _split(piece: Any) -> tuple[list[Any], list[Any]]:
    """Part a definition into what its surroundings evaluate and what it does itself."""
    if isinstance(piece, ast.Lambda):
        return [*piece.args.defaults, *piece.args.kw_defaults], [piece.body]
    if isinstance(piece, ast.FunctionDef | ast.AsyncFunctionDef):
        return [*piece.decorator_list, piece.args, piece.returns], piece.body
    if isinstance(piece, ast.ClassDef):
        return [piece], []
    return [], [piece]


class _Reader:
    """Gathers chains, imports and attributes of syntax trees; iterates, since expressions can be deep."""

    def __init__(self) -> None:
        self.chains: set[Chain] = set()
        self.certain: set[Chain] = set()
        self.imports: list[tuple[str, Import]] = []
        self.attributes: set[str] = set()

    def read(self, nodes: Iterable[Any]) -> None:
        stack = [node for node in nodes if node is not None]
        while stack:
            node = stack.pop()
            kind = type(node)
            if kind is ast.Name:
                self.chains.add((node.id,))
            elif kind is ast.Attribute:
                stack += self._attribute(node)
            elif kind is ast.Call:
                stack += self._call(node)
            elif kind is ast.Import or kind is ast.ImportFrom:
                self.imports += import_of(node)
            elif kind is ast.Subscript and _is_name(getattr(node.value, "func", None), "globals"):
                self.certain.add((_constant_text(node.slice),))
                stack.append(node.slice)
            elif kind is not ast.Constant:
                for name in node._fields:
                    value = getattr(node, name, None)
                    if type(value) is list:
                        stack += [item for item in value if isinstance(item, ast.AST)]
                    elif isinstance(value, ast.AST) and name != "ctx":
                        stack.append(value)

    def _attribute(self, node: ast.Attribute) -> list[Any]:
        """Take a chain as a whole; return what else is to be read of it."""
        steps: list[str] = []
        base: Any = node
        while type(base) is ast.Attribute:
            steps.append(base.attr)
            base = base.value
        self.attributes.update(steps)
        if type(base) is not ast.Name:
            return [base]
        self.chains.add((base.id, *reversed(steps)))
        return []

    def _call(self, node: ast.Call) -> list[Any]:
        """Follow names that are given as constant text; return what is to be read as it stands."""
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        arguments = list(node.args)
        if function in _BY_NAME and len(arguments) > 1:
            owner, name = chain_of(arguments[0]), _constant_text(arguments[1])
            if owner and name:
                self.attributes.add(name)
                self.chains.add((*owner, name))
                del arguments[0]  # else all of a module would count, of which one attribute is asked
        elif function in ("import_module", "__import__") and arguments:
            name = _constant_text(arguments[0])
            self.imports += [("", Import(name, 0, None))] if name else []
        return [node.func, *arguments, *(keyword.value for keyword in node.keywords)]


_BY_NAME: Final = frozenset({"getattr", "hasattr", "setattr", "delattr", "object"})
"""Calls that take an object and the name of an attribute: Python's, monkeypatch's, and `mock.patch.object`."""


def _is_name(node: Any, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _constant_text(node: Any) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def chain_of(node: Any) -> Chain:
    """Return a plain chain of names; () for any other expression."""
    steps: list[str] = []
    while isinstance(node, ast.Attribute):
        steps.append(node.attr)
        node = node.value
    return (node.id, *reversed(steps)) if isinstance(node, ast.Name) else ()


def import_of(node: ast.Import | ast.ImportFrom) -> list[tuple[str, Import]]:
    """Return the names that an import statement binds; `import a.b` binds `a`, a star binds `*`."""
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        return [(alias.asname or alias.name, Import(module, node.level, alias.name)) for alias in node.names]
    found = []
    for alias in node.names:
        if alias.asname is None and "." in alias.name:
            found.append(("", Import(alias.name, 0, None)))  # loaded, and reached through the name of its top
        bound = alias.asname or alias.name.partition(".")[0]
        found.append((bound, Import(alias.name if alias.asname else bound, 0, None)))
    return found


_EXTENDED: Final = opmap["EXTENDED_ARG"]
_LOADS: Final = {
    opmap[name]: shift
    for name, shift in {
        "LOAD_GLOBAL": 1,  # the lowest bit says whether a NULL is pushed
        "LOAD_NAME": 0,
        "LOAD_FROM_DICT_OR_GLOBALS": 0,  # since Python 3.12
    }.items()
    if name in opmap
}


@lru_cache(maxsize=8192)
def names_read(code: CodeType) -> frozenset[str]:
    """Return the global names that compiled code reads, with those of the functions and classes inside it."""
    found: set[str] = set()
    stack = [code]
    while stack:
        inner = stack.pop()
        names = inner.co_names
        data = inner.co_code
        high = 0
        for operation, low in zip(data[::2], data[1::2], strict=True):
            if operation == _EXTENDED:
                high = (high | low) << 8
                continue
            shift = _LOADS.get(operation)
            if shift is not None:
                found.add(names[(high | low) >> shift])
            high = 0
        stack += [const for const in inner.co_consts if isinstance(const, CodeType)]
    return frozenset(found)


@lru_cache(maxsize=8192)
def compiled_names(pieces: tuple[Any, ...]) -> frozenset[str] | None:
    """Return the global names that pieces of source would read; None if they don't compile apart from their file."""
    body: list[Any] = [piece if isinstance(piece, ast.stmt) else ast.Expr(piece) for piece in pieces]
    module = ast.fix_missing_locations(ast.Module(body, []))
    try:
        return names_read(compile(module, "", "exec", dont_inherit=True))
    except (SyntaxError, ValueError, RecursionError):
        return None
