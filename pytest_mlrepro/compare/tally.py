"""What one pass over a range of an array adds up: counts, and the worst places by threshold in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..values.node import Chunk

__all__ = ["KEPT", "Tally", "merge"]

KEPT = 20
"""Worst places that are kept."""
BLOCK = 256
Worst = tuple[Any, int]
"""A score, the greater the worse, and the flat index; of equal scores the earlier index is kept."""
NOTHING: Worst = (-1, -1)


@dataclass(slots=True)
class Tally:
    """Sums over the chunks of one range, which come in ascending order."""

    checked: int = 0
    outside: int = 0
    used: float = 0.0
    nan_equal: int = 0
    specials: dict[str, tuple[int, int]] = field(default_factory=dict)
    """`nan infinite zero null` → count and first flat index."""
    greatest: dict[str, Worst] = field(default_factory=dict)
    """`absolute relative ulp` → the worst."""
    worst: list[Worst] = field(default_factory=list)

    def special(self, name: str, start: int, mask: npt.NDArray[np.bool_]) -> int:
        """Count the marked elements under `name`."""
        count = int(np.count_nonzero(mask))
        if count:
            before, first = self.specials.get(name, (0, start + int(mask.argmax())))
            self.specials[name] = before + count, first
        return count

    def great(self, name: str, scores: Chunk, at: npt.NDArray[np.intp] | None, start: int) -> None:
        """Keep the greatest of the scores; `at` maps them to places of the chunk."""
        top = scores.max()
        if top > self.greatest.get(name, NOTHING)[0]:
            place = int(scores.argmax())
            self.greatest[name] = top.item(), start + (place if at is None else int(at[place]))

    def keep(self, scores: Chunk, at: npt.NDArray[np.intp] | None, start: int) -> None:
        """Keep the worst of the scores, the earlier of equal ones."""
        full = len(self.worst) == KEPT
        if full and not scores.max() > self.worst[-1][0]:
            return
        found = _candidates(scores, self.worst[-1][0] if full else None)
        values = scores[found]
        order = np.argsort(values[::-1], kind="stable")[::-1][:KEPT]
        places = found[len(values) - 1 - order]
        chunk = zip(scores[places].tolist(), (places if at is None else at[places]).tolist(), strict=True)
        self.worst = ranked([*self.worst, *((score, start + place) for score, place in chunk)])


def _candidates(scores: Chunk, threshold: Any) -> npt.NDArray[np.intp]:  # a score of any number type
    """Return a few ascending places that hold the worst: the maxima of blocks tell how bad is bad enough."""
    whole = scores.size // BLOCK * BLOCK
    if whole >= KEPT * BLOCK:
        bar = np.partition(scores[:whole].reshape(-1, BLOCK).max(axis=1), -KEPT)[-KEPT]
        if threshold is None or bar > threshold:
            return np.flatnonzero(scores >= bar)
    return np.arange(scores.size) if threshold is None else np.flatnonzero(scores > threshold)


def ranked(worst: Iterable[Worst]) -> list[Worst]:
    """Return the worst, the greatest score first, then the earliest index."""
    return sorted(sorted(worst, key=lambda item: item[1]), key=lambda item: item[0], reverse=True)[:KEPT]


def merge(tallies: list[Tally]) -> Tally:
    """Return the sum of tallies over ascending ranges."""
    total = Tally(
        checked=sum(t.checked for t in tallies),
        outside=sum(t.outside for t in tallies),
        used=max(t.used for t in tallies),
        nan_equal=sum(t.nan_equal for t in tallies),
        worst=ranked(item for t in tallies for item in t.worst),
    )
    for tally in tallies:
        for name, (count, first) in tally.specials.items():
            before, earliest = total.specials.get(name, (0, first))
            total.specials[name] = before + count, earliest
        for name, item in tally.greatest.items():
            if item[0] > total.greatest.get(name, NOTHING)[0]:
                total.greatest[name] = item
    return total
