"""The rule of `baseline=True`: robust accuracy may not fall below what was recorded, sample by sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from .._json import Json
from ..errors import GoldenError
from ..robustness.kept import points_of
from ..robustness.report import RobustnessReport, Status
from ..robustness.words import share
from ..values.describe import describe
from ..values.node import Node
from .plain import plain
from .record import RATCHET, Recorded
from .rules import Judgement

__all__ = ["Ratchet", "is_ratchet", "ratchet_node", "recorded_points"]

STATUSES: Final[tuple[Status, ...]] = ("misclassified", "broken", "proved", "survived", "untested")
"""Numbers in a golden: never renumber them."""
FALLEN: Final = (0, 1)
SHOWN: Final = 10
SLACK: Final = 1e-9
"""Of a comparison of shares, which are not exact in binary."""


def ratchet_node(report: RobustnessReport, setup: Mapping[str, str]) -> Node:
    """Return what is recorded: what was asked, the accuracy, each sample's status, and counterexamples to try first."""
    points = points_of(report)
    empty = np.zeros((0, 1))
    return describe(
        {
            "setup": dict(setup),
            "robust_accuracy": report.robust_accuracy,
            "statuses": np.array([STATUSES.index(status) for status in report.statuses], np.int8),
            "counterexamples": {
                "samples": np.array(list(points), np.uint64),
                "points": np.stack(list(points.values())) if points else empty,
            },
        }
    )


def is_ratchet(recorded: Recorded) -> bool:
    """Tell whether a check was recorded as a baseline of robust accuracy."""
    return RATCHET in recorded.tolerance


def recorded_points(recorded: Recorded, folder: Path) -> dict[int, Any]:
    """Return the counterexamples that a baseline keeps, by the content of their samples."""
    held = _read(recorded, folder)["counterexamples"]
    return dict(zip(held["samples"].tolist(), held["points"], strict=True))


def _read(recorded: Recorded, folder: Path) -> Any:
    held = plain(recorded.node(folder))
    try:
        held["setup"], held["statuses"], held["counterexamples"]["samples"], held["counterexamples"]["points"]
    except (TypeError, KeyError, IndexError):
        raise GoldenError("the golden holds no baseline of robust accuracy that can be read") from None
    return held


@dataclass(frozen=True, slots=True)
class Ratchet:
    """At most `max_drop` below the recorded robust accuracy, under the same threat, attacks and samples."""

    max_drop: float

    @property
    def json(self) -> Mapping[str, Json]:
        """Return what is allowed, as plain data."""
        return {RATCHET: self.max_drop}

    def begin(self, node: Node) -> None:
        """Nothing to look at: any robust accuracy may be the first."""

    def same(self, node: Node) -> str:
        """Return nothing: each sample stands or falls as it did."""
        return ""

    def judge(self, recorded: Recorded, folder: Path, node: Node) -> Judgement:
        """Hold each sample's status against the recorded one."""
        if not is_ratchet(recorded):
            return Judgement("recorded by golden.check, and a baseline now", "the recorded value is no baseline.")
        then, now = _read(recorded, folder), plain(node)
        other = [name for name in now["setup"] if then["setup"].get(name) != now["setup"][name]]
        if other:
            return _incomparable(then["setup"], now["setup"], other)
        drop = then["robust_accuracy"] - now["robust_accuracy"]
        looser = self._looser(recorded)
        if drop <= self.max_drop + SLACK:
            return Judgement(looser=looser)
        allowed = f", {share(self.max_drop)} allowed" if self.max_drop else ""
        headline = (
            f"robust accuracy fell from {share(then['robust_accuracy'])} to {share(now['robust_accuracy'])}{allowed}"
        )
        return Judgement(headline, "\n".join([headline, *_moved(then["statuses"], now["statuses"])]), looser)

    def _looser(self, recorded: Recorded) -> tuple[str, ...]:
        before = recorded.tolerance[RATCHET]
        if self.max_drop <= before:
            return ()
        return (f"max_drop is {self.max_drop:g}, was {before:g}: greater drops go unseen",)


def _incomparable(then: Mapping[str, str], now: Mapping[str, str], other: list[str]) -> Judgement:
    lines = [f"  {name}: recorded {then.get(name, 'nothing')}, now {now[name]}" for name in other]
    words = f"recorded with other {' and '.join(other)}: the two accuracies can't be compared"
    return Judgement(words, "\n".join([f"{words}.", *lines]), concludes=True)


def _moved(then: Any, now: Any) -> list[str]:
    fell = np.flatnonzero(~np.isin(then, FALLEN) & np.isin(now, FALLEN))
    rose = np.flatnonzero(np.isin(then, FALLEN) & ~np.isin(now, FALLEN))
    lines = [f"{len(fell)} samples stood and fall now: {_list(fell)}"] if len(fell) else []
    return [*lines, *([f"{len(rose)} samples fell and stand now: {_list(rose)}"] if len(rose) else [])]


def _list(samples: Any) -> str:
    shown = ", ".join(map(str, samples[:SHOWN].tolist()))
    return shown if len(samples) <= SHOWN else f"{shown}, …"
