"""What a `Tabular` allows around the rows of one table: the threat with its spreads, ranges and categories filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from .inputs import Floats
from .tabular import Tabular
from .threats import SLACK

__all__ = ["Space"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """All rows near a row; arrays are (columns,) and rows (samples, columns) as `tables.read_table` makes them."""

    threat: Tabular
    numbers: NDArray[np.bool_]
    """Columns that may move."""
    whole: NDArray[np.bool_]
    categories: NDArray[np.bool_]
    """Columns that may become another category."""
    missable: NDArray[np.bool_]
    radius: Matrix
    """How far each number may move."""
    spread: Matrix
    low: Matrix
    high: Matrix
    levels: tuple[NDArray[np.float64], ...]
    """The codes that each column may become."""
    notes: tuple[str, ...] = ()
    """What the report says of where all of this is from."""
    norm: ClassVar[Literal["table"]] = "table"
    bounds: ClassVar[None] = None

    @property
    def epsilon(self) -> float:
        """The greatest noise, in standard deviations; 1 where only cells are exchanged."""
        noise = self.threat.noise
        return float(max(noise.values(), default=0) if isinstance(noise, Mapping) else noise) or 1.0

    @property
    def most(self) -> int:
        """How many cells may change at once."""
        return len(self.numbers) if self.threat.max_changed is None else self.threat.max_changed

    def __str__(self) -> str:
        """Return the threat in words."""
        return str(self.threat)

    def edges(self, origin: Matrix) -> tuple[Matrix, Matrix]:
        """Return the least and the greatest that each number may become, (samples, columns) each."""
        low = np.maximum(origin - self.radius, np.minimum(self.low, origin))
        high = np.minimum(origin + self.radius, np.maximum(self.high, origin))
        low = np.where(self.whole, np.ceil(low - 1e-9), low)
        return low, np.where(self.whole, np.floor(high + 1e-9), high)

    def distance(self, x: Floats, y: Floats) -> Matrix:
        """Return the greatest movement of a number in standard deviations: (samples, columns) twice to (samples,)."""
        with np.errstate(invalid="ignore"):
            moved = np.abs(np.asarray(y, np.float64) - x) / np.where(self.spread > 0, self.spread, 1.0)
        return np.asarray(np.nan_to_num(np.where(self.numbers, moved, 0.0), nan=0.0).max(1, initial=0.0))

    def contains(self, x: Floats, origin: Floats) -> NDArray[np.bool_]:
        """Tell which rows are allowed around those of `origin`: numbers to `SLACK`, everything else exactly."""
        same = (x == origin) | (np.isnan(x) & np.isnan(origin))
        gone = np.isnan(x) & ~np.isnan(origin)
        low, high = self.edges(np.asarray(origin, np.float64))
        slack = SLACK * np.where(self.whole, 0.0, self.radius)
        with np.errstate(invalid="ignore"):
            near = (x >= low - slack) & (x <= high + slack) & (~self.whole | (x == np.round(x)))
        allowed = np.stack([np.isin(x[:, at], own) for at, own in enumerate(self.levels)], axis=1)
        swapped = ~same & ~gone & self.categories
        fine = same | (gone & self.missable) | (swapped & allowed & ~np.isnan(origin)) | (self.numbers & near)
        return np.asarray(
            fine.all(1)
            & (gone.sum(1) <= self.threat.missing)
            & (swapped.sum(1) <= self.threat.categorical)
            & ((~same).sum(1) <= self.most)
        )

    def project(self, x: Floats, origin: Floats, rounded: Callable[[Floats], Floats] | None = None) -> Floats:
        """Return the rows with numbers moved into reach; a row that still is not allowed becomes the origin's."""
        low, high = self.edges(np.asarray(origin, np.float64))
        with np.errstate(invalid="ignore"):
            moved = np.where(self.numbers & ~np.isnan(x), np.clip(np.where(self.whole, np.round(x), x), low, high), x)
        moved = moved if rounded is None else rounded(moved)
        return np.where(self.contains(moved, origin)[:, None], moved, origin)

    def between(self, origin: Floats, point: Floats, part: float) -> Floats:
        """Return a row on the way: numbers part of the way, everything else where it came to."""
        with np.errstate(invalid="ignore"):
            way = origin + part * (point - origin)
        way = np.where(self.whole, np.round(way), way)
        return np.where(self.numbers & ~np.isnan(point) & ~np.isnan(origin), way, point)
