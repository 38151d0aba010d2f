"""The rule of `check_distribution`: distributed over seeds as recorded, at a stated rate of false alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .._json import Json
from ..compare.distribution import TESTS, Movement, held_apart, level_of, seeds_needed
from ..compare.distribution_words import brief, headline, moved_lines
from ..errors import GoldenError, UsageError
from ..values.describe import describe
from ..values.node import Array, Group, Node
from .metric import Metrics
from .record import RATE, Recorded
from .rules import Judgement
from .suite import KIND, metrics_of_group

__all__ = ["Alike", "Sample", "is_distribution", "metrics_in", "sample_of", "valid_rate"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """The values of metrics over seeds."""

    seeds: tuple[int, ...]
    values: Mapping[str, Floats]
    """By name ("" for a single metric); shapes (seeds,)."""

    @classmethod
    def of(cls, seeds: tuple[int, ...], runs: list[Metrics]) -> Sample:
        """Return what the runs gave, one for each seed."""
        return cls(seeds, {name: np.array([run[name] for run in runs]) for name in sorted(runs[0])})

    @property
    def node(self) -> Group:
        """Return the sample as a value that can be digested and stored."""
        plain: Any = {name: values.tolist() for name, values in self.values.items()}
        values = describe(plain[""] if [*plain] == [""] else plain)
        return Group(KIND, (), (("seeds", describe(list(self.seeds))), ("values", values)))

    def first_odd(self) -> str:
        """Return which metric is not a finite number at which seed; "" if all are."""
        for name, values in self.values.items():
            odd = np.flatnonzero(~np.isfinite(values))
            if odd.size:
                more = f" (and {odd.size - 1} more seeds)" if odd.size > 1 else ""
                return f"{name or 'the metric'} is {values[odd[0]]} at seed {self.seeds[odd[0]]}{more}"
        return ""


def sample_of(node: Node) -> Sample:
    """Return the sample that a node of kind `distribution` holds; GoldenError for another node."""
    try:
        assert isinstance(node, Group)
        assert node.kind == KIND
        (_, seeds), (_, values) = node.children
        named = values.children if isinstance(values, Group) else (("", values),)
        return Sample(tuple(_items(seeds)), {str(name): np.array(_items(part)) for name, part in named})
    except (AssertionError, ValueError):
        raise GoldenError("a recorded distribution can't be read: record the golden again") from None


def _items(node: Node) -> list[Any]:
    if isinstance(node, Group):  # seeds beyond int64 are scalars of their own
        return [getattr(part, "value", None) for _, part in node.children]
    assert isinstance(node, Array)
    return list(node.data.read(0, node.data.size).tolist())


def is_distribution(recorded: Recorded) -> bool:
    """Tell whether a check was recorded by `check_distribution`."""
    return bool(recorded.value.get("group", {}).get("kind") == KIND)


def metrics_in(recorded: Recorded) -> int:
    """Return how many metrics a check has; 0 for one that is no distribution."""
    return metrics_of_group(recorded.value.get("group", {}))


def valid_rate(rate: object) -> float:
    """Return a rate of false alarms; UsageError for what is none."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 0.5:
        raise UsageError(
            f"golden.check_distribution: false_alarm_rate must be above 0 and at most 0.5, got {rate!r}: how often any "
            "distribution check of the suite may fail though nothing changed"
        )
    return float(rate)


