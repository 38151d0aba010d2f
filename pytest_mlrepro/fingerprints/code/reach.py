"""The code that a function reaches: a walk through live objects, guided by what the source of each piece mentions.

Live objects say what a name means, after decorators, conditional imports and registrations have run; the source says
what is mentioned and what it is. Foreign code is never run: no property, `__getattr__`, `__eq__` or lazy module.
"""

from __future__ import annotations

import ast
import functools
import types
import weakref
from collections import deque
from collections.abc import Callable, Collection
from pathlib import Path
from types import CodeType
from typing import Any, Final

from ...values.code_objects import qualified_name
from ...values.located import SourceFile, source_file
from ...values.node import Field, Group, Label, Node, Scalar
from ...values.origins import module_namespace, origin_of_module
from .bytecode import bytecode_digest
from .class_walk import Classes
from .classes import is_generated, owner_of, shell
from .constants import Constants
from .mentions import Chain, compiled_names, mentions, names_read
from .names import Names
from .objects import PLAIN, attributes, home_of, is_container, items_of
from .parts import Parts
from .project import Project
from .scopes import Scope, captured, cells
from .stale import changed_since_import

__all__ = ["Reach"]

_PLAIN: Final = frozenset(
    map(id, [*PLAIN, types.CellType, types.MemberDescriptorType, types.GetSetDescriptorType, weakref.ref])
)
"""By identity: the metaclass of a type may say how it is hashed."""
_HOLDERS: Final = ("functools", "types", "unittest.mock", "contextlib", "collections", "dataclasses")
"""Modules of Python whose objects hold what users gave them; others, such as loggers, lead everywhere."""
_DATA: Final = frozenset({"numpy", "pandas", "polars", "pyarrow", "scipy"})
_MAX_DEPTH: Final = 8
"""Objects inside objects, from a function or a module to the next function or class."""
_MAX_OBJECTS: Final = 50_000
"""Beyond these, containers and instances are passed over; functions and classes never are."""


