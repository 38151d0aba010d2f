"""What the names that code mentions mean: looked up in live modules, and in the files of those not imported yet."""

from __future__ import annotations

import builtins
import types
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ...values.located import SourceFile
from ...values.origins import module_file, module_namespace
from .mentions import Chain, Import
from .modules import ModuleCode, absolute, file_of_unloaded, is_drawn, module_code
from .objects import is_plain, reference_name
from .scopes import DEFINITION, Scope, constant, module_name
from .unloaded import Unloaded

if TYPE_CHECKING:
    from .reach import Reach

__all__ = ["Names"]

_Namespace: TypeAlias = dict[str, Any]
_BUILTINS: Final = frozenset(vars(builtins))


class Names:
    """The meaning of names for one walk."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._unloaded = Unloaded(reach, self)
        self._done: set[tuple[int, str]] = set()

    def resolve(self, scope: Scope, chain: Chain) -> None:
        """Follow a chain of names from the scope that mentions it."""
        root = chain[0]
        if root in scope.closure:
            self._value(scope.closure[root], chain[1:])
        elif scope.namespace is None:
            self._unloaded.resolve(scope.module, chain)
        elif root in scope.namespace:
            self._global(scope.module, scope.namespace, chain)

    def follow(self, scope: Scope, target: Import, rest: Chain | None) -> None:
        """Follow an import inside a function; `rest` is what is asked of the name, None for the import alone."""
        module = absolute(target, module_name(scope.module, scope.namespace), is_package=self._is_package(scope))
        if target.attribute is not None:
            self.in_module(module, (target.attribute, *(rest or ())))
        elif rest is None:
            self.note(module)
        else:
            self.in_module(module, rest)

    def _is_package(self, scope: Scope) -> bool:
        if scope.namespace is not None:
            return "__path__" in scope.namespace
        return (file_of_unloaded(scope.module) or "").endswith("__init__.py")

    def whole_module(self, module: types.ModuleType) -> None:
        """Take all that a module defines, since it is passed about as an object."""
        self._whole(str(object.__getattribute__(module, "__dict__").get("__name__")))

    # Live modules

    def _value(self, value: Any, rest: Chain) -> None:
        if issubclass(type(value), types.ModuleType):
            self._module(str(object.__getattribute__(value, "__dict__").get("__name__")), rest)
        else:
            self._reach.visit(value)

    def _global(self, module: str, space: _Namespace, chain: Chain) -> None:
        """Follow a name of a live module; a submodule that is asked for by attribute is one of its names."""
        value = space[chain[0]]
        if issubclass(type(value), types.ModuleType):
            self._value(value, chain[1:])
            return
        if (id(space), chain[0]) in self._done:
            return
        self._done.add((id(space), chain[0]))
        self._binding(module, space, chain[0], value)

    def _module(self, module: str, rest: Chain) -> None:
        """Follow what is asked of a module."""
        space = module_namespace(module)
        if space is None:
            self._unloaded.resolve(module, rest)
        elif not self._reach.project.holds_module(module):
            self._reach.parts.package(module)
        elif not rest:
            self._whole(module)
        elif rest[0] in space:
            self._global(module, space, rest)
        elif module_namespace(f"{module}.{rest[0]}") is not None:
            self._module(f"{module}.{rest[0]}", rest[1:])
        elif "__getattr__" in space:  # it makes its names when they are asked for, which is not done here
            self._reach.visit(space["__getattr__"])
        else:
            self._unloaded.resolve(f"{module}.{rest[0]}", rest[1:])

    def in_module(self, module: str, rest: Chain) -> None:
        """Follow what is asked of a module, loaded or not."""
        if module_namespace(module) is not None:
            self._module(module, rest)
        else:
            self._unloaded.resolve(module, rest)

    def note(self, module: str) -> None:
        """Take an import without a use: it counts for the package; what importing runs does not count."""
        if module_namespace(module) is None:
            self._unloaded.note(module)
        elif not self._reach.project.holds_module(module):
            self._reach.parts.package(module)

    def _whole(self, module: str) -> None:
        space = module_namespace(module)
        if space is None:
            self._unloaded.resolve(module, ())
        elif not self._reach.project.holds_module(module):
            self._reach.parts.package(module)
        else:
            code = self._code(space)
            for name in list(code.bindings if code is not None else space):
                if name in space and not _is_dunder(name):
                    self._global(module, space, (name,))

    # Bindings

    def _code(self, space: _Namespace) -> ModuleCode | None:
        filename = module_file(space)
        file = self._reach.file(filename) if filename is not None else None
        return module_code(file) if file is not None else None

    def _binding(self, module: str, space: _Namespace, name: str, value: Any) -> None:
        """Take a global: in the module that it was imported from, or as a function, a class or a constant of this one."""
        code = self._code(space)
        if code is not None and self._imported(module, space, code, name, value):
            return
        statements = code.bindings.get(name, []) if code is not None else []
        if not statements and (_is_dunder(name) or name in _BUILTINS):
            return
        self._reach.visit(value)
        defined = [statement for statement in statements if isinstance(statement, DEFINITION)]
        if defined and code is not None:
            self._defined(module, space, code.file, name, defined, value)
        elif issubclass(type(value), types.FunctionType) and value.__code__.co_name == "<lambda>":
            self._reach.titles.setdefault(value.__code__, name)
        elif statements or reference_name(value, self._reach.parts.label) is None:
            self._constant(module, space, name, value, code, statements)

    def _imported(self, module: str, space: _Namespace, code: ModuleCode, name: str, value: Any) -> bool:
        """Follow a name to the module that it was imported from; False if this module binds it itself."""
        is_package = "__path__" in space
        for target in code.imports.get(name, []):
            source = absolute(target, module_name(module, space), is_package=is_package)
            held = module_namespace(source)
            if target.attribute is None or held is None or held.get(target.attribute) is not value:
                continue
            return self._from(source, held, target.attribute, value)
        if name in code.bindings:
            return False
        for target in code.stars:
            source = absolute(target, module_name(module, space), is_package=is_package)
            held = module_namespace(source)
            if held is not None and name in held and held[name] is value:
                return self._from(source, held, name, value)
        if name in code.imports and value is not None:  # from a module that makes its names, or changed since
            self._reach.visit(value)
            for target in code.imports[name]:
                self.note(absolute(target, module_name(module, space), is_package=is_package))
            return not is_plain(value)
        return False

    def _from(self, source: str, held: _Namespace, name: str, value: Any) -> bool:
        if self._reach.project.holds_module(source):
            self._global(source, held, (name,))
        else:
            self._reach.parts.package(source)
            self._reach.visit(value)
        return True

    def _defined(
        self, module: str, space: _Namespace, file: SourceFile, name: str, defined: list[Any], value: Any
    ) -> None:
        """Add definitions that the value under their name doesn't lead to, since a decorator put something else there."""
        kind = type(value)
        if issubclass(kind, types.FunctionType) and file.function(value.__code__) in [(node,) for node in defined]:
            return
        if issubclass(kind, type) and value.__dict__.get("__module__") == module and value.__qualname__ == name:
            return
        for node in defined:
            self._reach.define_static(file, node, Scope(module, space, {}), name)

    def _constant(
        self, module: str, space: _Namespace, name: str, value: Any, code: ModuleCode | None, statements: list[Any]
    ) -> None:
        """Add a constant: by its value, or by the statements that bind it if functions change it or it has no value."""
        reach = self._reach
        place = reach.parts.name(module, name)
        if reference_name(value, reach.parts.label) == place and issubclass(type(value), types.FunctionType):
            return
        text = reach.parts.label(module)
        if code is not None and statements:
            text = reach.project.place(code.file.filename, module, statements[0].lineno)
        made = issubclass(type(value), type) and value.__qualname__ == name  # Point = namedtuple("Point", "x y")
        if code is not None and statements:
            fixed = not made and not code.is_state(name, value) and not is_drawn(code.file, tuple(statements))
            node = reach.constants.node(value) if fixed else None
            if node is None:
                reach.define(code.file, tuple(statements), Scope(module, space, {}), name, kind="constant")
                return
        else:
            node = reach.constants.state(value)
        reach.parts.add(place, "constant", constant(node), text)


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
