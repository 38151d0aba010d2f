"""The parts of a code fingerprint as a walk gathers them: each piece of code once, under a name and with its place."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from blake3 import blake3

from ...values.located import SourceFile
from ...values.node import Field, Group, Node, Scalar
from ...values.origins import module_file, module_namespace, origin_of_module
from ..digest import Fingerprint
from ..values import fingerprint_node
from .project import Project

__all__ = ["Part", "Parts"]


@dataclass(frozen=True, slots=True)
class Part:
    """One function, class or constant."""

    name: str
    """`module.qualname`."""
    fingerprint: Fingerprint


class Parts:
    """What was found so far."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._found: dict[tuple[str, str, str], Part] = {}
        self._places: set[tuple[str, int]] = set()
        self._labels: dict[str, str] = {}
        self.modules: set[str] = set()
        """Installed modules that were mentioned."""

    def __iter__(self) -> Any:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)

    def add(self, name: str, kind: str, node: Node, place: str) -> bool:
        """Add a part unless one of this name, place and content is there; tells whether it was new."""
        plain = fingerprint_node(node)
        key = (name, place, plain.digest)
        if key in self._found:
            return False
        self._found[key] = Part(name, Fingerprint(plain.digest, kind, (), place))
        return True

    def add_source(self, file: SourceFile, line: int, module: str, qualname: str, kind: str, node: Node) -> bool:
        """Add a part that is a piece of a file; a function with other captured values is another part."""
        self._places.add((file.filename, line))
        return self.add(self.name(module, qualname), kind, node, self._project.place(file.filename, module, line))

    def name(self, module: str, qualname: str) -> str:
        """Return the name of a part."""
        return f"{self.label(module)}.{qualname}"

    def has_source(self, file: SourceFile, line: int) -> bool:
        """Tell whether the piece of a file that begins on a line is a part already."""
        return (file.filename, line) in self._places

    def package(self, module: str) -> None:
        """Note that an installed module is used; Python's own counts with the environment.

        An extension module that was built inside the project counts by the bytes of its file.
        """
        origin = origin_of_module(module) if module and module != "None" else "python"
        filename = module_file(module_namespace(module)) if origin == "source" else None
        if filename is not None and filename.endswith(tuple(EXTENSION_SUFFIXES)) and Path(filename).is_file():
            digest = blake3().update_mmap(filename).hexdigest()
            node = Group("extension", (), ((Field("file"), Scalar("bytes-digest", digest)),))
            self.add(self.label(module), "extension", node, self._project.place(filename, module, 1).rpartition(":")[0])
        elif origin != "python":
            self.modules.add(module)

    def label(self, module: str) -> str:
        """Return the name of a module; a script goes by its file, as if it had been imported."""
        if module != "__main__":
            return module
        found = self._labels.get(module)
        if found is None:
            filename = module_file(module_namespace(module))
            found = self._labels[module] = Path(filename).stem if filename else module
        return found
