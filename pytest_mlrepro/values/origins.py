"""Where code comes from: Python itself, an installed package, or a source file that somebody works on.

What is installed is known by its version; what somebody works on has none, so that its source is looked at.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Final, Literal, TypeAlias

__all__ = ["Origin", "module_file", "module_namespace", "origin_of_file", "origin_of_module", "public_name"]

Origin: TypeAlias = Literal["python", "installed", "source"]
_SITES: Final = frozenset({"site-packages", "dist-packages"})
_OURSELVES: Final = str(Path(__file__).parent.parent) + os.sep
_PUBLIC_HOMES: Final = {
    "posixpath": "os.path",
    "ntpath": "os.path",
    "posix": "os",
    "nt": "os",
    "_io": "io",
    "torch._C._nn": "torch.nn.functional",
}
"""Where people know the code of modules that are named after a platform or an implementation."""


@lru_cache(maxsize=4096)
def origin_of_file(filename: str) -> Origin:
    """Tell where a file of Python code belongs, by its folder; code without a file counts as `source`.

    This package itself counts as installed, also where it is installed in editable form.
    """
    if filename.startswith("<frozen "):
        return "python"
    if filename.startswith(_OURSELVES):
        return "installed"
    if not Path(filename).is_absolute():
        return "source"
    real = os.path.realpath(filename)
    for path in (filename, real):  # some installers fill site-packages with links into their cache
        if not _SITES.isdisjoint(Path(path).parts) or path.startswith(_roots("site")):
            return "installed"
    return "python" if real.startswith(_roots("python")) else "source"


@cache
def _roots(of: Literal["python", "site"]) -> tuple[str, ...]:
    """Return the folders of the standard library or of installed packages; the former hold the latter."""
    if of == "site":
        found = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), site.getusersitepackages()]
    else:
        found = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), str(Path(os.__file__).parent)]
    return tuple(os.path.realpath(folder) + os.sep for folder in found if folder)


def origin_of_module(name: str) -> Origin:
    """Tell where a module belongs, by its file if it is loaded, else by its name; `__main__` is `source`."""
    if name == "__main__":
        return "source"
    namespace = module_namespace(name)
    filename = module_file(namespace)
    if filename is not None:
        return origin_of_file(filename)
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return "python"
    return "source" if namespace is not None and top not in sys.modules else _origin_of_top(top)


def _origin_of_top(top: str) -> Origin:
    """A module without a file is built into an extension or into a package: ask the package."""
    filename = module_file(module_namespace(top))
    return origin_of_file(filename) if filename is not None else "installed"


def module_namespace(name: str) -> dict[str, object] | None:
    """Return what a loaded module holds, without waking a lazy module; None if it isn't loaded."""
    module = sys.modules.get(name)
    is_module = issubclass(type(module), ModuleType)  # what cffi puts among the modules only says that it is one
    return ModuleType.__getattribute__(module, "__dict__") if is_module else None


def module_file(namespace: dict[str, object] | None) -> str | None:
    """Return the file of a module, or the first folder of a package without one; None if it has neither."""
    if namespace is None:
        return None
    filename = namespace.get("__file__")
    if isinstance(filename, str):
        return filename
    path = namespace.get("__path__")
    try:
        folders = [folder for folder in path if isinstance(folder, str)] if path is not None else []  # type: ignore[attr-defined]  # any object
    except Exception:  # noqa: BLE001  # what a foreign __path__ does is not ours to report
        return None
    return os.path.join(folders[0], "") if folders else None  # noqa: PTH118  # the separator at the end counts


def public_name(module: str, name: str, value: object) -> str | None:
    """Return the shortest dotted name under which a loaded module or package offers an object; None if none does.

    Packages move their code between private modules (`torch.nn.modules.linear`, `pathlib._local`), while the name in
    the package (`torch.nn.Linear`, `pathlib.Path`) stays.
    """
    module = _PUBLIC_HOMES.get(module, module)
    steps = module.split(".")
    tops = [module[1:]] if module.startswith("_") else []
    for candidate in [*tops, *(".".join(steps[:end]) for end in range(1, len(steps) + 1))]:
        if _attribute(candidate, name) is value:
            return f"{candidate}.{name}"
    return None


def _attribute(module: str, name: str) -> object:
    """Look a dotted name up in a loaded module and the classes in it, without running anybody's code."""
    found: object = None
    space = module_namespace(module)
    for step in name.split("."):
        if space is None or step not in space:
            return None
        found = space[step]
        found = found.__func__ if isinstance(found, staticmethod | classmethod) else found
        space = dict(type.__dict__["__dict__"].__get__(found)) if isinstance(found, type) else None
    return found
