"""How a class is called in an attr of a node: free of the private modules that packages move their code between."""

from __future__ import annotations

from .origins import origin_of_module, public_name

__all__ = ["class_name"]


def class_name(kind: type) -> str:
    """Return the public dotted name of a class of an installed package, and of another the name within its module.

    The module of a test or of a script is called otherwise in every way of running it, so that it doesn't count.
    """
    if origin_of_module(kind.__module__) == "source":
        return kind.__qualname__
    return public_name(kind.__module__, kind.__qualname__, kind) or f"{kind.__module__}.{kind.__qualname__}"
