"""One call of a step, taken apart: what is data is an input, what is code is code.

A partial is the function with more arguments, a bound method has its object as an input, and what a lambda captures or
has as a default is an input too: `lambda: fit(X, k)` and `fit, X, k` say the same thing.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..values.functions import installed_name, is_callable_value

__all__ = ["SELF", "Call", "is_ours", "read_call"]

SELF: Final = "self"
"""Name of the object that a method is bound to."""
_OURS: Final = __name__.partition(".")[0] + "."


@dataclass(frozen=True, slots=True)
class Call:
    """What is called, with which inputs by name."""

    function: Callable[..., Any]
    """Free of partials."""
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: tuple[tuple[str, Any], ...]
    """Names, of parameters where the function tells them, and values."""
    carried: tuple[tuple[str, Any], ...]
    """What the function captures, and what it has as defaults if it was made as the program ran; also inputs."""
    public: str | None
    """The name of a function of Python or of an installed package."""

    def roots(self, inputs: Mapping[str, Any]) -> tuple[object, ...]:
        """Return what the code starts from: the function without those inputs that it carries, and the inputs.

        The classes of inputs are code that runs, so a method of a model that changed is a change of the step's code.
        """
        data = {name for name, _ in self.carried if name in inputs}
        return (_stripped(self.function, data) if data else self.function, *inputs.values())


def read_call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Take a call apart; never calls anything."""
    while type(function) is functools.partial:
        args, kwargs = (*function.args, *args), {**function.keywords, **kwargs}
        function = function.func
    public = installed_name(function) if is_callable_value(function) else None
    inputs = list(_arguments(function, args, kwargs))
    owner = None if public else _owner(function)
    if owner is not None:
        inputs.insert(0, (SELF, owner))
    names = {name for name, _ in inputs}
    carried = tuple((name, value) for name, value in _carried(function) if name not in names and not is_ours(value))
    data = tuple((name, value) for name, value in inputs if not is_ours(value))
    return Call(function, args, kwargs, data, carried, public)


def is_ours(value: object) -> bool:
    """Tell whether a value is one of our fixtures, which are neither data nor code of the project."""
    return type(value).__module__.startswith(_OURS) and not is_callable_value(value)


def _owner(function: Any) -> object | None:
    """Return the object that a method is bound to, or that is called itself; None for functions and classes."""
    if not is_callable_value(function):  # an object with __call__; one that wraps a function is code
        return None if hasattr(function, "__wrapped__") else function
    owner = getattr(function, "__self__", None) if not isinstance(function, type) else None
    return None if isinstance(owner, type | types.ModuleType) else owner


def _arguments(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield arguments under the names of their parameters, so that it makes no difference how they were given."""
    try:
        signature = inspect.signature(function)
        bound = signature.bind(*args, **kwargs)
    except (TypeError, ValueError):  # no signature, or arguments that don't fit, which the call itself will say
        yield from ((f"[{at}]", value) for at, value in enumerate(args))
        yield from kwargs.items()
        return
    for name, value in bound.arguments.items():
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            yield from ((f"{name}[{at}]", item) for at, item in enumerate(value))
        elif kind is inspect.Parameter.VAR_KEYWORD:
            yield from sorted(value.items())
        else:
            yield name, value


def _carried(function: Any) -> Iterator[tuple[str, Any]]:
    """Yield the data in the closure of a function, then its defaults if it was made as the program ran.

    Defaults of a function at the top of a module stand in its source, and are code.
    """
    inner = _plain(function)
    if inner is None:
        return
    for name, cell in sorted(_cells(inner).items()):
        if _is_data(cell):
            yield name, cell.cell_contents
    if "<locals>" in inner.__qualname__ or inner.__name__ == "<lambda>":
        yield from sorted(_defaults(inner))


def _plain(function: Any) -> types.FunctionType | None:
    inner = function.__func__ if isinstance(function, types.MethodType) else function
    return inner if isinstance(inner, types.FunctionType) else None


def _cells(function: types.FunctionType) -> dict[str, types.CellType]:
    return dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))


def _is_data(cell: types.CellType) -> bool:
    try:
        value = cell.cell_contents
    except ValueError:  # not filled yet
        return False
    return not isinstance(value, types.ModuleType) and not is_callable_value(value)


def _defaults(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    values = function.__defaults__ or ()
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    yield from zip(names[len(names) - len(values) :], values, strict=True)
    yield from (function.__kwdefaults__ or {}).items()


def _stripped(function: Any, data: set[str]) -> object:
    """Return a function with the same code that carries none of these; it is read and never called."""
    inner = _plain(function)
    assert inner is not None  # else it would carry nothing
    cells = _cells(inner)
    closure = tuple(types.CellType() if name in data else cell for name, cell in cells.items())
    copy = types.FunctionType(inner.__code__, inner.__globals__, inner.__name__, None, closure)
    copy.__qualname__, copy.__module__ = inner.__qualname__, inner.__module__
    if data <= cells.keys():  # defaults come all or none: they are matched with parameters from the end
        copy.__defaults__, copy.__kwdefaults__ = inner.__defaults__, inner.__kwdefaults__
    return copy
