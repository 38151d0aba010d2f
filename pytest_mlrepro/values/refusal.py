"""What to do instead, for the things that people pass and that have no canonical form."""

from __future__ import annotations

import io
import types
from array import array
from collections.abc import Generator, Iterator, KeysView, Set, ValuesView
from typing import Final, NoReturn

from .walk import Foreign, Refused

__all__ = ["refuse"]

_ADVICE: Final[tuple[tuple[tuple[type, ...], str], ...]] = (
    ((io.IOBase,), "pass its path, or what it holds"),
    ((types.ModuleType,), "pass the values in it that matter"),
    ((Generator, Iterator), "it can be read only once; make a list of it"),
    ((KeysView, ValuesView), "make a list of it"),
    ((Set,), "make a set of it"),
    ((memoryview,), "pass bytes(value)"),
    ((array,), "pass numpy.asarray(value)"),
    ((types.SimpleNamespace,), "pass vars(value)"),
)
_REGISTER: Final = "pass its numbers as a dict or an array, or give its class a method __mlrepro__() that returns them"
_FOREIGN: Final = "; a class that isn't yours takes one too: {}.__mlrepro__ = lambda self: ..."
_IMMUTABLE: Final = 1 << 8
"""The flag of types that take no attribute, such as those of Python itself."""
_BY_METHOD: Final = (
    ("__array__", "pass numpy.asarray(value)"),
    ("state_dict", "pass value.state_dict()"),
)


def refuse(value: Foreign) -> NoReturn:
    """Raise for a value that nothing describes, with the advice that fits it best."""
    for kinds, advice in _ADVICE:
        if isinstance(value, kinds):
            raise Refused(value, advice)
    for method, advice in _BY_METHOD:
        if hasattr(type(value), method):
            raise Refused(value, advice)
    kind = type(value)
    raise Refused(value, _REGISTER + ("" if kind.__flags__ & _IMMUTABLE else _FOREIGN.format(kind.__name__)))
