"""Code objects held against definitions: which of several a code object was compiled from, and what it does."""

from __future__ import annotations

import ast
import re
from types import CodeType
from typing import Any, Final

__all__ = ["fits", "narrowed", "qualified_name", "substance"]


def qualified_name(code: CodeType) -> str:
    """Return the qualified name of a code object, which before Python 3.12 told of comprehensions around it."""
    return _COMPREHENSION.sub("", code.co_qualname)


_COMPREHENSION: Final = re.compile(r"<(?:list|set|dict)comp>\.")


def substance(code: CodeType) -> Any:
    """Return what a code object does, free of where its lines are, so that two of them compare."""
    consts = tuple(
        substance(const) if isinstance(const, CodeType) else (type(const).__name__, const) for const in code.co_consts
    )
    return (code.co_code, consts, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_flags)


def fits(node: Any, code: CodeType) -> bool:
    """Tell whether a definition has the parameters of a code object."""
    args = node.args
    count = len(args.posonlyargs) + len(args.args)
    named = [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    mangled = code.co_varnames[: len(named)]  # a parameter __x of a method is called _Class__x
    return code.co_argcount == count and all(
        found.endswith(name) for name, found in zip(named, mangled, strict=False)
    )  # fmt: skip


def narrowed(nodes: list[ast.Lambda], code: CodeType) -> tuple[Any, ...]:
    """Of the lambdas that begin on a line, keep the innermost whose body holds every instruction of the code."""
    fitting = [node for node in nodes if fits(node, code)]
    if len(fitting) < 2:
        return tuple(fitting)
    places = [
        ((line, column), (end_line, end_column))
        for line, end_line, column, end_column in code.co_positions()
        if None not in (line, end_line, column, end_column) and (line, column) != (end_line, end_column)
    ]
    holding = [node for node in fitting if places and all(_holds(node.body, *place) for place in places)]
    innermost = [
        node for node in holding if not any(other is not node and _within(other, node.body) for other in holding)
    ]
    return tuple(innermost or _alike(fitting, code))


def _alike(nodes: list[ast.Lambda], code: CodeType) -> list[ast.Lambda]:
    """Keep the lambdas that compile to this code: Python 3.12 notes no place for one that returns a constant."""
    wanted = substance(code)[:2]  # the flags depend on the file's __future__ imports
    alike = []
    for node in nodes:
        consts = compile(ast.Expression(node), "", "eval", dont_inherit=True).co_consts
        if any(substance(const)[:2] == wanted for const in consts if isinstance(const, CodeType)):
            alike.append(node)
    return alike or nodes


def _holds(node: Any, start: Any, end: Any) -> bool:
    return bool((node.lineno, node.col_offset) <= start and end <= (node.end_lineno, node.end_col_offset))


def _within(inner: Any, outer: Any) -> bool:
    return _holds(outer, (inner.lineno, inner.col_offset), (inner.end_lineno, inner.end_col_offset))
