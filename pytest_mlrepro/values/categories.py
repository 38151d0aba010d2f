"""Columns of few distinct values as a group of categories and codes, the same from pandas, polars and Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .keys import sort_key
from .node import Array, Chunk, Group, Node, Source
from .sources import LazySource
from .walk import Walk

__all__ = ["category_codes", "sorted_categories"]

_STEP = 2**19


def category_codes(categories: Node, codes: Source, order: Chunk, count: int, *, ordered: bool) -> Group:
    """Return the group; `order[i]` is the old code of category i, out of `count` old codes; negative codes are null."""
    new = np.full(count + 1, -1, np.int64)
    new[order] = np.arange(len(order))
    size = codes.size

    def canonical(start: int, stop: int) -> Chunk:
        old = codes.read(start, stop)
        return new[np.where(old < 0, count, old)]

    data = LazySource(size, lambda start, stop: np.maximum(canonical(start, stop), 0))
    valid = LazySource(size, lambda start, stop: canonical(start, stop) >= 0)
    full = all(canonical(at, min(at + _STEP, size)).min() >= 0 for at in range(0, size, _STEP))
    leaf = Array("column", "int64", (size,), data, None if full else valid)
    attrs = (("ordered", "true" if ordered else "false"),)
    return Group("categorical", attrs, (("categories", categories), ("codes", leaf)))


def sorted_categories(items: Sequence[Any], codes: Source, walk: Walk) -> Chunk:
    """Return the codes that are in use and not null, in the canonical order of their values."""
    used: set[int] = set()
    for at in range(0, codes.size, _STEP):
        used |= set(np.unique(codes.read(at, min(at + _STEP, codes.size))).tolist())
    named = [code for code in used if code >= 0 and items[code] is not None]
    return np.array(sorted(named, key=lambda code: sort_key(walk.key(items[code]))), dtype=np.int64)
