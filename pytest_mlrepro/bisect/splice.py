"""One definition of an old file put into a new one: the function, class or constant, and nothing else of the file.

What comes out is parsed again and held against both: the definition must be the old one, and every other the new one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from ..fingerprints.code.classes import shell
from ..values.syntax import syntax_digest
from .source import Source, Unsplicable, parsed

__all__ = ["spliced"]

_DEFINITION: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
_Edit: TypeAlias = tuple[int, int, str]


def spliced(new: bytes, old: bytes, qualname: str) -> bytes:
    """Return the new file with a definition as it is in the old one: changed back, put in again, or taken out.

    qualname: `fit`, `Model.fit`, `RATE`. All definitions of that name count as one: overloads, the accessors of a
    property, the statements that bind a constant. Of a class that both have, only what belongs to no function in it is
    put back. Imports that the old definition needs and the new file lacks come with it. Raises Unsplicable, which says
    why not.
    """
    source, before = parsed(new), parsed(old)
    have, want = found(source, qualname), found(before, qualname)
    if not have and not want:
        raise Unsplicable("neither file defines it")
    if _digests(source, qualname) == _digests(before, qualname):
        return new
    if have and want:
        edits = _replaced(source, have, before, want)
    elif want:
        edits = [_inserted(source, before, qualname, want)]
    else:
        edits = [_removed(source, node) for node in have]
    text = _with_imports(source, before, want, _edited(source.text, edits))
    result = source.encoded(text)
    _hold(parsed(result), source, before, qualname, whole=not (have and want))
    return result


def found(source: Source, qualname: str) -> list[Any]:
    """Return the statements that define a name: definitions, or those that bind a constant of the module."""
    nodes = list(source.file.definitions.get(qualname, []))
    if nodes or "." in qualname:
        return nodes
    return list(source.module.bindings.get(qualname, []))


def _edited(text: str, edits: list[_Edit]) -> str:
    for start, end, instead in sorted(edits, reverse=True):
        text = text[:start] + instead + text[end:]
    return text


def _replaced(source: Source, have: list[Any], before: Source, want: list[Any]) -> list[_Edit]:
    """Return edits that put the old statements in the places of the new ones, all into the first if they are not as many."""
    if len(have) == len(want):
        return [_in_place(source, node, before, [old]) for node, old in zip(have, want, strict=True)]
    return [_in_place(source, have[0], before, want), *(_removed(source, node) for node in have[1:])]


def _in_place(source: Source, node: Any, before: Source, olds: list[Any]) -> _Edit:
    start, end = source.span(node)
    if len(olds) == 1 and not hasattr(node, "body") and not hasattr(olds[0], "body"):
        old_start, old_end = before.span(olds[0])  # simple statements, which may share their lines with others
        return start, end, _lines(before.text[old_start:old_end], source.newline)
    indent = source.indent(node)
    text = source.newline.join(_text(before, old, indent, source, node) for old in olds)
    return source.starts[source.first_line(node) - 1], end, text


def _removed(source: Source, node: Any) -> _Edit:
    """Return the edit that takes a statement out with its lines; `pass` stays where a block would be empty."""
    start, end = source.span(node)
    if isinstance(node, _DEFINITION):
        return (start, end, f"{source.indent(node)}pass") if source.is_alone(node) else (start, source.after(end), "")
    return start, end, "pass"


def _text(before: Source, old: Any, indent: str, source: Source, node: Any) -> str:
    """Return the old statement, indented and with the line ends of the new file; of a class the frame around functions."""
    if isinstance(old, ast.ClassDef) and isinstance(node, ast.ClassDef):
        return _class_text(before, old, indent, source, node)
    return _moved(before, old, indent, source.newline)


def _moved(before: Source, old: Any, indent: str, newline: str) -> str:
    """Return a statement with its indentation exchanged, but for lines that begin inside of strings."""
    was, first = before.indent(old), before.first_line(old)
    text = before.text[before.starts[first - 1] : before.span(old)[1]]
    moved = []
    for number, line in enumerate(_NEWLINE.split(text), start=first):
        kept = number in before.inside_strings or not line.startswith(was) or not line.strip()
        moved.append(line if kept else indent + line[len(was) :])
    return newline.join(moved)


def _lines(text: str, newline: str) -> str:
    return newline.join(_NEWLINE.split(text))


def _class_text(before: Source, old: ast.ClassDef, indent: str, source: Source, node: ast.ClassDef) -> str:
    """Return the old class with the functions and classes that the new one defines, in their old places if they had some."""
    if before.indent(old) != indent or old.body[0].lineno == old.lineno:
        raise Unsplicable("the class stands in another block, or on one line")
    current, past = _by_name(node), _by_name(old)
    edits: list[_Edit] = []
    for name, inners in past.items():
        kept = current.pop(name, [])
        pairs = [[one] for one in kept] if len(kept) == len(inners) else [kept, *([] for _ in inners[1:])]
        for inner, now in zip(inners, pairs, strict=True):
            text = _joined(source, now, before.indent(inner), before.newline)
            edits.append((*before.span(inner), text) if now else _removed(before, inner))
    start, end = before.span(old)
    whole = _edited(before.text, edits)
    whole = whole[start : end + len(whole) - len(before.text)]
    body = before.indent(old.body[0])
    more = [_joined(source, kept, body, before.newline) for kept in current.values()]
    return _lines((before.newline * 2).join([whole, *more]), source.newline)


def _by_name(node: ast.ClassDef) -> dict[str, list[Any]]:
    """Return the definitions in a class, also those in its conditions, in their order."""
    inner: dict[str, list[Any]] = {}
    stack: list[Any] = list(reversed(node.body))
    while stack:
        statement = stack.pop()
        if isinstance(statement, _DEFINITION):
            inner.setdefault(statement.name, []).append(statement)
            continue
        for name in ("finalbody", "orelse", "handlers", "cases", "body"):
            stack += reversed(getattr(statement, name, None) or [])
    return inner


def _joined(source: Source, nodes: list[Any], indent: str, newline: str) -> str:
    return newline.join(_moved(source, node, indent, newline) for node in nodes)


def _inserted(source: Source, before: Source, qualname: str, want: list[Any]) -> _Edit:
    """Return the edit that puts a statement in again which the new file lacks: behind what it stood behind."""
    owner = qualname.rpartition(".")[0]
    siblings, scope = _scope(source, owner), _scope(before, owner)
    if siblings is None or scope is None:
        raise Unsplicable(
            f"{owner} is not there any more" if "<locals>" not in owner else "it stands inside a function"
        )
    indent = source.indent(siblings[0]) if siblings else ""
    place = _place(source, siblings, scope, want[0])
    texts = [_moved(before, old, indent, source.newline) for old in want]
    start = source.starts[place] if place < len(source.starts) else len(source.text)
    gap = "" if source.text[:start].endswith(("\n", "\r")) or not start else source.newline
    return (start, start, gap + source.newline.join(texts) + source.newline)


def _scope(source: Source, owner: str) -> list[Any] | None:
    """Return the statements of the module or of a class; None if there isn't exactly one."""
    if not owner:
        return source.file.tree.body
    found = source.file.definitions.get(owner, [])
    if len(found) != 1 or not isinstance(found[0], ast.ClassDef):
        return None
    return found[0].body if found[0].body[0].lineno > found[0].lineno else None


