"""The text of a Python file as it lies on disk: its encoding and line ends, and the offsets of what the parser found."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from ..fingerprints.code.modules import ModuleCode, module_code
from ..values.located import SourceFile

__all__ = ["Source", "Unsplicable", "parsed"]

_LINE: Final = re.compile(r"\r\n|\r|\n")
"""Line ends as the tokenizer counts them; `str.splitlines` knows more."""
_BOM: Final = b"\xef\xbb\xbf"


class Unsplicable(Exception):  # noqa: N818  # a reason, which never leaves this room
    """Says why a definition can't be put back by itself."""


@dataclass(frozen=True)
class Source:
    """A file, decoded and parsed. Equal text on disk gives an equal source."""

    text: str
    encoding: str
    bom: bool

    def encoded(self, text: str) -> bytes:
        """Return other text as this file would hold it; raise Unsplicable for letters that its encoding lacks."""
        try:
            return (_BOM if self.bom else b"") + text.encode(self.encoding)
        except UnicodeEncodeError:
            raise Unsplicable(f"the file is {self.encoding}, which lacks letters of the old code") from None

    @cached_property
    def file(self) -> SourceFile:
        """The definitions by name."""
        try:
            return SourceFile("", self.text, ast.parse(self.text))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise Unsplicable("the file can't be parsed") from None

    @property
    def module(self) -> ModuleCode:
        """The bindings of the module."""
        return module_code(self.file)

    @cached_property
    def newline(self) -> str:
        """The line end that the file uses first."""
        found = _LINE.search(self.text)
        return found[0] if found else "\n"

    @cached_property
    def starts(self) -> list[int]:
        """The offset of each line."""
        return [0, *(match.end() for match in _LINE.finditer(self.text))]

    def line(self, number: int) -> str:
        """Return a line with its end, counted from 1."""
        ends = [*self.starts[1:], len(self.text)]
        return self.text[self.starts[number - 1] : ends[number - 1]]

    def offset(self, number: int, column: int) -> int:
        """Return the place of a line and a column in bytes, as the parser gives them."""
        before = self.line(number).encode("utf-8")[:column].decode("utf-8")
        return self.starts[number - 1] + len(before)

    def first_line(self, node: Any) -> int:
        """Return the line where a statement begins, decorators included."""
        return min([int(node.lineno), *(int(one.lineno) for one in getattr(node, "decorator_list", []))])

    def span(self, node: Any) -> tuple[int, int]:
        """Return the offsets of a statement; of a definition those of its whole lines, without the last line end."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            last = self.line(node.end_lineno or node.lineno).rstrip("\r\n")
            end = self.starts[(node.end_lineno or node.lineno) - 1] + len(last)
            return self.starts[self.first_line(node) - 1], end
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def after(self, place: int) -> int:
        """Return where the next line begins."""
        return next((start for start in self.starts if start > place), len(self.text))

    def indent(self, node: Any) -> str:
        """Return what stands before a statement on its line, if that is blank; raise Unsplicable if it isn't."""
        before = self.line(node.lineno).encode("utf-8")[: node.col_offset].decode("utf-8")
        if before.strip():
            raise Unsplicable("it shares a line with other statements")
        return before

    def is_alone(self, node: Any) -> bool:
        """Tell whether a statement is the only one of its block."""
        for outer in ast.walk(self.file.tree):
            for name in ("body", "orelse", "finalbody"):
                block = getattr(outer, name, None)
                if isinstance(block, list) and node in block:
                    return len(block) == 1
        return True

    @cached_property
    def inside_strings(self) -> frozenset[int]:
        """The numbers of lines that begin inside of a string, where blanks are content."""
        found: set[int] = set()
        middle = 0
        readline = io.StringIO(_LINE.sub("\n", self.text)).readline
        for token in tokenize.generate_tokens(readline):
            name = tokenize.tok_name[token.type]
            if name == "FSTRING_START":
                middle = middle or token.start[0]
            if name == "STRING" or (name == "FSTRING_END" and middle):
                found.update(range((middle or token.start[0]) + 1, token.end[0] + 1))
                middle = 0
        return frozenset(found)


def parsed(data: bytes) -> Source:
    """Return the source that bytes hold, by their byte-order mark and coding line; raise Unsplicable for what is none."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        bom = data.startswith(_BOM)
        text = data[len(_BOM) * bom :].decode("utf-8" if bom else encoding)
    except (SyntaxError, UnicodeDecodeError):
        raise Unsplicable("the file can't be decoded") from None
    return Source(text, "utf-8" if bom else encoding, bom)
