"""What estimators are made of: trees, losses, kernels, splitters and scorers of scikit-learn, in Python and in Cython."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from .class_names import class_name
from .node import Field, Group, Label, Node, Scalar
from .walk import Foreign, Walk

__all__ = ["attribute", "describe_part"]

_CHAINED: Final = frozenset({"prev_leaf_", "next_leaf_"})
"""A chain through the leaves of Birch's tree, which is described as a tree."""
_METRICS: Final = "sklearn.metrics._dist_metrics"


def attribute(item: Foreign, walk: Walk) -> Node:
    """Describe an attribute; one that leads back to what is being described, as scorers do, is named only."""
    return Scalar("sklearn.reference", class_name(type(item))) if walk.inside(item) else walk.describe(item)


def describe_part(value: Foreign, walk: Walk) -> Node:
    """Describe an instance of a class of scikit-learn that is no estimator by its attributes, or by its arrays.

    Objects in Cython have no attributes: what they give for a copy is taken, which is arrays and numbers. Nothing is
    pickled.
    """
    walk.enter(value)
    parts = [walk.part(label, attribute, item, walk) for label, item in _parts(value)]
    walk.leave(value)
    return Group("sklearn.part", (("type", class_name(type(value))),), tuple(parts))


def _parts(value: Foreign) -> Iterator[tuple[Label, Any]]:
    if hasattr(value, "__dict__"):
        state = vars(value)
        yield from ((Field(name), state[name]) for name in sorted(state) if name not in _CHAINED)
    elif hasattr(value, "get_arrays"):
        yield from _neighbour_tree(value)
    elif _gives_state(type(value)):
        yield from _labelled(value.__getstate__())
    else:
        yield from _labelled(_reduced(value))


def _gives_state(kind: type) -> bool:
    return any("__getstate__" in vars(base) for base in kind.__mro__ if base is not object)


def _neighbour_tree(value: Foreign) -> Iterator[tuple[Label, Any]]:
    """`KDTree` and `BallTree`: the arrays that they document and the metric, without the counts of past queries."""
    for name, array in zip(("data", "index", "nodes", "bounds"), value.get_arrays(), strict=True):
        yield Field(name), array
    for item in value.__getstate__():
        if type(item).__module__ == _METRICS:
            yield Field("metric"), item


def _labelled(state: Foreign) -> Iterator[tuple[Label, Any]]:
    if isinstance(state, dict):
        yield from ((Field(name), state[name]) for name in sorted(state))
    else:
        yield from enumerate(state if isinstance(state, tuple) else (state,))


def _reduced(value: Foreign) -> tuple[Any, ...]:
    """Return the arguments that make a copy; Cython's own functions take the class and a checksum of its layout first."""
    maker, arguments, *state = value.__reduce__()
    arguments = arguments[2:] if getattr(maker, "__name__", "").startswith("__pyx_unpickle") else arguments
    return (*arguments, *(item for item in state if item is not None))