def _place(source: Source, siblings: list[Any], scope: list[Any], first: Any) -> int:
    """Return the number of lines before the place."""
    at = next((at for at, old in enumerate(scope) if old.lineno <= first.lineno <= old.end_lineno), 0)
    for old in reversed(scope[:at]):
        names = set(_names(old))
        twins = [node for node in siblings if names & set(_names(node))]
        if twins:
            return int(twins[-1].end_lineno)
    leading = _leading(siblings)
    return int(leading[-1].end_lineno) if leading else (int(siblings[0].lineno) - 1 if siblings else 0)


def _names(node: Any) -> Iterable[str]:
    if isinstance(node, _DEFINITION):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return []
    return [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)]


def _leading(body: list[Any], *, imports: bool = True) -> list[Any]:
    """Return the docstring, the imports from the future and, if asked for, the imports that a body begins with."""
    leading = []
    for node in body:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not (text or future or (imports and isinstance(node, ast.Import | ast.ImportFrom))):
            break
        leading.append(node)
    return leading


def _with_imports(source: Source, before: Source, want: list[Any], text: str) -> str:
    """Add the imports that the old definition needs and the new file has dropped."""
    used = {node.id for old in want for node in ast.walk(old) if isinstance(node, ast.Name)}
    module = source.module
    known = set(module.imports) | set(module.bindings)
    missing = [name for name in sorted(used & set(before.module.imports)) if name not in known]
    lines = [line for name in missing for line in _imports(before.file.tree, name)]
    if not lines:
        return text
    changed = parsed(text.encode("utf-8")) if not text.startswith("\ufeff") else source
    leading = _leading(changed.file.tree.body, imports=False)
    start = changed.starts[leading[-1].end_lineno] if leading and leading[-1].end_lineno < len(changed.starts) else 0
    return text[:start] + "".join(line + source.newline for line in lines) + text[start:]


def _imports(tree: ast.Module, name: str) -> list[str]:
    """Return import statements for one name alone, as a module makes them, also in its conditions."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name.partition(".")[0]) == name:
                    one = (
                        ast.Import([alias])
                        if isinstance(node, ast.Import)
                        else ast.ImportFrom(node.module, [alias], node.level)
                    )
                    found.append(ast.unparse(one))
    return list(dict.fromkeys(found))[:1]


def _hold(result: Source, source: Source, before: Source, qualname: str, *, whole: bool) -> None:
    """Raise Unsplicable unless the result has this definition as it was, and all others as they are.

    whole: what stands inside of it comes or goes with it.
    """
    if _digests(result, qualname) != _digests(before, qualname):
        raise Unsplicable("the old code doesn't fit into the new file")
    own = f"{qualname}." if whole else f"{qualname}.<locals>."
    names = {*result.file.definitions, *source.file.definitions, *result.module.bindings, *source.module.bindings}
    for name in sorted(names - {qualname}):
        same = _digests(result, name) == _digests(source, name)
        if not same and not name.startswith(own) and not _shared(result, source, name, qualname):
            raise Unsplicable(f"{name} would change with it")


def _shared(result: Source, source: Source, name: str, qualname: str) -> bool:
    """Tell whether a name differs only in statements that bind both: they go together, if they did in the new file.

    A name that the new file lacks, such as the variable of a loop that fills a constant, harms nobody.
    """
    if not found(source, name):
        return all(node in found(result, qualname) for node in found(result, name))
    sides = [(found(side, name), found(side, qualname)) for side in (result, source)]
    return all(any(node in both for node in own) for own, both in sides)


def _digests(source: Source, qualname: str) -> list[str]:
    nodes = found(source, qualname)
    return [syntax_digest((shell(node) if isinstance(node, ast.ClassDef) else node,)) for node in nodes]
