"""Names of modules that were not imported yet, by reading their files: an import inside a function may not have run.

Nothing is imported to find out: a module may take minutes, or need what this machine lacks.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ...values.located import SourceFile
from ...values.node import Node
from .mentions import Chain
from .modules import absolute, file_of_unloaded, is_namespace, module_code
from .scopes import DEFINITION, Scope, constant

if TYPE_CHECKING:
    from .names import Names
    from .reach import Reach

__all__ = ["Unloaded"]


class Unloaded:
    """The meaning of names in files for one walk."""

    def __init__(self, reach: Reach, names: Names) -> None:
        self._reach = reach
        self._names = names
        self._done: set[tuple[str, Chain]] = set()

    def note(self, module: str) -> None:
        """Take an import for its package alone."""
        self._source(module)

    def resolve(self, module: str, chain: Chain) -> None:
        """Follow a chain of names of a module; () takes all that it defines."""
        if (module, chain) in self._done:
            return
        self._done.add((module, chain))
        file = self._source(module)
        if file is None:
            if chain and is_namespace(module):
                self._names.in_module(f"{module}.{chain[0]}", chain[1:])
            return
        if chain:
            self._name(module, file, chain)
            return
        for name in list(module_code(file).bindings):
            self.resolve(module, (name,))

    def _source(self, module: str) -> SourceFile | None:
        """Return the file of a module whose source counts; others are noted as packages."""
        filename = file_of_unloaded(module)
        if filename is not None and self._reach.project.holds(filename, module):
            return self._reach.file(filename)
        if filename is not None:
            self._reach.parts.package(module)
        return None

    def _name(self, module: str, file: SourceFile, chain: Chain) -> None:
        code = module_code(file)
        name, rest = chain[0], chain[1:]
        is_package = file.filename.endswith("__init__.py")
        if name in code.bindings:
            self._binding(Scope(module, None, {}), file, name, code.bindings[name])
            return
        for target in code.imports.get(name, []):
            source = absolute(target, module, is_package=is_package)
            if target.attribute is None:
                self._names.in_module(source, rest)
            elif source == module:  # from . import submodule
                self._names.in_module(f"{module}.{target.attribute}", rest)
            else:
                self._names.in_module(source, (target.attribute, *rest))
        if name not in code.imports:
            if file_of_unloaded(f"{module}.{name}") is not None:
                self._names.in_module(f"{module}.{name}", rest)
            for target in code.stars:
                self._names.in_module(absolute(target, module, is_package=is_package), chain)

    def _binding(self, scope: Scope, file: SourceFile, name: str, statements: list[Any]) -> None:
        for node in statements:
            if isinstance(node, DEFINITION):
                self._reach.define_static(file, node, scope, name)
        plain = [node for node in statements if not isinstance(node, DEFINITION)]
        if not plain:
            return
        value = self._literal(plain, name, file)
        if value is None:
            self._reach.define(file, tuple(plain), scope, name, kind="constant")
        else:
            text = self._reach.project.place(file.filename, scope.module, plain[0].lineno)
            self._reach.parts.add(self._reach.parts.name(scope.module, name), "constant", constant(value), text)

    def _literal(self, statements: list[Any], name: str, file: SourceFile) -> Node | None:
        """Return the description of a value that is written out, the same as if the module were loaded."""
        if len(statements) != 1 or not isinstance(statements[0], ast.Assign | ast.AnnAssign):
            return None
        node = statements[0]
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if not all(isinstance(target, ast.Name) for target in targets) or node.value is None:
            return None
        try:
            value = ast.literal_eval(node.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
        return None if module_code(file).is_state(name, value) else self._reach.constants.node(value)