@dataclass(frozen=True, slots=True)
class Alike:
    """Distributed like the recorded values.

    rate: how often any distribution check of the whole suite may alarm falsely.
    others: metrics of all other distribution checks of the suite, which share the rate.
    """

    rate: float
    others: int

    @property
    def json(self) -> Mapping[str, Json]:
        """Return what is allowed, as plain data."""
        return {RATE: self.rate}

    def begin(self, node: Node) -> None:
        """Raise UsageError if no change could ever be seen with so few seeds."""
        self._level(sample_of(node))

    def parted(self, first: Node, second: Node) -> str:
        """Return how a second run of the same code is distributed otherwise; other bits alone are no reason."""
        one, two = sample_of(first), sample_of(second)
        if one.values.keys() != two.values.keys():
            return f"the first run gave {_names(one)}, the second {_names(two)}"
        return "\n".join(_told(one, self._held(one, two)))

    def same(self, node: Node) -> str:
        """Return which change would have been seen."""
        sample = sample_of(node)
        return brief(self._held(sample, sample))

    def judge(self, recorded: Recorded, folder: Path, node: Node) -> Judgement:
        """Test each metric for a shift and for another spread."""
        now = sample_of(node)
        if not is_distribution(recorded):
            return Judgement("recorded by golden.check, and a distribution now", _OTHER_KIND)
        then = sample_of(recorded.node(folder))
        if then.seeds != now.seeds:
            words = f"recorded over {_seeds(then)}, checked over {_seeds(now)}"
            return Judgement(words, f"{words}: values are held against each other seed by seed.")
        if then.values.keys() != now.values.keys():
            words = f"recorded were {_names(then)}, this run gave {_names(now)}"
            return Judgement(words, f"{words}.")
        looser = self._looser(recorded)
        movements = self._held(then, now)
        alarms = [movement for movement in movements if movement.apart]
        if not alarms:
            return Judgement(looser=looser, remark=brief(movements))
        more = f" (and {len(alarms) - 1} more metrics)" if len(alarms) > 1 else ""
        details = "\n".join([*_told(then, movements), "", *self._method(movements)])
        return Judgement(headline(alarms[0]) + more, details, looser)

    def _held(self, one: Sample, two: Sample) -> list[Movement]:
        level = self._level(two)
        return [held_apart(name, values, two.values[name], level) for name, values in one.values.items()]

    def _level(self, sample: Sample) -> float:
        """Return the level of each test of this check; UsageError if no change could ever reach it."""
        return self.require_seeds(sample.seeds, len(sample.values))

    def require_seeds(self, seeds: Sequence[int], metrics: int) -> float:
        """Return the level of each test of a check of so many metrics; UsageError if no change could ever reach it."""
        level = level_of(self.rate, self.others + metrics)
        needed, count = seeds_needed(level), len(seeds)
        if count < needed:
            raise UsageError(
                f"golden.check_distribution: with {count} seeds no change could ever be seen. A false-alarm rate of {self.rate:g} "
                f"for the suite, shared by {_count(self.others + metrics)} with {TESTS} tests each, leaves {level:.2g} for a test, "
                f"and {count} seeds give p = {2.0 ** (1 - count):.2g} at best.\n"
                f"Take at least {needed} seeds (more see smaller changes), or a greater false_alarm_rate"
            )
        return level

    def _looser(self, recorded: Recorded) -> tuple[str, ...]:
        before = recorded.tolerance.get(RATE, 0.0)
        return (f"{RATE} is {self.rate:g}, was {before:g}: smaller changes go unseen",) if self.rate < before else ()

    def _method(self, movements: list[Movement]) -> list[str]:
        count = self.others + len(movements)
        return [
            f"Tested by signed ranks of recorded and present value of each seed; false alarms: {self.rate:g} at most for the "
            f"{_count(count)}",
            f"of the suite, {TESTS} tests each.",
        ]


_OTHER_KIND: Final = "the recorded value is no distribution: one check became the other, under the same name."


def _told(sample: Sample, movements: list[Movement]) -> list[str]:
    return list(moved_lines(movements, sample.seeds)) if any(movement.apart for movement in movements) else []


def _names(sample: Sample) -> str:
    return ", ".join(name or "one number" for name in sample.values)


def _seeds(sample: Sample) -> str:
    count = len(sample.seeds)
    return f"{count} seeds" if sample.seeds == tuple(range(count)) else f"{count} seeds ({sample.seeds[0]}, …)"


def _count(metrics: int) -> str:
    return f"{metrics} metric{'' if metrics == 1 else 's'}"
