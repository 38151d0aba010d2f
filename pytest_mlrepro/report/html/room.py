"""How large pictures may be, so that a page of two hundred verdicts is below two megabytes and one of ten thousand still opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..._json import Json
from .raster import halved

__all__ = ["Room"]

ALL: Final = 1_000_000
"""Bytes of pictures in one page."""
LEAST: Final = 2_500
"""Bytes of a picture below which people would see nothing: where there are too many, those that come first have theirs."""
POINT: Final = 12
"""Bytes that a point of a drawing takes."""
LESS: Final = 2


class Room:
    """Gives pictures the room that there is, the same to each, and none once it is used up."""

    def __init__(self, pictures: int) -> None:
        self._each = max(ALL / max(pictures, 1), LEAST)
        self._left = ALL

    def __call__(self, data: Json) -> Json | None:
        """Return a picture as large as there is room for; None where there is none."""
        for _ in range(LESS):
            if _size(data) > self._each:
                data = _smaller(data)
        size = _size(data)
        if size > self._left:
            return None
        self._left -= size
        return data


def _size(data: Json) -> int:
    """Return about how many bytes a picture takes in the page."""
    images = sum(200 + len(part["pixels"]) for part in _images(data).values())
    points = sum(len(ends) for side in _curves(data).values() for ends in side.values())
    return 900 + images + POINT * points + 90 * len(data.get("counts", ())) + 60 * len(data.get("rows", ()))


def _images(data: Json) -> Mapping[str, Json]:
    return {name: part for name, part in data.items() if isinstance(part, dict) and "pixels" in part}


def _curves(data: Json) -> Mapping[str, Json]:
    return {name: part for name, part in data.items() if isinstance(part, dict) and "low" in part}


def _smaller(data: Json) -> Json:
    small = dict(data)
    small.update({name: halved(part) for name, part in _images(data).items()})
    small.update({name: _merged(side) for name, side in _curves(data).items()})
    return small


def _merged(side: Json) -> Json:
    """Return a curve with half as many stretches."""
    low, high = side["low"], side.get("high", side["low"])
    return {"low": _pairs(low, min), "high": _pairs(high, max)}


def _pairs(values: list[float | None], chosen: object) -> list[float | None]:
    found: list[float | None] = []
    for at in range(0, len(values), 2):
        known = [value for value in values[at : at + 2] if value is not None]
        found.append(chosen(known) if known else None)  # type: ignore[operator]  # min or max
    return found
