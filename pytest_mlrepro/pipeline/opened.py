"""scikit-learn's estimators that are made of others, opened into them: `Pipeline`, `ColumnTransformer`, `FeatureUnion`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .._lazy import loaded
from ..errors import FingerprintError
from ..fingerprints.values import fingerprint as fingerprint_value
from .facts import Part

__all__ = ["first_inside", "opened"]

_DEPTH: Final = 8
_FITTED: Final = ("best_estimator_", "estimator_", "estimator")
"""Where a search or a meta-estimator keeps the estimator that it is around, the fitted one first."""


def opened(value: Any) -> tuple[Part, ...]:
    """Return the steps inside a value: of an estimator that is made of steps, or of those that a container holds.

    In the order in which data goes through them, fitted where they are. () for what is made of no steps.
    """
    if loaded("sklearn.base") is None:
        return ()
    return tuple(_opened(value, 0))


def _opened(value: Any, depth: int) -> Iterator[Part]:
    if depth > _DEPTH:
        return
    steps = _steps(value)
    if steps is not None:
        yield from (_part(name, estimator, depth) for name, estimator in steps)
    elif isinstance(value, Mapping) and depth < 2:
        for name, item in value.items():
            yield from _named(str(name), item, depth)
    elif isinstance(value, list | tuple) and depth < 2:
        for at, item in enumerate(value[:100]):
            yield from _named(f"[{at}]", item, depth)


def _named(name: str, item: Any, depth: int) -> Iterator[Part]:
    inner = tuple(_opened(item, depth + 1))
    if inner:
        yield Part(name, type(item).__name__, _digest(item), inner)


def _part(name: str, estimator: Any, depth: int) -> Part:
    kind = estimator if isinstance(estimator, str) else type(estimator).__name__
    return Part(name, kind, _digest(estimator), tuple(_opened(estimator, depth + 1)))


def _digest(value: Any) -> str:
    try:
        return fingerprint_value(value).digest
    except FingerprintError:  # of no kind that is known; the whole has been described by then
        return ""


def _steps(value: Any) -> list[tuple[str, Any]] | None:
    """Return names and estimators; None for what isn't made of steps."""
    pipeline, compose = loaded("sklearn.pipeline"), loaded("sklearn.compose")
    if pipeline is not None and isinstance(value, pipeline.Pipeline):
        found = value.steps
    elif pipeline is not None and isinstance(value, pipeline.FeatureUnion):
        found = value.transformer_list
    elif compose is not None and isinstance(value, compose.ColumnTransformer):
        found = getattr(value, "transformers_", value.transformers)
    else:
        base: Any = loaded("sklearn.base")
        if not isinstance(value, base.BaseEstimator):
            return None
        inner = [(name, getattr(value, name)) for name in _FITTED if _steps(getattr(value, name, None)) is not None]
        return inner[:1] or None
    return [(str(step[0]), step[1]) for step in found]


def first_inside(old: tuple[Part, ...], new: tuple[Part, ...]) -> tuple[str, ...]:
    """Return the way to the first step inside that differs, outermost name first; () if none does, or none is known."""
    before = {part.name: part for part in old}
    for part in new:
        was = before.get(part.name)
        if was is None or was.digest != part.digest or was.kind != part.kind:
            return (part.name, *(first_inside(was.parts, part.parts) if was is not None else ()))
    gone = [part.name for part in old if part.name not in {now.name for now in new}]
    return tuple(gone[:1])
