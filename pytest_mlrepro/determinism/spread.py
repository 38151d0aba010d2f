"""How far two runs are apart where that is no failure: the spread that a tolerance should allow."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..compare.difference import Comparison, Difference, Place
from ..values.paths import path_text

__all__ = ["spread_text"]


def spread_text(comparison: Comparison) -> str:
    """Return the greatest difference in ulp and relative to the first run, and where; what isn't a number is counted."""
    found = [(place, difference) for difference in comparison.differences for place in _places(difference)]
    if not found:
        return f"{comparison.count:,} difference{'' if comparison.count == 1 else 's'} that no number tells"
    worst, where = max(found, key=lambda pair: _size(pair[0]))
    absolute = max((place.difference for place, _ in found if place.difference is not None), default=None)
    parts = [
        *([] if absolute is None else [f"{absolute:.2g} absolute"]),
        "not relative to 0" if worst.relative is None else f"{worst.relative:.2g} relative",
        *([] if worst.ulp is None else [f"{worst.ulp:,} ulp"]),
    ]
    place = path_text(where.path, root="")
    return f"up to {', '.join(parts)}{f' (in {place})' if place else ''}"


def _size(place: Place) -> float:
    return math.inf if place.relative is None else place.relative


def _places(difference: Difference) -> Iterator[Place]:
    if difference.array is not None:
        yield from (
            one
            for one in (difference.array.absolute, difference.array.relative, difference.array.ulp)
            if one is not None
        )
    elif difference.kind == "value" and isinstance(difference.expected, float | complex):
        yield _scalar(difference.expected, difference.actual)


def _scalar(first: float | complex, later: float | complex) -> Place:
    apart = abs(later - first)
    ulp = round(apart / float(np.spacing(abs(first)))) if math.isfinite(apart) else None
    return Place((), first, later, apart, apart / abs(first) if first else None, ulp)