class Reach:
    """One walk; `parts` holds what it found."""

    def __init__(self, project: Project, *, alone: bool = False) -> None:
        self.project = project
        self._alone = alone
        """Whether a function inside another counts by its own source, and not by that of the outer one."""
        self.parts = Parts(project)
        self.constants = Constants(project.relative, self.parts.label)
        self.names = Names(self)
        self.classes = Classes(self)
        self.titles: dict[CodeType, str] = {}
        """Lambdas by the global names that they are bound to."""
        self._mentioned: set[str] = set()
        self._todo: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._files: dict[str, SourceFile | None] = {}
        self._seen: dict[int, object] = {}

    def file(self, filename: str) -> SourceFile | None:
        """Return a parsed file; one walk looks once whether it changed."""
        if filename not in self._files:
            self._files[filename] = source_file(filename)
        return self._files[filename]

    def root(self, value: object) -> None:
        """Start from an object; of the class around a test only what the test mentions counts."""
        function: Any = value
        if type(value) is types.MethodType:
            function = value.__func__
            self._each(attributes(value.__self__).values() if not issubclass(type(value.__self__), type) else (), 1)
        owner = owner_of(function) if issubclass(type(function), types.FunctionType) else None
        self.visit(function)
        if owner is not None:
            for kind in type.__dict__["__mro__"].__get__(owner):
                self.later(self.classes.around, kind)
        self.run()

    def later(self, action: Callable[..., None], *arguments: Any) -> None:
        """Note something to be done: a walk goes on in the order of its finds, not by recursion."""
        self._todo.append((action, arguments))

    def run(self) -> None:
        """Walk until nothing new turns up."""
        while self._todo or self.classes.wake(self._mentioned):
            if not self._todo:
                continue
            action, arguments = self._todo.popleft()
            action(*arguments)

    def met(self, value: object) -> bool:
        """Tell whether an object is noted."""
        return id(value) in self._seen

    def visit(self, value: object, depth: int = 0) -> None:
        """Note an object to be walked, once."""
        if id(type(value)) in _PLAIN or id(value) in self._seen:
            return
        is_code = issubclass(type(value), types.FunctionType | type)
        if not is_code and (depth > _MAX_DEPTH or len(self._seen) > _MAX_OBJECTS):
            return
        self._seen[id(value)] = value
        self.later(self._visit, value, depth)

    def _visit(self, value: Any, depth: int) -> None:
        kind = type(value)
        if issubclass(kind, types.FunctionType):
            self._function(value)
        elif issubclass(kind, type):
            self.classes.whole(value)
        elif issubclass(kind, types.ModuleType):
            self.names.whole_module(value)
        elif issubclass(kind, types.MethodType | staticmethod | classmethod):
            self.visit(value.__func__, depth)
            self.visit(getattr(value, "__self__", None), depth)
        elif issubclass(kind, property):
            for accessor in (value.fget, value.fset, value.fdel):
                self.visit(accessor, depth)
        elif issubclass(kind, functools.partial):
            self._each((value.func, *value.args, *value.keywords.values()), depth)
        else:
            self._each(items_of(value), depth + 1)
            if not is_container(kind):
                self._instance(value, kind, depth + 1)

    def _each(self, items: Collection[object], depth: int) -> None:
        if not _PLAIN.issuperset(map(id, map(type, items))):  # a million numbers cost little
            for item in items:
                self.visit(item, depth)

    def _instance(self, value: object, kind: type, depth: int) -> None:
        """Walk an object of any other class: the class, and what the object holds."""
        self.visit(kind)
        module = home_of(kind)
        if issubclass(kind, types.BuiltinFunctionType | types.MethodDescriptorType | types.WrapperDescriptorType):
            named = getattr(value, "__module__", None)
            self.parts.package(named if type(named) is str else "")
            return
        if kind.__name__ == "cython_function_or_method":
            self.parts.package(str(getattr(value, "__module__", "")))
            return
        if origin_of_module(module) == "python" and not module.startswith(_HOLDERS):
            return
        top = module.partition(".")[0]
        held = attributes(value) if top not in _DATA else {}
        if top != "torch" or "_modules" in held:
            self._each(held.values(), depth)

    # Functions

    def _function(self, function: types.FunctionType) -> None:
        code = function.__code__
        module = str(function.__globals__.get("__name__"))
        closure = cells(function)
        self._each(list(function.__dict__.values()), 0)
        self._each([value for value in closure.values() if type(value) is not types.ModuleType], 0)
        self._each([*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()], 0)
        if not self.project.holds(code.co_filename, module):
            self.parts.package(module)
            return
        scope = Scope(module, function.__globals__, closure)
        file = self.file(code.co_filename)
        pieces = file.function(code) if file is not None else ()
        if file is None or not pieces or changed_since_import(file, code, function.__globals__):
            if not is_generated(function) and (module == "None" or module_namespace(module) is not None):
                self._without_source(code, scope, file)  # else a library made it in a namespace of its own
            return
        carried = tuple(
            (Field(name), self.constants.state(value)) for name, value in captured(function, closure, file, pieces)
        )
        outer = None if self._alone else file.around(code, pieces[0])
        if outer is None:
            self.define(file, pieces, scope, self.titles.get(code, qualified_name(code)), code=code, carried=carried)
            return
        self.define_static(file, outer[1], Scope(module, function.__globals__, {}), outer[0])
        if carried:
            place = self.project.place(file.filename, module, pieces[0].lineno)
            node = Group("function", (), carried)
            self.parts.add(self.parts.name(module, qualified_name(code)), "function", node, place)
        self._follow(file, pieces, scope, code)

    def define(
        self,
        file: SourceFile,
        pieces: tuple[Any, ...],
        scope: Scope,
        qualname: str,
        *,
        code: CodeType | None = None,
        kind: str = "function",
        carried: tuple[tuple[Label, Node], ...] = (),
        without: frozenset[Chain] = frozenset(),
    ) -> None:
        """Add a piece of source as a part, and follow what it mentions."""
        node = Group(kind, (), ((Field("source"), Scalar("syntax", file.digest(pieces))), *carried))
        if not self.parts.add_source(file, pieces[0].lineno, scope.module, qualname, kind, node):
            return
        self._follow(file, pieces, scope, code, without)

    def _follow(
        self,
        file: SourceFile,
        pieces: tuple[Any, ...],
        scope: Scope,
        code: CodeType | None,
        without: frozenset[Chain] = frozenset(),
    ) -> None:
        """Follow all that a piece of source mentions."""
        found = mentions(file, pieces)
        self._mentioned |= found.attributes
        names = names_read(code) if code is not None else compiled_names(pieces)
        imports = dict(found.imports)
        for chain in found.header - without:
            self.names.resolve(scope, chain)
        for chain in found.body:
            if chain[0] in imports and (names is None or chain[0] not in names):
                self.names.follow(scope, imports[chain[0]], chain[1:])
            elif names is None or chain[0] in names or chain[0] in scope.closure:
                self.names.resolve(scope, chain)
        for _, target in found.imports:
            self.names.follow(scope, target, None)

    def _without_source(self, code: CodeType, scope: Scope, file: SourceFile | None) -> None:
        """Take a function made by exec, or whose file is gone or has changed: it counts by its bytecode."""
        node = Group("bytecode", (), ((Field("code"), Scalar("bytecode", bytecode_digest(code))),))
        home = Path(code.co_filename).name if scope.module == "None" else scope.module  # None: exec gave it no module
        name = self.parts.name(home, qualified_name(code))
        why = "changed since it was imported" if file is not None else "without source"
        place = self.project.place(code.co_filename, scope.module, code.co_firstlineno)
        self.parts.add(name, "bytecode", node, f"{place} ({why})")
        for root in names_read(code):
            self.names.resolve(scope, (root,))

    def define_static(self, file: SourceFile, node: Any, scope: Scope, qualname: str) -> None:
        """Add a function or a class by its definition alone, unless it was met alive."""
        if isinstance(node, ast.ClassDef):
            self.define(file, (shell(node),), scope, qualname, kind="class")
            self.later(self.classes.shadowed, file, (node,), scope, qualname)
        elif not self.parts.has_source(file, node.lineno):
            self.define(file, (node,), scope, qualname)
