"""Functions and classes that a value holds: by public name if they are installed, by their source if they are not.

A transformer made with `func=np.log1p` and one made with a lambda of the test are both values of which the callable is
a part. What a callable calls in turn is code, not value: `fingerprint_code` follows that.
"""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from .located import source_file
from .node import Field, Group, Label, Node, Scalar
from .origins import module_file, module_namespace, origin_of_file, origin_of_module, public_name
from .walk import Foreign, Refused, Walk

__all__ = ["captured", "describe_function", "installed_name", "is_callable_value", "own_codes"]

_NO_SOURCE: Final = (
    "it was made by exec or eval, or its file is gone, so that nothing tells what it does; define it in a file, or set "
    "its attribute __mlrepro__ to a function that returns what stands for it"
)
_FOREIGN: Final = "it is compiled code that no loaded module offers under its name; wrap it in a function of your own"
_COMPILED: Final = (types.BuiltinFunctionType, types.MethodWrapperType, np.ufunc, type(np.mean))
_DESCRIPTORS: Final = (types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType)
_UFUNC_HOMES: Final = ("numpy", "scipy.special")


def describe_function(value: Foreign, walk: Walk) -> Node:
    """Describe a callable or a class that is part of a value.

    What an installed package or Python offers under a name is a scalar of kind `function` or `class`: its public
    dotted name, such as `numpy.log1p` or `torch.nn.Linear`. What stands in a source file is a group: its normalised
    source (see `values.syntax`), the default values, and the values of its closure; a class has its bases. A
    `functools.partial` and a bound method are groups of their parts. Raises Refused for what has no source.
    """
    for kinds, handler in _HANDLERS:
        if issubclass(type(value), kinds):
            return handler(value, walk)
    if _cython(value):
        return _compiled(value, walk)
    raise Refused(value, _FOREIGN)


def is_callable_value(value: object) -> bool:
    """Tell whether `describe_function` is the one to describe an object."""
    return issubclass(type(value), _CALLABLES) or _cython(value)


def installed_name(value: Foreign) -> str | None:
    """Return the public name of a function or a class of Python or an installed package; None for any other object."""
    kind = type(value)  # what isinstance is told may run the object's own code
    if issubclass(kind, type):
        return _class_name(value) if origin_of_module(value.__module__) != "source" else None
    if issubclass(kind, types.FunctionType):
        module = value.__module__
        known = isinstance(module, str) and origin_of_module(module) != "source"
        return public_name(module, value.__qualname__, value) if known else None
    if issubclass(kind, _DESCRIPTORS):
        return f"{_class_name(value.__objclass__)}.{value.__name__}"
    bound = issubclass(kind, types.MethodType) and not isinstance(value.__func__, types.FunctionType)
    return _offered(value) if bound or issubclass(kind, _COMPILED) or _cython(value) else None


def _function(value: types.FunctionType, walk: Walk) -> Node:
    own = value.__dict__.get("__mlrepro__")
    if own is not None:
        children = walk.parts(value, ((Field("__mlrepro__"), part) for part in [own()]))
        return Group("custom", (("type", "function"),), children)
    public = installed_name(value)
    if public is not None:
        return Scalar("function", public)
    if walk.inside(value):  # a closure that refers to itself
        return Scalar("function", f"<recursion>.{value.__code__.co_qualname}")
    wrapped = value.__dict__.get("__wrapped__")
    if wrapped is not None and origin_of_file(value.__code__.co_filename) != "source":
        maker = f"{value.__globals__.get('__name__')}.{value.__code__.co_qualname}"
        return Group("decorated", (("by", maker),), walk.parts(value, [(Field("__wrapped__"), wrapped)]))
    return _sourced(value, walk)


def _sourced(value: types.FunctionType, walk: Walk) -> Node:
    file = source_file(value.__code__.co_filename)
    pieces = file.function(value.__code__) if file is not None else ()
    if file is None or not pieces:
        raise Refused(value, _NO_SOURCE)
    source = Scalar("syntax", file.digest(pieces))
    return Group("function", (), ((Field("source"), source), *walk.parts(value, captured(value))))


def captured(value: types.FunctionType) -> Iterator[tuple[Label, Any]]:
    """Yield what a function carries besides its source: default values, then filled cells of its closure, by name."""
    code = value.__code__
    defaults = value.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    for name, default in zip(names[len(names) - len(defaults) :], defaults, strict=True):
        yield Field(f"default.{name}"), default
    for name, default in sorted((value.__kwdefaults__ or {}).items()):
        yield Field(f"default.{name}"), default
    for name, cell in sorted(zip(code.co_freevars, value.__closure__ or (), strict=True), key=lambda pair: pair[0]):
        try:
            yield Field(f"closure.{name}"), cell.cell_contents
        except ValueError:  # not filled yet
            continue


