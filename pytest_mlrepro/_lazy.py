"""Optional libraries, asked for without importing them: whoever hands us a tensor has imported torch already."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from .errors import MissingDependencyError

__all__ = ["loaded", "require"]


def loaded(name: str) -> ModuleType | None:
    """Return the module if the running program has imported it, else None; never imports."""
    return sys.modules.get(name)


def require(name: str, *, extra: str) -> ModuleType:
    """Import an optional library, or say which extra of this package brings it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):  # something that the library itself needs
            raise
        raise MissingDependencyError(
            f"{name} is needed here and is not installed: run  pip install 'pytest-mlrepro[{extra}]'"
        ) from None
