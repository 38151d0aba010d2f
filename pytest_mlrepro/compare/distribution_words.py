"""A metric's distribution and what became of it, in sentences: from what to what, against what noise, and what would be seen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from .distribution import POWER, Movement, smallest_shift

__all__ = ["brief", "headline", "moved_lines", "number", "recorded_line", "visible"]

Floats = npt.NDArray[np.float64]
SHOWN = 6
"""Metrics that are told in full; of more, which may be sixty-four, the names."""


def headline(movement: Movement) -> str:
    """Return in one line how a metric that alarms changed."""
    words = _moved(movement) if movement.moved else f"spread {_pair(movement.spread)}"
    return f"{movement.name}: {words}" if movement.name else words


def _moved(movement: Movement) -> str:
    grain = _grain(movement)
    if movement.constant:
        return f"{movement.median[0]!r} → {movement.median[1]!r} in every seed"
    return f"median {_pair(movement.median, grain)}, shift {number(movement.shift, grain, sign=True)}"


def moved_lines(movements: Sequence[Movement], seeds: Sequence[int]) -> Iterator[str]:
    """Yield the lines of a failure: each metric that alarms, then how the others fared."""
    alarms = [movement for movement in movements if movement.apart]
    for movement in alarms[:SHOWN]:
        yield from _lines(movement, seeds)
    if len(alarms) > SHOWN:
        yield f"... and {len(alarms) - SHOWN} more: {_names(alarms[SHOWN:])}"
    calm = [movement for movement in movements if not movement.apart]
    if calm:
        yield f"no change seen (± would have been): {brief(calm)}"


def _lines(one: Movement, seeds: Sequence[int]) -> Iterator[str]:
    grain = _grain(one)
    yield f"{one.name or 'the metric'}: {_what(one)}"
    if one.constant:
        yield f"  from {one.median[0]!r} to {one.median[1]!r}, difference {one.shift:.3g}; the seed makes no difference to either"
        yield f"  p = {one.p_shift:.2g}, {one.level:.2g} or less is an alarm: of a metric without spread, any change is seen"
        return
    yield f"  median  {_pair(one.median, grain)} over {one.seeds} seeds"
    interval = f"{number(one.low, grain, sign=True)} to {number(one.high, grain, sign=True)}"
    yield f"  shift   {number(one.shift, grain, sign=True)}  ({_percent(1 - one.level)} interval: {interval})"
    yield f"  spread  {_pair(one.spread, grain)}  (mean distance from the median)"
    spread = "" if one.moved else f", {one.p_spread:.2g} for the spread"  # a shift alone makes distances other ones
    yield f"  p = {one.p_shift:.2g} for the shift{spread}; {one.level:.2g} or less is an alarm"
    yield f"  {visible(one)}"
    if one.same:
        yield f"  {one.same} of {one.seeds} seeds are as recorded"
    place, *values = one.furthest
    yield f"  seed {seeds[place]} moved most: {number(values[0], grain)} → {number(values[1], grain)}"


def _what(one: Movement) -> str:
    if one.moved:
        return f"{'higher' if one.shift > 0 else 'lower'} than recorded"
    return f"{'more' if one.spread[1] > one.spread[0] else 'less'} spread than recorded"


def visible(one: Movement) -> str:
    """Return which shift would have been seen."""
    if not one.smallest:
        return "a shift of any size would have been seen, if every seed had it"
    size = number(one.smallest, one.smallest)
    return f"a shift of {size} would have been seen with {POWER:.0%} power, other random streams included"


def brief(movements: Sequence[Movement]) -> str:
    """Return in one line the shift that a check which passed would have seen, metric by metric; p-values unless all is equal."""
    shown = [_brief(movement) for movement in movements[:SHOWN]]
    more = [f"and {len(movements) - SHOWN} more metrics"] if len(movements) > SHOWN else []
    return ", ".join([*shown, *more])


def _brief(one: Movement) -> str:
    size = number(one.smallest, one.smallest) if one.smallest else "0 (no spread)"
    fared = "" if one.same == one.seeds else f" (p = {one.p_shift:.2g} of the shift, {one.p_spread:.2g} of the spread)"
    return f"{f'{one.name} ' if one.name else ''}±{size}{fared}"


def recorded_line(values: Floats, level: float | None) -> str:
    """Return a recorded metric in one line; with a level, also the shift that a test at this level would see."""
    low, middle, high = (float(part) for part in np.quantile(values, [0.0, 0.5, 1.0]))
    spread = float(np.abs(values - middle).mean())
    if not spread:
        return f"{middle!r} in every seed"
    text = f"median {number(middle, spread)}, spread {number(spread, spread)}, {number(low, spread)} to {number(high, spread)}"
    if level is None:
        return text
    smallest = smallest_shift(values, level)
    if not math.isfinite(smallest):
        return f"{text}; too few seeds to see anything"
    return f"{text}; sees a shift of {number(smallest, smallest)} ({POWER:.0%} power, level {level:.2g})"


def number(value: float, grain: float, *, sign: bool = False) -> str:
    """Return a value with as many decimals as show three digits of `grain`."""
    plus = "+" if sign else ""
    if not grain or not grain > 1e-7 or abs(value) >= 1e9:
        return f"{value:{plus}.6g}"
    return f"{value:{plus}.{max(0, 2 - math.floor(math.log10(grain)))}f}"


def _grain(one: Movement) -> float:
    """Return the least size that the numbers of a metric should show: of its spreads, or of its shift."""
    return min((size for size in (*one.spread, abs(one.shift)) if size), default=0.0)


def _pair(sides: tuple[float, float], grain: float | None = None) -> str:
    fine = min((side for side in sides if side), default=0.0) if grain is None else grain
    return f"{number(sides[0], fine)} → {number(sides[1], fine)}"


def _percent(share: float) -> str:
    """Return a share as a percentage that never rounds up to 100."""
    digits = max(0, math.ceil(-math.log10(max(1 - share, 1e-12))) - 1)
    return f"{math.floor(share * 100 * 10**digits) / 10**digits:.{digits}f}%"


def _names(movements: Iterable[Movement]) -> str:
    return ", ".join(movement.name or "the metric" for movement in movements)
