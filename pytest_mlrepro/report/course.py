"""The course of drift over many runs: each statistic beside what is allowed, and slow trends that no single run shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .._json import Json

__all__ = ["Course", "Trend", "course_lines", "courses", "trend"]

LEAST: Final = 6
"""Runs that a trend needs: fewer rise by themselves too often."""
LEVEL: Final = 0.01
MARKS: Final = "▁▂▃▄▅▆▇█"
SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Course:
    """One statistic over time."""

    test: str
    check: str
    statistic: str
    times: tuple[str, ...]
    values: tuple[float, ...]
    allowed: float
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """A rise that is too steady for chance, and has not reached the alarm."""

    first: float
    last: float
    runs_left: float
    """Runs until the alarm if it goes on like this."""


def courses(records: Sequence[Json]) -> list[Course]:
    """Return the statistics of all drift verdicts, each in the order of time."""
    found: dict[tuple[str, str, str], list[tuple[str, Json]]] = {}
    for record in records:
        if record.get("kind") == "drift":
            for name, seen in record.get("statistics", {}).items():
                found.setdefault((record["test"], record["check"], name), []).append((record["time"], seen))
    return [
        Course(
            *key,
            tuple(time for time, _ in seen),
            tuple(float(facts["value"]) for _, facts in seen),
            float(seen[-1][1]["allowed"]),
            tuple(str(facts["state"]) for _, facts in seen),
        )
        for key, seen in found.items()
    ]


def trend(course: Course) -> Trend | None:
    """Return the rise of a statistic that stays below its alarm, by Mann's test (1945) and Sen's slope (1968)."""
    values = course.values
    runs = len(values)
    if runs < LEAST or course.states[-1] == "drift" or course.allowed <= 0:
        return None
    gaps = [(later - sooner) / (j - i) for j, later in enumerate(values) for i, sooner in enumerate(values[:j])]
    rises = sum((gap > 0) - (gap < 0) for gap in gaps)
    ties = [values.count(value) for value in set(values)]
    variance = (runs * (runs - 1) * (2 * runs + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    z = (rises - 1) / math.sqrt(variance) if variance > 0 else 0.0
    slope = sorted(gaps)[len(gaps) // 2]
    if math.erfc(z / math.sqrt(2)) / 2 > LEVEL or slope <= 0:
        return None
    return Trend(values[0], values[-1], (course.allowed - values[-1]) / slope)


def course_lines(records: Sequence[Json]) -> Iterator[str]:
    """Yield the course of each statistic under its check, then the slow trends."""
    found = courses(records)
    slow = [(course, rise) for course in found if (rise := trend(course)) is not None]
    for test, check in dict.fromkeys((course.test, course.check) for course in found):
        yield f"{test}  drift since {check}"
        yield from (_line(course) for course in found if (course.test, course.check) == (test, check))
    if slow:
        yield ""
        yield "slow trends, each below its alarm in the last run:"
    for course, rise in sorted(slow, key=lambda pair: pair[1].runs_left):
        yield (
            f"  {course.statistic}: {rise.first:.3g} → {rise.last:.3g} in {len(course.values)} runs "
            f"({course.times[0][:10]} to {course.times[-1][:10]}); at this pace the alarm at {course.allowed:.3g} comes "
            f"in about {max(math.ceil(rise.runs_left), 1)} runs"
        )


def _line(course: Course) -> str:
    now = f"{course.values[-1]:.3f} of {course.allowed:.3g}"
    alarms, runs = course.states.count("drift"), len(course.values)
    said = f", {alarms} alarm{'' if alarms == 1 else 's'}" if alarms else ""
    return f"  {_marks(course)}  {now}  {course.statistic}  ({runs} run{'' if runs == 1 else 's'}{said})"


def _marks(course: Course) -> str:
    """Return a bar for each of the last runs: half as high as can be at what is allowed, full at twice of it."""
    top = 2 * course.allowed or 1.0
    bars = [MARKS[min(int(value / top * len(MARKS)), len(MARKS) - 1)] for value in course.values[-SHOWN:]]
    return "".join(bars)
