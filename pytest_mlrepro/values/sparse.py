"""scipy's sparse matrices as trees, sorted and with duplicates summed, on copies; frozen distributions and splines."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._lazy import loaded
from .arrays import describe_ndarray
from .node import Array, Chunk, Field, Group, Node
from .sources import LazySource, array_source
from .walk import Foreign, Walk

__all__ = ["describe_scipy"]


def describe_scipy(value: Foreign, walk: Walk) -> Node | None:
    """Describe a sparse matrix or array, a frozen distribution or a B-spline; None for other things of scipy.

    Its format and whether it is an array or a matrix count. The width of its indices and their order within a row
    don't. An explicit zero does, since graph algorithms tell it from an absent entry.
    """
    sparse: Any = loaded("scipy.sparse")
    if sparse is None or not sparse.issparse(value):
        return _other(value, walk)
    parts = _compressed(value) if value.format in ("csr", "csc") else _coordinates(value)
    flavour = "matrix" if isinstance(value, sparse.spmatrix) else "array"
    attrs = (("flavour", flavour), ("format", value.format), ("shape", ",".join(map(str, value.shape))))
    children = [(Field(name), _indices(part)) for name, part in parts[:-1]]
    name, data = parts[-1]
    return Group("scipy.sparse", attrs, (*children, walk.part(Field(name), describe_ndarray, data, walk)))


def _other(value: Foreign, walk: Walk) -> Node | None:
    """Search spaces of hyper-parameters hold distributions, spline transformers hold splines."""
    stats: Any = loaded("scipy.stats")
    frozen = getattr(getattr(stats, "distributions", None), "rv_frozen", None)
    if frozen is not None and isinstance(value, frozen):
        parts = walk.parts(value, [(Field("args"), value.args), (Field("kwds"), value.kwds)])
        return Group("scipy.stats", (("name", value.dist.name),), parts)
    spline = getattr(loaded("scipy.interpolate"), "BSpline", None)
    if spline is not None and isinstance(value, spline):
        parts = walk.parts(
            value, ((Field(name), getattr(value, name)) for name in ("t", "c", "k", "extrapolate", "axis"))
        )
        return Group("scipy.BSpline", (), parts)
    return None


def _compressed(value: Foreign) -> list[tuple[str, Chunk]]:
    twin = type(value)((value.data, value.indices, value.indptr), shape=value.shape, copy=False)
    if not twin.has_canonical_format:
        twin = twin.copy()
        twin.sum_duplicates()
    used = int(twin.indptr[-1])  # the arrays may be longer than what they hold
    return [("indptr", twin.indptr), ("indices", twin.indices[:used]), ("data", twin.data[:used])]


def _coordinates(value: Foreign) -> list[tuple[str, Chunk]]:
    twin = value.tocoo(copy=True)
    twin.sum_duplicates()
    coords = getattr(twin, "coords", None) or (twin.row, twin.col)
    order = np.lexsort(tuple(reversed(coords)))
    return [*((f"axis{at}", axis[order]) for at, axis in enumerate(coords)), ("data", twin.data[order])]


def _indices(part: Chunk) -> Array:
    narrow = array_source(part)
    wide = LazySource(part.size, lambda start, stop: narrow.read(start, stop).astype(np.int64))
    return Array("numpy.ndarray", "int64", (part.size,), wide)
