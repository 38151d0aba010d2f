"""scikit-learn's estimators as trees: hyper-parameters apart from what a fit left behind, steps by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from .._lazy import loaded
from .class_names import class_name
from .estimator_parts import attribute, describe_part
from .generators import NUMPY_GENERATORS
from .node import Field, Group, Label, Node, Scalar
from .paths import axis
from .walk import Foreign, Refused, Walk

__all__ = ["describe_sklearn"]

_MADE_OF_STEPS: Final = {"sklearn.pipeline.Pipeline": "steps", "sklearn.pipeline.FeatureUnion": "transformer_list"}
"""Estimators that are little more than a list of others: their parts are named after the steps."""
_VOLATILE: Final = frozenset({
    "_sklearn_version",
    "_cached_dict",    # made by the first transform
    "_stop_words_id",  # an address in memory
    "_n_threads",      # how many cores this machine has
    "n_threads",
    "refit_time_",
    "dummy_leaf_",     # the start of a chain through the leaves of Birch's tree, which is described as a tree
    "memory",          # where results are cached
})  # fmt: skip
_TIMES: Final = ("_fit_time", "_score_time")


def describe_sklearn(value: Foreign, walk: Walk) -> Node | None:
    """Describe an estimator, fitted or not, or something that an estimator holds; None for what is neither.

    Its class counts, its hyper-parameters, and all attributes that a fit left behind, the private ones too. Versions,
    addresses, times, thread counts and caches don't, nor do random generators that a fit has used.
    """
    base: Any = loaded("sklearn.base")
    if base is None or isinstance(value, type | dict):
        return None
    if not isinstance(value, base.BaseEstimator):
        return describe_part(value, walk)
    walk.enter(value)
    params = _params(value)
    steps = _MADE_OF_STEPS.get(class_name(type(value)), "")
    parts = list(_named(params.pop(steps), walk)) if _are_steps(params.get(steps)) else []
    if params:
        parts.append(walk.part(axis("params"), _hyper_parameters, params, walk))
    parts.extend(_fitted(_state(value), {*params, steps}, walk))
    walk.leave(value)
    return Group("sklearn.estimator", (("type", class_name(type(value))),), tuple(parts))


def _params(value: Foreign) -> dict[str, Any]:
    try:
        params = value.get_params(deep=False)
    except (AttributeError, RuntimeError, TypeError) as error:
        raise Refused(
            value, f"its get_params() fails ({error}); let __init__ keep each hyper-parameter under its own name"
        ) from error
    return {name: params[name] for name in sorted(params) if name not in _VOLATILE}


def _hyper_parameters(params: dict[str, Any], walk: Walk) -> Node:
    parts = [walk.part(name, _parameter, item, walk) for name, item in params.items()]
    return Group("sklearn.params", (), tuple(parts))


def _parameter(item: Foreign, walk: Walk) -> Node:
    """A fit hands its generator on to the estimators that it makes, where its state is that of the last use."""
    if walk.leftover and isinstance(item, NUMPY_GENERATORS):
        return Scalar("sklearn.generator", "used")
    return _attribute(item, walk)


def _fitted(state: dict[str, Any], params: set[str], walk: Walk) -> Iterator[tuple[Label, Node]]:
    """Yield the attributes that are no hyper-parameters, by name."""
    outer, walk.leftover = walk.leftover, True
    for name in sorted(state):
        item = state[name]
        if name in params or name in _VOLATILE or isinstance(item, NUMPY_GENERATORS):
            continue
        if name == "cv_results_" and isinstance(item, dict):
            item = {key: results for key, results in item.items() if not str(key).endswith(_TIMES)}
        yield walk.part(Field(name), _attribute, item, walk)
    walk.leftover = outer


def _state(value: Foreign) -> dict[str, Any]:
    """Return the attributes that go into a file, so that what is made again when it is read doesn't count."""
    state = value.__getstate__()
    return state if isinstance(state, dict) else dict(vars(value))


def _attribute(item: Foreign, walk: Walk) -> Node:
    if _are_steps(item):
        return Group("sklearn.steps", (), tuple(_named(item, walk)))
    return attribute(item, walk)


def _are_steps(items: Foreign) -> bool:
    """Tell whether something is a list of pairs, name and estimator, or of triples with columns."""
    if not isinstance(items, list) or not all(isinstance(item, tuple) and len(item) in (2, 3) for item in items):
        return False
    names = [item[0] for item in items]
    return (
        set(map(type, names)) == {str}
        and len({*names}) == len(names)
        and any(hasattr(item[1], "get_params") for item in items)
    )


def _named(steps: Sequence[Any], walk: Walk) -> Iterator[tuple[Label, Node]]:
    for name, estimator, *_ in steps:
        yield walk.part(name, attribute, estimator, walk)
    columns = [(step[0], step[2]) for step in steps if len(step) > 2]
    if columns:
        yield walk.part(axis("columns"), _columns, columns, walk)


def _columns(columns: Sequence[Any], walk: Walk) -> Node:
    return Group("sklearn.columns", (), tuple(walk.part(name, attribute, items, walk) for name, items in columns))
