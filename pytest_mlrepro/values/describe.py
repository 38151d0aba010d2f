"""Any supported object as the tree of `values.node`: exact types by one look-up, then the libraries that are loaded."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator, Mapping, Set
from dataclasses import fields, is_dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from .arrays import NUMPY_SCALARS, describe_ndarray, describe_numpy, describe_scalar
from .arrow_tables import describe_arrow
from .estimators import describe_sklearn
from .functions import describe_function, is_callable_value
from .keys import sort_key
from .node import Field, Group, Label, Node
from .objects import describe_object
from .pandas_tables import describe_pandas
from .polars_tables import describe_polars
from .refusal import refuse
from .scalars import EXACT_SCALARS, scalar_of_subclass
from .sequences import pack
from .sparse import describe_scipy
from .tensors import describe_torch
from .walk import Foreign, Handler, Refused, Walk, key_node

__all__ = ["describe"]


def describe(value: object) -> Node:
    """Return the tree that digests, comparison and storage of a value agree on.

    The tree refers to the arrays inside the value and copies none of them: it is good until the value changes.
    Layout, strides, byte order, device, chunking, order of dicts and sets, and `requires_grad` leave no trace; kind,
    dtype, shape, order of columns and every bit of every number do. An object with a method `__mlrepro__()` is what
    that returns, under the name of its type. Raises FingerprintError, with the place inside the value, for what has
    no canonical form.
    """
    try:
        return Walk(_EXACT, _other).describe(value)
    except Refused as refused:
        raise refused.public() from refused.__cause__


def _other(value: Foreign, walk: Walk) -> Node:
    """Describe what no exact type settles: own method, library, subclass, dataclass, in this order."""
    kind = type(value)
    if hasattr(kind, "__mlrepro__"):
        children = walk.parts(value, ((Field("__mlrepro__"), part) for part in [value.__mlrepro__()]))
        return Group("custom", (("type", kind.__qualname__),), children)
    for base in kind.__mro__:
        handler = _LIBRARIES.get(base.__module__.partition(".")[0])
        node: Node | None = handler(value, walk) if handler is not None else None
        if node is not None:
            return node
    scalar = scalar_of_subclass(value)
    return scalar if scalar is not None else _container(value, walk)


def _container(value: Foreign, walk: Walk) -> Node:
    if isinstance(value, Mapping):
        return _mapping(value, walk)
    if is_dataclass(value) and not isinstance(value, type):
        return _dataclass(value, walk)
    if isinstance(value, tuple):
        return _named_tuple(value, walk)
    if isinstance(value, list):
        return _list(value, walk)
    if isinstance(value, Set) and isinstance(value, set | frozenset):
        return _set(value, walk)
    if is_callable_value(value):
        return describe_function(value, walk)
    described = describe_object(value, walk)
    return described if described is not None else refuse(value)


def _list(value: list[Any], walk: Walk) -> Node:
    packed = pack(value, "list")
    return packed if packed is not None else Group("list", (), walk.parts(value, enumerate(value)))


def _tuple(value: tuple[Any, ...], walk: Walk) -> Node:
    packed = pack(value, "tuple")
    return packed if packed is not None else Group("tuple", (), walk.parts(value, enumerate(value)))


def _deque(value: deque[Any], walk: Walk) -> Node:
    return Group("deque", (), walk.parts(value, enumerate(value)))


def _mapping(value: Mapping[Any, Any], walk: Walk) -> Node:
    """Every mapping is a `dict`: order, default factories and subclasses don't count."""
    return Group("dict", (), walk.parts(value, _sorted_items(value, walk)))


def _sorted_items(value: Mapping[Any, Any], walk: Walk) -> Iterator[tuple[Label, Any]]:
    if set(map(type, value)) <= {str}:
        yield from sorted(value.items()) if len(value) < 2 else ((key, value[key]) for key in sorted(value))
        return
    keyed = sorted(
        ((sort_key(label), label, item) for label, item in _labelled(value, walk)), key=lambda entry: entry[0]
    )
    for (order, label, _), (following, _, _) in pairwise(keyed):
        if order == following:
            raise Refused(value, f"two of its keys have the same canonical form, {label!r}; rename one")
    for _, label, item in keyed:
        yield label, item


def _labelled(value: Mapping[Any, Any], walk: Walk) -> Iterator[tuple[Label, Any]]:
    for key, item in value.items():
        yield walk.key(key), item


def _set(value: Foreign, walk: Walk) -> Node:
    """The label of an element is the element itself, so that a comparison says which is missing."""
    kind = "frozenset" if isinstance(value, frozenset) else "set"
    labels = sorted(map(walk.key, value), key=sort_key)
    return Group(kind, (), tuple((label, key_node(label)) for label in labels))


def _dataclass(value: Foreign, walk: Walk) -> Node:
    """All fields count, also those with `compare=False`: people set that because `==` of arrays raises."""
    names = [field.name for field in fields(value)]
    missing = [name for name in names if not hasattr(value, name)]
    if missing:
        raise Refused(value, f"its field {missing[0]} was never set; set it")
    parts = walk.parts(value, ((Field(name), getattr(value, name)) for name in names))
    return Group("dataclass", (("type", type(value).__qualname__),), parts)


def _named_tuple(value: Foreign, walk: Walk) -> Node:
    """A named tuple, also one written in C such as the results of torch.max; other subclasses of tuple are tuples."""
    kind = type(value)
    names = getattr(kind, "_fields", None)
    if names is None and hasattr(kind, "n_sequence_fields"):
        names = kind.__match_args__
    if names is None or len(names) != len(value):
        return _tuple(tuple(value), walk)
    parts = walk.parts(value, ((Field(name), item) for name, item in zip(names, value, strict=True)))
    return Group("namedtuple", (("type", kind.__qualname__),), parts)


_LIBRARIES: Final[dict[str, Any]] = {
    "numpy": describe_numpy,
    "torch": describe_torch,
    "pandas": describe_pandas,
    "polars": describe_polars,
    "pyarrow": describe_arrow,
    "scipy": describe_scipy,
    "sklearn": describe_sklearn,
}
_EXACT: Final[dict[type, Handler]] = {
    **EXACT_SCALARS,
    **dict.fromkeys(NUMPY_SCALARS, describe_scalar),
    np.ndarray: describe_ndarray,
    dict: _mapping,
    OrderedDict: _mapping,
    defaultdict: _mapping,
    MappingProxyType: _mapping,
    list: _list,
    tuple: _tuple,
    deque: _deque,
    set: _set,
    frozenset: _set,
}
