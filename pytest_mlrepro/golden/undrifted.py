"""The rule of `drift.check`: still distributed like the reference, whose profile is what is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._json import Json
from ..drift import Profile, Report, drift_report
from ..drift.plain import packed, unpacked
from ..errors import GoldenError, UsageError
from ..values.describe import describe
from ..values.node import Node
from .plain import plain
from .record import DRIFT, Recorded
from .rules import Judgement

__all__ = ["Undrifted", "is_profile", "profile_in", "profile_node"]

HELD = ("effect", "correlation", "false_alarms")
"""What is kept with the golden: making it looser is a change to be accepted."""


def profile_node(profile: Profile) -> Node:
    """Return a profile as a value that can be digested and stored."""
    return describe(packed(profile))


def is_profile(recorded: Recorded) -> bool:
    """Tell whether a check was recorded by `drift.check`."""
    return DRIFT in recorded.tolerance


def profile_in(recorded: Recorded, folder: Path) -> Profile:
    """Return the profile that a check holds; GoldenError for another check."""
    try:
        return unpacked(plain(recorded.node(folder)))
    except UsageError as error:
        raise GoldenError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Undrifted:
    """Without drift since the recorded profile."""

    frame: Any
    reference: str
    options: Mapping[str, Any]
    """Arguments of `assert_no_drift` that were given."""

    @property
    def json(self) -> Mapping[str, Json]:
        """Return what is allowed, as plain data."""
        defaults = {"effect": 0.05, "correlation": 0.1, "false_alarms": 0.05}
        held = {name: self.options.get(name, defaults[name]) for name in HELD}
        return {DRIFT: {name: dict(value) if isinstance(value, Mapping) else value for name, value in held.items()}}

    def report(self, profile: Profile) -> Report:
        """Hold the frame against a profile."""
        return drift_report(self.frame, profile, name=self.reference, **self.options)

    def begin(self, node: Node) -> None:
        """Nothing to look at: a profile of any frame may be recorded."""

    def same(self, node: Node) -> str:
        """Return nothing: the frame has the very profile of the reference."""
        return ""

    def judge(self, recorded: Recorded, folder: Path, node: Node) -> Judgement:
        """Hold the frame against the recorded profile; `node`, its own one, is what would be recorded in its place."""
        if not is_profile(recorded):
            return Judgement("recorded by golden.check, and a drift check now", "the recorded value is no profile.")
        return self.judged(self.report(profile_in(recorded, folder)), recorded)

    def judged(self, report: Report, recorded: Recorded) -> Judgement:
        """Return what a report comes to."""
        looser = tuple(self._looser(recorded.tolerance[DRIFT]))
        if report.verdict != "drift":
            return Judgement(looser=looser)
        headline, _, details = str(report).partition("\n")
        return Judgement(headline, details, looser, concludes=True)

    def _looser(self, held: Mapping[str, Json]) -> list[str]:
        now = self.json[DRIFT]
        return [
            f"{name} is {_shown(now[name])}, was {_shown(held[name])}: smaller drifts go unseen"
            for name in ("effect", "correlation")
            if _least(now[name], held[name]) and now[name] != held[name]
        ] + ([f"false_alarms is {now['false_alarms']:g}, was {held['false_alarms']:g}"] if _stricter(now, held) else [])


def _stricter(now: Mapping[str, Json], held: Mapping[str, Json]) -> bool:
    """Tell whether fewer false alarms are asked for than when it was recorded: then drifts must be clearer to be seen."""
    return bool(now["false_alarms"] < held["false_alarms"])


def _least(now: Json, held: Json) -> bool:
    """Tell whether anything is allowed to move farther than when it was recorded."""
    one, two = _by_name(now), _by_name(held)
    return any(one.get(name, one["*"]) > two.get(name, two["*"]) for name in one.keys() | two.keys())


def _by_name(effect: Json) -> Mapping[str, float]:
    return {"*": 0.05, **effect} if isinstance(effect, Mapping) else {"*": effect}


def _shown(effect: Json) -> str:
    return (
        ", ".join(f"{name} {value:g}" for name, value in effect.items())
        if isinstance(effect, Mapping)
        else f"{effect:g}"
    )
