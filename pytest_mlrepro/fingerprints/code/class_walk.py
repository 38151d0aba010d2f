"""How a walk takes classes: whole, or those around a test without the other tests in them."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Final

from ...values.functions import own_codes
from ...values.located import SourceFile
from ...values.origins import module_file, module_namespace
from .classes import functions_inside, is_generated, made_class, members, shell
from .mentions import chain_of
from .objects import home_of
from .scopes import Scope

if TYPE_CHECKING:
    from .reach import Reach

__all__ = ["Classes"]

_CALLED_BY_PYTEST: Final = {
    *("setup_method", "teardown_method", "setup_class", "teardown_class", "setUp", "tearDown", "setUpClass"),
    *("tearDownClass", "asyncSetUp", "asyncTearDown"),
}


class Classes:
    """The classes of one walk."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._light: dict[int, dict[str, Any]] = {}

    def whole(self, kind: type) -> None:
        """Take a class with its bases, its metaclass and all that it holds."""
        module = self._home(kind)
        if module is None:
            return
        if not self._inside_function(kind, module):
            self._shell(kind, module)
        for base in type.__dict__["__mro__"].__get__(kind)[1:]:
            self._reach.visit(base)
        for _, member in members(kind):
            if not is_generated(member):
                self._reach.visit(member)
        file, pieces = self._source(kind, module)
        if file is not None and "<locals>" not in kind.__qualname__:
            self._reach.later(self.shadowed, file, pieces, self._scope(module), kind.__qualname__)

    def _inside_function(self, kind: type, module: str) -> bool:
        """Take a class that a function made by that function, whose source holds all of it; False for other classes."""
        file, pieces = self._source(kind, module) if "<locals>" in kind.__qualname__ else (None, ())
        outer = file.outermost(pieces[0]) if file is not None and pieces else None
        if file is not None and outer is not None:
            self._reach.define_static(file, outer[1], self._scope(module), outer[0])
        return outer is not None

    def _home(self, kind: type) -> str | None:
        """Return the module of a class whose source counts; others are noted as packages."""
        if type(kind) is not type:
            self._reach.visit(type(kind))
        module = home_of(kind)
        if not module or not self._reach.project.holds_module(module):
            self._reach.parts.package(module)
            return None
        return module

    def _scope(self, module: str) -> Scope:
        return Scope(module, module_namespace(module), {})

    def _source(self, kind: type, module: str) -> tuple[SourceFile | None, tuple[Any, ...]]:
        codes = list(own_codes(kind))
        filename = codes[0].co_filename if codes else module_file(module_namespace(module))
        file = self._reach.file(filename) if filename is not None else None
        lines = frozenset(code.co_firstlineno for code in codes)
        return file, file.class_(kind.__qualname__, lines) if file is not None else ()

    def _shell(self, kind: type, module: str, *, bases: bool = True) -> None:
        """Add the class statement without the functions in it, or what is known of a class without one."""
        file, pieces = self._source(kind, module)
        if file is not None and pieces:
            without = frozenset(chain_of(base) for piece in pieces for base in piece.bases if not bases)
            shells = tuple(map(shell, pieces))
            self._reach.define(file, shells, self._scope(module), kind.__qualname__, kind="class", without=without)
            return
        name = self._reach.parts.name(module, kind.__qualname__)
        self._reach.parts.add(name, "class", made_class(kind, self._reach.constants), self._reach.parts.label(module))

    def shadowed(self, file: SourceFile, pieces: tuple[Any, ...], scope: Scope, qualname: str) -> None:
        """Add functions in a class statement that no live member leads to, such as those a decorator replaced."""
        for name, node in functions_inside(file, pieces, qualname):
            self._reach.define_static(file, node, scope, name)

    def around(self, kind: type) -> None:
        """Take a test's class without the other tests in it: their methods count when something mentions them."""
        if id(kind) in self._light or self._reach.met(kind):
            return
        self._light[id(kind)] = {}
        module = self._home(kind)
        if module is None:
            return
        self._shell(kind, module, bases=False)
        for name, member in members(kind):
            if is_generated(member):
                continue
            is_method = issubclass(type(member), types.FunctionType | staticmethod | classmethod)
            if is_method and not name.startswith("__"):
                self._light[id(kind)][name] = member
            else:
                self._reach.visit(member)

    def wake(self, mentioned: set[str]) -> bool:
        """Take the methods of tests' classes that were mentioned since; pytest calls some by their names."""
        found = False
        for waiting in self._light.values():
            for name in [name for name in waiting if name in mentioned or name in _CALLED_BY_PYTEST]:
                self._reach.visit(waiting.pop(name))
                found = True
        return found