def _class(value: type, walk: Walk) -> Node:
    public = installed_name(value)
    if public is not None:
        return Scalar("class", public)
    codes = list(own_codes(value))
    filename = codes[0].co_filename if codes else module_file(module_namespace(value.__module__))
    file = source_file(filename) if filename is not None else None
    lines = frozenset(code.co_firstlineno for code in codes)
    pieces = file.class_(value.__qualname__, lines) if file is not None else ()
    if file is None or not pieces:
        raise Refused(value, "its class statement is in no file; pass its name, or define it in a file")
    source = Scalar("syntax", file.digest(pieces))
    bases = walk.parts(value, ((Field("bases"), base) for base in [value.__bases__]))
    return Group("class", (), ((Field("source"), source), *bases))


def own_codes(value: type) -> Iterator[types.CodeType]:
    """Yield the code of the methods that were written inside the class statement."""
    for name, member in type.__dict__["__dict__"].__get__(value).items():
        function = member.__func__ if issubclass(type(member), staticmethod | classmethod) else member
        if (
            issubclass(type(function), types.FunctionType)
            and function.__code__.co_qualname == f"{value.__qualname__}.{name}"
        ):
            yield function.__code__


def _compiled(value: Foreign, walk: Walk) -> Node:
    """Describe a function in C or Cython: by a public name, else as a method of the object that it is bound to."""
    public = installed_name(value)
    if public is not None:
        return Scalar("function", public)
    owner = getattr(value, "__self__", None)
    if owner is None or isinstance(owner, types.ModuleType):
        raise Refused(value, _FOREIGN)
    return Group("method", (("name", value.__name__),), walk.parts(value, [(Field("self"), owner)]))


def _offered(value: Foreign) -> str | None:
    """Return the public name of a compiled function, looked for where it, its owner and its like are at home.

    `random.random` and `numpy.random.rand` are methods of one hidden object each, `torch.relu` one of a hidden class.
    """
    owner = getattr(value, "__self__", None)
    kind = owner if isinstance(owner, type) else type(owner)
    module = owner.__name__ if isinstance(owner, types.ModuleType) else kind.__module__.replace("._C", "")
    homes = [getattr(value, "__module__", None), module, *_UFUNC_HOMES]
    found = (public_name(home, value.__name__, value) for home in homes if isinstance(home, str))
    return next((name for name in found if name is not None), None)


def _descriptor(value: Foreign, walk: Walk) -> Node:
    return Scalar("function", installed_name(value))


def _class_name(kind: type) -> str:
    if kind.__module__ == "torch._C" and kind.__name__.endswith("TensorBase"):  # with an underscore before torch 2.3
        return "torch.Tensor"
    return public_name(kind.__module__, kind.__qualname__, kind) or f"{kind.__module__}.{kind.__qualname__}"


def _method(value: types.MethodType, walk: Walk) -> Node:
    function = value.__func__
    if not isinstance(function, types.FunctionType):
        return _compiled(value, walk)
    parts = [(Field("function"), function), (Field("self"), value.__self__)]
    return Group("method", (("name", function.__name__),), walk.parts(value, parts))


def _partial(value: Foreign, walk: Walk) -> Node:
    parts = [
        (Field("func"), value.func),
        (Field("args"), value.args),
        (Field("keywords"), value.keywords),
    ]
    return Group("partial", (), walk.parts(value, parts))


def _wrapper(value: Foreign, walk: Walk) -> Node:
    """`staticmethod`, `classmethod`, and the object that `functools.lru_cache` makes: what they wrap, and the kind."""
    by = _class_name(type(value))
    return Group("decorated", (("by", by),), walk.parts(value, [(Field("__wrapped__"), value.__wrapped__)]))


def _getter(value: Foreign, walk: Walk) -> Node:
    """`operator.itemgetter` and its like are known by how they are made again."""
    making = value.__reduce__()
    return Group("call", (("type", _class_name(type(value))),), walk.parts(value, enumerate(making)))


def _cython(value: Foreign) -> bool:
    """Each package brings its own type of compiled functions, all of one name."""
    return type(value).__name__ == "cython_function_or_method"


_HANDLERS: Final[tuple[tuple[Any, Callable[[Any, Walk], Node]], ...]] = (
    (type, _class),
    (types.FunctionType, _function),
    (types.MethodType, _method),
    (_COMPILED, _compiled),
    (_DESCRIPTORS, _descriptor),
    (functools.partial, _partial),
    ((staticmethod, classmethod, type(functools.lru_cache(len))), _wrapper),
    ((operator.itemgetter, operator.attrgetter, operator.methodcaller), _getter),
)
_CALLABLES: Final = tuple(kind for kinds, _ in _HANDLERS for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
