"""How long a step took and how much memory the process held at most meanwhile: for people, and never compared."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

__all__ = ["Meter"]

_STATUS: Final = Path("/proc/self/status")
_RESET: Final = Path("/proc/self/clear_refs")
_KIB: Final = 1024


class Meter:
    """Measures steps, which may stand inside each other; memory only where `memory` is asked for, and on Linux.

    The kernel keeps one greatest size per process and can be told to start anew, so an inner step hands on to the outer
    one what it saw. Elsewhere nothing tells the peak of a stretch, and it is None.
    """

    def __init__(self, *, memory: bool) -> None:
        self._memory = memory and sys.platform == "linux"
        self._open: list[int] = []

    def start(self) -> float:
        """Begin a step and return the time."""
        if self._memory:
            if self._open:
                self._open[-1] = max(self._open[-1], _peak())
            self._memory = _reset()
            self._open.append(0)
        return time.perf_counter()

    def stop(self, started: float) -> tuple[float, int | None]:
        """End the innermost step; return seconds, and bytes of resident memory at most."""
        seconds = time.perf_counter() - started
        if not self._open:
            return seconds, None
        peak = max(self._open.pop(), _peak())
        if self._open:
            self._open[-1] = max(self._open[-1], peak)
        return seconds, peak if self._memory else None


def _peak() -> int:
    try:
        lines = _STATUS.read_text("ascii", "replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * _KIB for line in lines if line.startswith("VmHWM:")), 0)


def _reset() -> bool:
    """Have the kernel forget the greatest size so far; False where it won't."""
    try:
        _RESET.write_text("5", "ascii")
    except OSError:
        return False
    return True
