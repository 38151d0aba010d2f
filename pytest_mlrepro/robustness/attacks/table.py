"""Searches of the raw table: one cell at a time, the best moves together, step by step, and chance.

A black box with categories has no gradient; but a table has few columns, and each of them few places worth trying: the
two ends of what its number may do, its other categories, and the missing cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..generators import drawn
from ..inputs import Floats
from ..models import Meter
from ..space import Space
from .base import Batch, Kind

__all__ = ["Cells", "Chance", "Steps", "all_rows"]

Matrix = NDArray[np.float64]
_AT_ONCE = 1 << 21
"""Cells that the model is asked for at once."""
_ALONE, _STEPWISE = 500, 40
"""Categories of a column that are tried, each by itself and in each step of a greedy search; of more a spread choice."""


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """What may become of one cell, the same list for each sample: (moves,) and (samples, moves)."""

    columns: NDArray[np.intp]
    values: Matrix

    def applied(self, rows: Matrix) -> Matrix:
        """Return each row with each move, (samples, moves, columns)."""
        out = np.repeat(rows[:, None, :], len(self.columns), axis=1)
        out[:, np.arange(len(self.columns)), self.columns] = self.values
        return out


def _moves(space: Space, origin: Matrix, between: int, most: int) -> _Moves:
    """Return all moves: of numbers both ends and `between` places on either side, of categories all, and missing cells."""
    low, high = space.edges(origin)
    columns, values = [], []
    for at in np.flatnonzero(space.numbers):
        for step in range(between, -1, -1):
            for end in (low[:, at], high[:, at]):
                part = origin[:, at] + (end - origin[:, at]) / 2**step
                columns.append(at)
                values.append(np.round(part) if space.whole[at] else part)
    for at in np.flatnonzero(space.categories):
        levels = space.levels[at]
        for level in levels[np.unique(np.linspace(0, len(levels) - 1, min(most, len(levels))).astype(np.intp))]:
            columns.append(at)
            values.append(np.full(len(origin), level))
    for at in np.flatnonzero(space.missable):
        columns.append(at)
        values.append(np.full(len(origin), np.nan))
    return _Moves(np.array(columns, np.intp), np.stack(values, axis=1))


class _Search:
    """The rows of a batch, with the best that was found for each of them."""

    def __init__(self, meter: Meter, batch: Batch, space: Space) -> None:
        self.meter, self.batch, self.space = meter, batch, space
        self.best: Matrix = np.array(batch.x, np.float64)
        self.margin = np.full(len(batch.x), np.inf)

    def margins(self, rows: Matrix, of: NDArray[np.intp]) -> Matrix:
        """Return by how much rows stand, each of the sample `of`; what is not allowed counts as infinitely firm."""
        out = np.full(len(rows), np.inf)
        origins = self.batch.x[of]
        allowed = np.flatnonzero(self.space.contains(rows, origins) & ~_same(rows, origins).all(1))
        size = max(1, _AT_ONCE // rows.shape[1])
        for first in range(0, len(allowed), size):
            own = allowed[first : first + size]
            out[own] = self.batch.goal.take(of[own]).margin(self.meter.scores(rows[own]))
        return out

    def take(self, rows: Matrix, margin: Matrix) -> None:
        """Keep for each sample what is better than its best: (samples, columns) and (samples,)."""
        better = margin < self.margin
        self.best[better], self.margin[better] = rows[better], margin[better]

    @property
    def standing(self) -> NDArray[np.intp]:
        """The samples that nothing has broken yet."""
        return np.flatnonzero(self.margin >= 0)


def _same(one: Matrix, two: Matrix) -> NDArray[np.bool_]:
    return np.asarray((one == two) | (np.isnan(one) & np.isnan(two)))


@dataclass(frozen=True, slots=True)
class Cells:
    """Each cell by itself; then those moves together that each lowered the margin, the strongest first."""

    kind: ClassVar[Kind] = "score"
    cost: ClassVar[int] = 30

    @property
    def label(self) -> str:
        """Return what reports call it."""
        return "cells one by one, the best together"

    def __call__(self, meter: Meter, batch: Batch, ball: Any) -> Floats:
        """Return a candidate for each row."""
        space: Space = ball
        search, moves = _Search(meter, batch, space), _moves(space, batch.x, 0, _ALONE)
        count = len(moves.columns)
        clean = batch.goal.margin(meter.scores(batch.x))
        single = moves.applied(batch.x)
        of = np.repeat(np.arange(len(batch.x)), count)
        margin = search.margins(single.reshape(-1, batch.x.shape[1]), of).reshape(-1, count)
        best = margin.argmin(1)
        search.take(single[np.arange(len(best)), best], margin.min(1))
        gain = clean[:, None] - margin
        together = np.array(
            [_together(space, moves, at, gain[at], batch.x[at], batch.x[at]) for at in range(len(batch.x))]
        )
        search.take(together, search.margins(together, np.arange(len(together))))
        return search.best


def _together(space: Space, moves: _Moves, at: int, gain: Matrix, row: Matrix, origin: Matrix) -> Matrix:
    """Return a row with all moves that helped, the strongest first, each column once, as many as the threat allows."""
    row, touched = row.copy(), np.zeros(len(row), np.bool_)
    for move in np.argsort(-gain, kind="stable"):
        if not gain[move] > 0:
            break
        column, before = moves.columns[move], row[moves.columns[move]]
        if touched[column]:
            continue
        row[column] = moves.values[at, move]
        if _too_many(space, row, origin):
            row[column] = before
        else:
            touched[column] = True
    return row


def _too_many(space: Space, row: Matrix, origin: Matrix) -> bool:
    """Tell whether more cells of a row are changed than may be."""
    changed, gone = ~_same(row, origin), np.isnan(row) & ~np.isnan(origin)
    swapped = changed & ~gone & space.categories
    threat = space.threat
    return bool(changed.sum() > space.most or gone.sum() > threat.missing or swapped.sum() > threat.categorical)


@dataclass(frozen=True, slots=True)
class Steps:
    """Greedy by coordinate: all moves from the best row so far, until none lowers the margin.

    Of each step the best move is taken, or all together that lowered it, whichever gets further: where columns act
    each for itself, that saves a step for each of them. From random rows on it goes by single moves, another way.
    """

    between: int = 0
    """Places tried inside of what a number may do, on either side, besides the ends."""
    starts: int = 1
    """Rows to start from: the sample, then random ones."""
    kind: ClassVar[Kind] = "score"

    @property
    def cost(self) -> int:
        """Return about how many evaluations a row that stands costs."""
        return 100 * self.starts * (1 + self.between)

    @property
    def label(self) -> str:
        """Return what reports call it."""
        extra = f", {self.starts} starts" if self.starts > 1 else ""
        return f"greedy search by coordinate{', inner places' if self.between else ''}{extra}"

    def __call__(self, meter: Meter, batch: Batch, ball: Any) -> Floats:
        """Return a candidate for each row."""
        space: Space = ball
        search, moves = _Search(meter, batch, space), _moves(space, batch.x, self.between, _STEPWISE)
        for start in range(self.starts):
            rows = np.array(batch.x, np.float64) if not start else _random(space, batch, start, 1)[:, 0]
            self._climb(search, moves, rows, together=not start)
        return search.best

    def _climb(self, search: _Search, moves: _Moves, rows: Matrix, *, together: bool) -> None:
        active = search.standing
        now = np.full(len(rows), np.inf)
        now[active] = search.batch.goal.take(active).margin(search.meter.scores(rows[active]))
        for _ in range(2 * rows.shape[1]):
            if not len(active):
                return
            found = _Moves(moves.columns, moves.values[active]).applied(rows[active])
            of = np.repeat(active, len(moves.columns))
            margin = search.margins(found.reshape(-1, rows.shape[1]), of).reshape(len(active), -1)
            gain, best = now[active][:, None] - margin, margin.argmin(1)
            after, reached = found[np.arange(len(active)), best], margin.min(1)
            if together:
                origins = search.batch.x
                jumped = np.stack(
                    [_together(search.space, moves, at, gain[i], rows[at], origins[at]) for i, at in enumerate(active)]
                )
                far = search.margins(jumped, active)
                after, reached = np.where((far < reached)[:, None], jumped, after), np.minimum(far, reached)
            lower = reached < now[active]
            taken = active[lower]
            rows[taken], now[taken] = after[lower], reached[lower]
            search.take(rows, np.where(np.isin(np.arange(len(rows)), taken), now, np.inf))
            active = taken[search.margin[taken] >= 0]


@dataclass(frozen=True, slots=True)
class Chance:
    """Random rows: half of them corners, whose numbers are all at an end of what they may do."""

    draws: int
    kind: ClassVar[Kind] = "noise"

    @property
    def cost(self) -> int:
        """Return the number of draws."""
        return self.draws

    @property
    def label(self) -> str:
        """Return what reports call it."""
        return f"random rows, {self.draws} draws"

    def __call__(self, meter: Meter, batch: Batch, ball: Any) -> Floats:
        """Return a candidate for each row."""
        space: Space = ball
        search = _Search(meter, batch, space)
        for turn, first in enumerate(range(0, self.draws, 50)):
            active = search.standing
            if not len(active):
                break
            rows = _random(space, batch.take(active), turn, min(50, self.draws - first))
            flat = rows.reshape(-1, rows.shape[2])
            margin = search.margins(flat, np.repeat(active, rows.shape[1])).reshape(len(active), -1)
            best, whole = margin.argmin(1), np.full(len(search.margin), np.inf)
            whole[active] = margin.min(1)
            table = search.best.copy()
            table[active] = rows[np.arange(len(active)), best]
            search.take(table, whole)
        return search.best


def _random(space: Space, batch: Batch, turn: int, draws: int) -> Matrix:
    """Return random rows around each sample, (samples, draws, columns), all allowed."""
    width = batch.x.shape[1]
    noise = drawn(batch.keys, (7, turn), lambda rng: rng.random((5, draws, width)))
    low, high = (edge[:, None, :] for edge in space.edges(batch.x))
    origin = np.repeat(np.asarray(batch.x, np.float64)[:, None, :], draws, axis=1)
    part = np.where((np.arange(draws) % 2 == 0)[None, :, None], np.round(noise[:, 0]), noise[:, 0])
    rows = np.where(space.numbers & ~np.isnan(origin), low + part * (high - low), origin)
    rows = np.where(space.whole, np.round(rows), rows)
    for kind, places, most in (
        (1, space.categories, space.threat.categorical),
        (3, space.missable, space.threat.missing),
    ):
        if not most or not places.any():
            continue
        rank = np.where(places, noise[:, kind], 2.0).argsort(2).argsort(2)
        chosen = (rank < most) & places & ~np.isnan(origin)
        if kind == 3:
            rows = np.where(chosen, np.nan, rows)
            continue
        swapped = rows.copy()
        for at in np.flatnonzero(places):
            levels = space.levels[at]
            swapped[..., at] = levels[(noise[:, 2, :, at] * len(levels)).astype(np.intp)]
        rows = np.where(chosen, swapped, rows)
    if space.most < width:  # of what was drawn, so many cells; the others are as they were
        rank = np.where(_same(rows, origin), 2.0, noise[:, 4]).argsort(2).argsort(2)
        rows = np.where(rank < space.most, rows, origin)
    return rows


def all_rows(space: Space, origin: Matrix, limit: int) -> Callable[[], Matrix] | None:
    """Return what makes all rows that are allowed around one, (rows, columns); None if they are more than the limit."""
    low, high = space.edges(origin[None])
    choices: list[NDArray[np.float64]] = []
    total = 1
    for at, own in enumerate(origin):
        values = [own]
        if not np.isnan(own):
            if space.numbers[at]:
                if not space.whole[at]:
                    return None
                span = np.arange(low[0, at], high[0, at] + 1)
                values += [value for value in span[: limit + 1].tolist() if value != own]
            if space.categories[at]:
                values += [level for level in space.levels[at].tolist() if level != own]
            if space.missable[at]:
                values.append(np.nan)
        choices.append(np.array(values))
        total *= len(values)
        if total > limit * 64:
            return None

    def made() -> Matrix:
        rows = np.zeros((1, 0))
        for at, values in enumerate(choices):
            rows = np.concatenate([np.repeat(rows, len(values), axis=0), np.tile(values, len(rows))[:, None]], axis=1)
            full = np.concatenate([rows, np.broadcast_to(origin[at + 1 :], (len(rows), len(origin) - at - 1))], axis=1)
            rows = rows[space.contains(full, np.broadcast_to(origin, full.shape))]  # too many swaps stop here
        return rows

    return made
