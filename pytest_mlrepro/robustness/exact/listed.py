"""Exact answers for tables of few choices: whole numbers and categories whose every combination can be asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..attacks.table import all_rows
from ..models import Meter
from ..run import ALIVE, BROKEN, PROVED, Found, Run
from ..space import Space

__all__ = ["MOST", "list_all"]

MOST: Final = 2000
"""Rows that are asked for around one sample."""
_AT_ONCE: Final = 8192
"""Rows that the model is asked for at once."""


def list_all(run: Run, space: Space) -> None:
    """Prove or break each sample around which so few rows are allowed that the model can be asked for all of them."""
    meter = Meter(run.model, refusing=True)
    for of, rows in _batches(run, space):
        scores = meter.decided(rows)
        run.measure(of, scores)
        broken = run.batch.goal.take(of).broken(scores)
        for at in np.unique(of):
            own = np.flatnonzero((of == at) & broken)
            run.state[at] = BROKEN if len(own) else PROVED
            if len(own):
                run.found[int(at)] = Found(rows[own[0]], scores[own[0]], "all rows that are allowed")
    run.evaluations += meter.evaluations


def _batches(run: Run, space: Space) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float64]]]:
    """Yield rows, with the sample that each is of; those of one sample are together."""
    of: list[NDArray[np.intp]] = []
    parts: list[NDArray[np.float64]] = []
    for at in np.flatnonzero(run.state == ALIVE):
        made = all_rows(space, np.asarray(run.batch.x[at], np.float64), MOST)
        rows = None if made is None else made()
        if rows is None or len(rows) > MOST:
            continue
        parts.append(rows)
        of.append(np.full(len(rows), at))
        if sum(map(len, parts)) >= _AT_ONCE:
            yield np.concatenate(of), np.concatenate(parts)
            of, parts = [], []
    if parts:
        yield np.concatenate(of), np.concatenate(parts)
