"""How far rows of one part are from each other, so that it can be said what is nearer than independent rows are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

__all__ = ["FEWEST", "Usual", "drawn"]

RATE: Final = 0.001
"""How often a pair of parts that were drawn independently has a row that is called near by its distance."""
CLOSEST: Final = 0.2
"""Of the distance to the fifth nearest of a sample: what is farther is not near, whatever the dimension says."""
SAMPLE: Final = 2_000
NEIGHBOURS: Final = 5
FEWEST: Final = 50
"""Rows of the first part below which no distance can be called usual."""
ATOM: Final = 0.2
"""Share of a column's rows from which on a single value of it tells nothing about distance: the zeros of a sparse table."""


@dataclass(frozen=True)
class Usual:
    """How far rows of the first part are from each other."""

    rows: Any
    """The sample, shape (rows, columns)."""
    atoms: Any
    """For each column the value that at least ATOM of the rows have, else NaN; shape (columns,)."""
    dimension: float
    crowd: float
    """Pairs that are expected within the distance to the fifth nearest of the sample, of all rows that are asked for."""
    farthest: float
    """The distance that no near pair exceeds."""

    @classmethod
    def of(cls, rows: Any, sample: Any, asked: int) -> Usual | None:
        """Calibrate inside the first part.

        Where rows lie evenly, the expected number of rows within a share q of the distance to the K-th nearest of a
        sample is K (rows / sample) q^k, k being the dimension that the rows have there. With `asked` rows the share is
        such that RATE is expected in all. The dimension is Levina and Bickel's (2004), as MacKay and Ghahramani average it.
        """
        some = rows[sample]
        distances = _sorted_distances(some, some, 2 * NEIGHBOURS + 1)[:, 1:]
        apart = distances[:, 0] > 0
        if apart.sum() < FEWEST / 2:
            return None
        logs = np.log(distances[apart, -1:] / distances[apart, :-1])
        dimension = min(1 / float(logs.mean()), rows.shape[1]) if logs.mean() > 0 else float(rows.shape[1])
        crowd = asked * NEIGHBOURS * len(rows) / len(sample)
        made = cls(some, _atoms(some), dimension, crowd, 0.0)
        usual = float(np.quantile(distances[:, NEIGHBOURS - 1], 0.99))
        return replace(made, farthest=made._ratio(dimension) * usual)

    def _ratio(self, dimension: Any) -> Any:
        return np.minimum(CLOSEST, (RATE / self.crowd) ** (1 / np.maximum(dimension, 0.5)))

    def ratio(self, rows: Any) -> Any:
        """Return for each row the share of the local distance below which another is near.

        A row that has the usual value in most columns differs from others like it in the few that are left.
        """
        free = (rows != self.atoms).sum(axis=1)
        return self._ratio(np.minimum(self.dimension, free))

    def local(self, rows: Any) -> Any:
        """Return the distance of rows to the fifth nearest of the sample that is no copy of them."""
        return _sorted_distances(rows, self.rows, NEIGHBOURS + 1)[:, NEIGHBOURS - 1]


def _atoms(rows: Any) -> Any:
    """Return for each column the value that at least ATOM of the rows have, else NaN."""
    found = np.full(rows.shape[1], np.nan)
    for at in range(rows.shape[1]):
        values, counts = np.unique(rows[:, at], return_counts=True)
        if counts.max() >= ATOM * len(rows):
            found[at] = values[counts.argmax()]
    return found


def drawn(rows: Any) -> Any:
    """Return positions of the rows with the smallest numbers, one of each: a sample that doesn't depend on their order."""
    _, positions = np.unique(rows, return_index=True)
    return positions[:SAMPLE]


def _sorted_distances(one: Any, two: Any, count: int) -> Any:
    """Return the distances of each row to the nearest `count` rows of `two`, ascending; in blocks."""
    squares = (two**2).sum(axis=1)
    out = []
    for start in range(0, len(one), 1_000):
        block = one[start : start + 1_000]
        all_of = (block**2).sum(axis=1)[:, None] + squares - 2 * block @ two.T
        nearest = np.argpartition(all_of, min(count, len(two) - 1), axis=1)[:, :count]
        exactly = ((block[:, None, :] - two[nearest]) ** 2).sum(axis=2)  # the shorter form has lost digits
        out.append(np.sqrt(np.sort(exactly, axis=1)))
    return np.concatenate(out)
