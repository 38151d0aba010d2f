"""Source code as canonical bytes: its syntax tree without comments, docstrings and layout, alike on every Python.

`ast.dump` changes with each version of Python; this encoding (docs/fingerprint-format.md, "Code") names what it keeps.
"""

from __future__ import annotations

import ast
import struct
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from blake3 import blake3

__all__ = ["class_shell", "encode_syntax", "scalar_bytes", "syntax_digest"]

_pack_size: Final = struct.Struct("<Q").pack
_NAN: Final = struct.pack("<Q", 0x7FF8000000000000)
_LEFT_OUT: Final = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_BLOCKS: Final = frozenset({"body", "orelse", "finalbody"})
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def syntax_digest(nodes: Iterable[ast.AST]) -> str:
    """Return the digest, as hexadecimal text, of pieces of source in order."""
    return blake3(b"mlrepro1C" + b"".join(map(encode_syntax, nodes))).hexdigest()


def encode_syntax(node: ast.AST) -> bytes:
    """Return the canonical bytes of a syntax tree.

    A stack instead of recursion: a sum of a thousand terms is a thousand levels deep.
    """
    out: list[bytes] = []
    stack: list[Any] = [node]
    pop = stack.pop
    while stack:
        item = pop()
        kind: Any = type(item)
        if kind is bytes:
            out.append(item)
        elif kind is list:
            out.append(b"L" + _pack_size(len(item)))
            stack.extend(reversed(item))
        elif kind is ast.Constant:
            out.append(scalar_bytes(item.value))
        elif isinstance(item, ast.AST):
            fields = _fields(item)
            out.append(_header(kind) + _pack_size(len(fields) // 2))
            fields.reverse()
            stack.extend(fields)
        else:
            out.append(b"0" if item is None else scalar_bytes(item))
    return b"".join(out)


def class_shell(node: ast.ClassDef) -> ast.ClassDef:
    """Return a class without the functions and classes that its body defines: each of them counts by itself."""
    shell = ast.ClassDef(
        name=node.name, bases=node.bases, keywords=node.keywords, body=_without_definitions(node.body),
        decorator_list=node.decorator_list,
    )  # fmt: skip
    for name in {"type_params"} & set(node._fields):  # since Python 3.12
        setattr(shell, name, getattr(node, name))
    return shell


def _without_definitions(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    kept = [_emptied(statement) for statement in body if not isinstance(statement, _DEFINITIONS)]
    return kept or [ast.Pass()]


def _emptied(node: Any) -> Any:
    """Return a compound statement of a class body, or a handler or case of one, without the definitions inside it."""
    fields = {name: getattr(node, name, None) for name in node._fields}
    changed = False
    for name, value in fields.items():
        if name in _BLOCKS and isinstance(value, list) and value:
            fields[name], changed = _without_definitions(value), True
        elif name in ("handlers", "cases") and value:
            fields[name], changed = [_emptied(inner) for inner in value], True
    return type(node)(**fields) if changed else node


def _fields(node: ast.AST) -> list[Any]:
    """Return what is kept of a node, as encoded names and values in turn; nothing and empty lists are left out."""
    kept: list[Any] = []
    kind: Any = type(node)
    for name, encoded in _names(kind):
        value = getattr(node, name, None)
        if type(value) is list and value:
            if name in _BLOCKS:
                value = _statements(value, name)
            elif name == "values" and kind is ast.JoinedStr:
                value = _merged(value)
        elif name == "format_spec" and value is not None and not _merged(value.values):
            value = None  # f"{x:}" is f"{x}"
        if value is None or (type(value) is list and not value):
            continue
        kept += (encoded, value)
    return kept


def _statements(block: list[ast.stmt], name: str) -> list[ast.stmt]:
    """Leave out statements that are only a string: docstrings, those of attributes, and commented-out text."""
    if not any(map(_is_text, block)):
        return block
    kept = [statement for statement in block if not _is_text(statement)]
    return kept if kept or name != "body" else [ast.Pass()]


def _is_text(statement: ast.stmt) -> bool:
    return (
        type(statement) is ast.Expr
        and type(statement.value) is ast.Constant
        and type(statement.value.value) is str
    )  # fmt: skip


def _merged(values: list[ast.expr]) -> list[ast.expr]:
    """Join the literal pieces of an f-string that stand side by side, and drop empty ones: Python 3.12 adds some."""
    merged: list[ast.expr] = []
    for value in values:
        last = merged[-1] if merged else None
        if isinstance(value, ast.Constant) and value.value == "":
            continue
        if isinstance(value, ast.Constant) and isinstance(last, ast.Constant):
            merged[-1] = ast.Constant(str(last.value) + str(value.value))
        else:
            merged.append(value)
    return merged


def scalar_bytes(value: Any) -> bytes:
    """Encode a constant or an identifier as a scalar of its kind."""
    kind = type(value)
    if kind is str:
        data: bytes = value.encode("utf-8", "surrogatepass")
        return _STR + _pack_size(len(data)) + data
    name, data = _payload(value)
    return b"S" + _text(name) + _pack_size(len(data)) + data


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return _pack_size(len(data)) + data


def _float(value: float) -> bytes:
    return struct.pack("<d", value) if value == value else _NAN


def _payload(value: Any) -> tuple[str, bytes]:
    if value is None:
        return "none", b""
    if isinstance(value, bool):
        return "bool", b"\1" if value else b"\0"
    if isinstance(value, int):
        return "int", value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    if isinstance(value, float):
        return "float", _float(value)
    if isinstance(value, complex):
        return "complex", _float(value.real) + _float(value.imag)
    return ("bytes", value) if isinstance(value, bytes) else ("ellipsis", b"...")


_STR: Final = b"S" + _text("str")


@cache
def _header(kind: Any) -> bytes:  # a class of nodes; mypy takes classes for unhashable
    name: str = kind.__name__
    return b"N" + _text(name)


@cache
def _names(kind: Any) -> tuple[tuple[str, bytes], ...]:
    """Return the fields of a kind of node, sorted by name, since their order has changed between versions."""
    return tuple((name, _text(name)) for name in sorted(kind._fields) if name not in _LEFT_OUT)
