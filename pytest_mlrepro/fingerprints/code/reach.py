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
from collections.abc import Callable, Iterable
from types import CodeType
from typing import Any, Final

from ...values.functions import own_codes
from ...values.located import SourceFile, source_file
from ...values.node import Field, Group, Label, Node, Scalar
from ...values.origins import module_file, module_namespace, origin_of_module
from .bytecode import bytecode_digest
from .classes import functions_inside, home_of, is_generated, made_class, members, owner_of, shell
from .constants import PLAIN, Constants, attributes
from .mentions import compiled_names, mentions, names_read
from .names import Names
from .parts import Parts
from .project import Project
from .scopes import Scope, captured, cells
from .stale import changed_since_import

__all__ = ["Reach"]

_PLAIN: Final = PLAIN | {types.CellType, types.MemberDescriptorType, types.GetSetDescriptorType, weakref.ref}
_HOLDERS: Final = ("functools", "types", "unittest.mock", "contextlib", "collections", "dataclasses")
"""Modules of Python whose objects hold what users gave them; others, such as loggers, lead everywhere."""
_DATA: Final = frozenset({"numpy", "pandas", "polars", "pyarrow", "scipy"})
_MAX_DEPTH: Final = 8
"""Objects inside objects, from a function or a module to the next function or class."""
_MAX_OBJECTS: Final = 50_000


