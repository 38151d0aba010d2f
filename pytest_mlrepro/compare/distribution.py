"""Two samples of a metric over the same seeds: has its distribution moved or changed its width, beyond what chance does.

A recorded value and a present one of the same seed are a pair. If nothing changed, either could have been the other: with
the same random streams they are equal, with other streams (another machine, another version of numpy) they are two draws
of one distribution. So pairs are tested, which is exact in both cases and anywhere between, and sees the more the more the
streams agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .signed_rank import critical, p_value, pairs_needed, walsh
from .tolerance import DEFAULT_RTOL

__all__ = [
    "POWER",
    "TESTS",
    "Metric",
    "Movement",
    "held_apart",
    "level_of",
    "probabilities",
    "seeds_needed",
    "smallest_shift",
]

Floats = npt.NDArray[np.float64]
POWER = 0.8
"""Probability with which `smallest_shift` would be seen."""
TESTS = 2
"""Tests of each metric: one of its place, one of its spread."""
NEGLIGIBLE = 1e-3
"""Share of the spread over seeds below which a difference counts as none: rounding may lean to one side in every seed."""
CONSTANT = DEFAULT_RTOL["float64"]
"""A spread below this, relative to the value, is none: then this is what differences are held to."""
SAMPLES = 1000
FEWER = 200
BLOCK = 1 << 18

Metric = Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Movement:
    """What became of one metric. All but counts and probabilities is in the metric's unit."""

    name: str
    seeds: int
    level: float
    """What a p-value of this metric must not exceed for its test to alarm."""
    median: tuple[float, float]
    """Recorded and now."""
    spread: tuple[float, float]
    """Mean distance from the median, recorded and now."""
    shift: float
    """The median of the means of all pairs of differences."""
    low: float
    high: float
    """The shift's interval at confidence `1 - level`: all shifts that the test would not reject."""
    p_shift: float
    p_spread: float
    same: int
    """Seeds whose value is as recorded, or negligibly far from it."""
    furthest: tuple[int, float, float]
    """Position of the seed whose value moved most, its recorded value, and its value now."""
    constant: bool
    """Whether neither sample depends on the seed."""
    smallest: float
    """The smallest shift that would be seen with probability `POWER` if all random streams were others."""

    @property
    def moved(self) -> bool:
        """Tell whether the place changed."""
        return self.p_shift <= self.level

    @property
    def widened(self) -> bool:
        """Tell whether the spread changed, to more or to less, and that isn't what a shift looks like to its test."""
        return self.p_spread <= self.level and not self.moved

    @property
    def apart(self) -> bool:
        """Tell whether either test alarms."""
        return self.moved or self.widened


def level_of(false_alarm_rate: float, metrics: int) -> float:
    """Return the level of each test, so that all tests of a suite of so many metrics alarm falsely at that rate or less.

    The rate is shared out evenly (Bonferroni), which holds however the metrics depend on each other.
    """
    return false_alarm_rate / (TESTS * metrics)


def seeds_needed(level: float) -> int:
    """Return the fewest seeds with which a test can alarm at all at this level."""
    return pairs_needed(level)


def held_apart(name: str, recorded: Floats, now: Floats, level: float) -> Movement:
    """Hold the values of a metric over the same seeds, in the same order, against each other; shapes (n,), finite."""
    first, second, same, constant = _without_negligible(recorded, now)
    p_shift, p_spread = _probabilities(first, second)
    moves = now - recorded
    means, furthest = walsh(moves), int(np.argmax(np.abs(moves)))
    least = min(critical(recorded.size, level), means.size)
    return Movement(
        name=name,
        seeds=recorded.size,
        level=level,
        median=(float(np.median(recorded)), float(np.median(now))),
        spread=(_spread(recorded), _spread(now)),
        shift=float(np.median(means)),
        low=float(means[means.size - least]),
        high=float(means[least - 1]),
        p_shift=p_shift,
        p_spread=p_spread,
        same=int(np.count_nonzero(same)),
        furthest=(furthest, float(recorded[furthest]), float(now[furthest])),
        constant=constant,
        smallest=smallest_shift(recorded, level),
    )


def probabilities(recorded: Floats, now: Floats) -> tuple[float, float]:
    """Return the p-values of a shift and of another spread; shapes (n,), finite."""
    return _probabilities(*_without_negligible(recorded, now)[:2])


def _probabilities(first: Floats, second: Floats) -> tuple[float, float]:
    """Both tests exchange the two values of a seed, which leaves the common median as it is and only turns signs."""
    middle = float(np.median(np.concatenate([first, second])))
    return p_value(second - first), p_value(np.abs(second - middle) - np.abs(first - middle))


def _spread(values: Floats) -> float:
    return float(np.abs(values - np.median(values)).mean())


def _without_negligible(one: Floats, two: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_], bool]:
    """Return both samples with pairs that are negligibly far apart made equal, which they are, and whether both are constant.

    What is negligible depends on the two values of a seed in the same way, or the test would not be exact any more.
    """
    means = one / 2 + two / 2
    width = max(_spread(means), _spread(np.abs(two - one)) / 2)  # neither tells which side is which
    sizes = np.maximum(np.abs(one), np.abs(two))
    constant = width <= CONSTANT * float(np.median(sizes))
    floor = CONSTANT * sizes if constant else np.full(one.size, NEGLIGIBLE * width)
    same = np.abs(two - one) <= floor
    return np.where(same, means, one), np.where(same, means, two), same, constant


def smallest_shift(recorded: Floats, level: float) -> float:
    """Return the smallest shift that is seen with probability `POWER` although present and recorded streams differ.

    By simulation from the recorded values: differences of two of them at random are what chance does to a pair. A shift is
    seen when enough of the means of pairs (`walsh`) are on one side of zero, so for each simulated sample the shift that it
    takes is one of these means. 0 when the recorded values are all equal.
    """
    count = recorded.size
    if count < 2 or not np.ptp(recorded):
        return 0.0
    rng = np.random.default_rng(count)
    samples = SAMPLES if count <= 100 else FEWER
    first = rng.integers(count, size=(samples, count))
    other = (first + rng.integers(1, count, size=first.shape)) % count
    chance = recorded[first] - recorded[other]
    least = critical(count, level)
    if least > count * (count + 1) // 2:
        return float("inf")
    rows, columns = np.triu_indices(count)
    block = max(1, BLOCK // rows.size)  # samples at a time, in bounded memory
    taken = [_taken(chance[at : at + block], rows, columns, least) for at in range(0, samples, block)]
    return max(0.0, float(np.quantile(np.concatenate(taken), POWER, method="higher")))


def _taken(chance: Floats, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], least: int) -> Floats:
    """Return the shift that makes each sample of differences significant: shapes (samples, n) to (samples,)."""
    means = (chance[:, rows] + chance[:, columns]) / 2
    taken: Floats = -np.partition(means, rows.size - least, axis=1)[:, rows.size - least]
    return taken
