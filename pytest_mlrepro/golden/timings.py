"""What the steps of a golden took when they were recorded: for people, never compared, and no part of `golden.json`.

The file is written only where `golden.json` is, so a run that records nothing new leaves it alone.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .._json import json_text
from .files import write_whole

__all__ = ["TIMINGS", "Timing", "keep_timings", "read_timings", "write_timings"]

TIMINGS: Final = "timings.json"


@dataclass(frozen=True, slots=True)
class Timing:
    """One step."""

    seconds: float | None
    peak: int | None
    """Bytes of resident memory that the process had at most meanwhile; None where that wasn't measured."""


def write_timings(folder: Path, timings: Mapping[str, Timing]) -> None:
    """Write the file; it holds milliseconds and mebibytes, since more digits would be noise."""
    steps = {
        name: {
            "ms": None if timing.seconds is None else round(timing.seconds * 1000, 1),
            "peak_mib": None if timing.peak is None else round(timing.peak / 2**20),
        }
        for name, timing in timings.items()
    }
    write_whole(folder / TIMINGS, json_text({"schema": 1, "steps": steps}))


def read_timings(folder: Path) -> dict[str, Timing]:
    """Return what is known; a file that is missing or damaged knows nothing, and is no error."""
    try:
        data = json.loads((folder / TIMINGS).read_text("utf-8"))["steps"]
        return {str(name): Timing(_scaled(t["ms"], 1e-3), _bytes(t["peak_mib"])) for name, t in data.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def keep_timings(folder: Path, new: Path, names: Collection[str]) -> None:
    """Make what was measured, in the folder `new`, that of the golden in `folder`; of steps that are gone nothing stays."""
    found = {name: timing for name, timing in (read_timings(folder) | read_timings(new)).items() if name in names}
    if found:
        write_timings(folder, found)
    elif (folder / TIMINGS).exists():
        with contextlib.suppress(OSError):
            (folder / TIMINGS).unlink()


def _scaled(number: object, factor: float) -> float | None:
    return float(number) * factor if isinstance(number, int | float) else None


def _bytes(number: object) -> int | None:
    return round(number * 2**20) if isinstance(number, int | float) else None