class Reach:
    """One walk; `parts` holds what it found."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.parts = Parts(project)
        self.constants = Constants(project.relative, self.parts.label)
        self.names = Names(self)
        self.titles: dict[CodeType, str] = {}
        """Lambdas by the global names that they are bound to."""
        self._mentioned: set[str] = set()
        self._todo: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._seen: dict[int, object] = {}
        self._light: dict[type, dict[str, Any]] = {}

    def root(self, value: object) -> None:
        """Start from an object; of the class around a test only what the test mentions counts."""
        function = value.__func__ if type(value) is types.MethodType else value
        owner = owner_of(function) if isinstance(function, types.FunctionType) else None
        self.visit(function)
        if owner is not None:
            for kind in type.__dict__["__mro__"].__get__(owner):
                self._todo.append((self._class_around, (kind,)))
        self.run()

    def run(self) -> None:
        """Walk until nothing new turns up."""
        while self._todo or self._wake():
            action, arguments = self._todo.popleft()
            action(*arguments)

    def visit(self, value: object, depth: int = 0) -> None:
        """Note an object to be walked, once."""
        if type(value) in _PLAIN or id(value) in self._seen or depth > _MAX_DEPTH or len(self._seen) > _MAX_OBJECTS:
            return
        self._seen[id(value)] = value
        self._todo.append((self._visit, (value, depth)))

    def _visit(self, value: Any, depth: int) -> None:
        kind = type(value)
        if issubclass(kind, types.FunctionType):
            self._function(value)
        elif issubclass(kind, type):
            self._class(value)
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
        elif issubclass(kind, dict | types.MappingProxyType):
            plain = dict if issubclass(kind, dict) else types.MappingProxyType
            self._each((*plain.keys(value), *plain.values(value)), depth + 1)
        elif issubclass(kind, list | tuple | set | frozenset | deque):
            base: Any = next(base for base in (list, tuple, set, frozenset, deque) if issubclass(kind, base))
            self._each(list(base.__iter__(value)), depth + 1)
        else:
            self._instance(value, kind, depth + 1)

    def _each(self, items: Iterable[object], depth: int) -> None:
        for item in items:
            if type(item) not in _PLAIN:
                self.visit(item, depth)

    def _instance(self, value: object, kind: type, depth: int) -> None:
        """Walk an object of any other class: the class, and what the object holds."""
        self.visit(kind)
        module = home_of(kind)
        if issubclass(kind, types.BuiltinFunctionType | types.MethodDescriptorType | types.WrapperDescriptorType):
            named = getattr(value, "__module__", None)
            self.parts.package(named if type(named) is str else "")
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
        file = source_file(code.co_filename)
        pieces = file.function(code) if file is not None else ()
        if file is None or not pieces or changed_since_import(file, code, function.__globals__):
            if not is_generated(function):
                self._without_source(code, scope, file)
            return
        carried = tuple(
            (Field(name), self.constants.state(value)) for name, value in captured(function, closure, file, pieces)
        )
        outer = file.around(code, pieces[0])
        if outer is None:
            self.define(file, pieces, scope, self.titles.get(code, code.co_qualname), code=code, carried=carried)
            return
        self.define_static(file, outer[1], Scope(module, function.__globals__, {}), outer[0])
        if carried:
            place = self.project.place(file.filename, module, pieces[0].lineno)
            node = Group("function", (), carried)
            self.parts.add(f"{self.parts.label(module)}.{code.co_qualname}", "function", node, place)
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
    ) -> None:
        """Add a piece of source as a part, and follow what it mentions."""
        node = Group(kind, (), ((Field("source"), Scalar("syntax", file.digest(pieces))), *carried))
        if not self.parts.add_source(file, pieces, f"{self.parts.label(scope.module)}.{qualname}", kind, node):
            return
        self._follow(file, pieces, scope, code)

    def _follow(self, file: SourceFile, pieces: tuple[Any, ...], scope: Scope, code: CodeType | None) -> None:
        """Follow all that a piece of source mentions."""
        found = mentions(file, pieces)
        self._mentioned |= found.attributes
        names = names_read(code) if code is not None else compiled_names(pieces)
        imports = dict(found.imports)
        for chain in found.header:
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
        name = f"{self.parts.label(scope.module)}.{code.co_qualname}"
        why = "changed since it was imported" if file is not None else "without source"
        place = self.project.place(code.co_filename, name, code.co_firstlineno)
        self.parts.add(name, "bytecode", node, f"{place} ({why})")
        for root in names_read(code):
            self.names.resolve(scope, (root,))

    # Classes

    def _class(self, kind: type) -> None:
        module = self._home(kind)
        if module is None:
            return
        self._shell(kind, module)
        for base in type.__dict__["__mro__"].__get__(kind)[1:]:
            self.visit(base)
        for _, member in members(kind):
            if not is_generated(member):
                self.visit(member)
        file, pieces = self._source(kind, module)
        if file is not None:
            self._todo.append((self._shadowed, (file, pieces, self._scope(module), kind.__qualname__)))

    def _home(self, kind: type) -> str | None:
        """Return the module of a class whose source counts; others are noted as packages."""
        if type(kind) is not type:
            self.visit(type(kind))
        module = home_of(kind)
        if not module or not self.project.holds_module(module):
            self.parts.package(module)
            return None
        return module

    def _scope(self, module: str) -> Scope:
        return Scope(module, module_namespace(module), {})

    def _source(self, kind: type, module: str) -> tuple[SourceFile | None, tuple[Any, ...]]:
        codes = list(own_codes(kind))
        filename = codes[0].co_filename if codes else module_file(module_namespace(module))
        file = source_file(filename) if filename is not None else None
        lines = frozenset(code.co_firstlineno for code in codes)
        return file, file.class_(kind.__qualname__, lines) if file is not None else ()

    def _shell(self, kind: type, module: str) -> None:
        """Add the class statement without the functions in it, or what is known of a class without one."""
        file, pieces = self._source(kind, module)
        if file is not None and pieces:
            self.define(file, tuple(map(shell, pieces)), self._scope(module), kind.__qualname__, kind="class")
            return
        label = self.parts.label(module)
        self.parts.add(f"{label}.{kind.__qualname__}", "class", made_class(kind, self.constants), label)

    def _shadowed(self, file: SourceFile, pieces: tuple[Any, ...], scope: Scope, qualname: str) -> None:
        """Add functions in a class statement that no live member leads to, such as those a decorator replaced."""
        for name, node in functions_inside(file, pieces, qualname):
            self.define_static(file, node, scope, name)

    def define_static(self, file: SourceFile, node: Any, scope: Scope, qualname: str) -> None:
        """Add a function or a class by its definition alone, unless it was met alive."""
        if isinstance(node, ast.ClassDef):
            self.define(file, (shell(node),), scope, qualname, kind="class")
            self._todo.append((self._shadowed, (file, (node,), scope, qualname)))
        elif not self.parts.has_source(file, node.lineno):
            self.define(file, (node,), scope, qualname)

    def _class_around(self, kind: type) -> None:
        """Take a test's class without the other tests in it: their methods count when something mentions them."""
        if kind in self._light or id(kind) in self._seen:
            return
        self._light[kind] = {}
        module = self._home(kind)
        if module is None:
            return
        self._shell(kind, module)
        for name, member in members(kind):
            if is_generated(member):
                continue
            if isinstance(member, types.FunctionType | staticmethod | classmethod) and not name.startswith("__"):
                self._light[kind][name] = member
            else:
                self.visit(member)

    def _wake(self) -> bool:
        """Take the methods of tests' classes that were mentioned since; pytest calls some by their names."""
        for waiting in self._light.values():
            for name in [name for name in waiting if name in self._mentioned or name in _CALLED_BY_PYTEST]:
                self.visit(waiting.pop(name))
        return bool(self._todo)


_CALLED_BY_PYTEST: Final = {
    *("setup_method", "teardown_method", "setup_class", "teardown_class", "setUp", "tearDown", "setUpClass"),
    *("tearDownClass", "asyncSetUp", "asyncTearDown"),
}
