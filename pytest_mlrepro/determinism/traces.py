"""Runs that are made again under a trace, as often and as closely as it takes to say where they part."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .._lazy import loaded
from ..compare.difference import Comparison
from .kept import Kept
from .spread import spread_text
from .vary import Variation
from .words import wrapped

if TYPE_CHECKING:
    from .trace import Options, Parting

__all__ = ["Rounds", "traced"]

TRIES: Final = 3
"""Runs that part only now and then are looked at closely so often."""
PATIENCE: Final = 60.0
"""A pair of runs that took longer, in seconds, is made no more often than it takes to find the place."""


@contextmanager
def traced(file: Path | None, project: Path) -> Iterator[Any]:
    """Trace the block into `file`, and give its recorder; without a file give None."""
    if file is None:
        yield None
        return
    from .trace import tracing  # only a difference needs it

    with tracing(file, project=project) as recorder:
        yield recorder


class Rounds:
    """Pairs of runs under a trace: operations first; if that settles nothing, every line too; last the values themselves.

    one, other: each makes a run of its kind, traced into the file that it is given.
    """

    def __init__(
        self,
        folder: Path,
        one: Callable[[Path], object],
        other: Callable[[Path], object],
        variation: Variation | None,
    ) -> None:
        self._folder, self._makers, self._variation = folder, (one, other), variation
        self._count = 0
        self._seconds = 0.0
        self._close = loaded("torch") is None

    def first(self) -> tuple[Any, Any]:
        """Make the first pair of runs, and return what makes them: the rest is asked for if they differ."""
        from .trace import Options

        return self._make(Options(close=self._close))

    def lines(self) -> list[str]:
        """Return the lines that say where the runs part; none where their traces agree."""
        try:
            found = self.parting()
        except Exception as error:  # noqa: BLE001  # what can't be traced must not hide the difference that was found
            return [f"the runs could not be traced: {type(error).__name__}: {error}"]
        return [] if found is None else [_wrapped(line) for line in found.lines()]

    def parting(self) -> Parting | None:
        """Return where the runs part; None where their traces agree."""
        from .trace import Options

        close = self._close
        found = self._parting() if self._count else self._round(Options(close=close))
        if not close and (found is None or not found.settled):
            closer = next(filter(None, (self._round(Options(close=True)) for _ in range(self._tries()))), None)
            found, close = (found, close) if closer is None else (closer, True)
        if found is not None and found.wanted >= 0 and self._seconds < PATIENCE:
            self._round(Options(close=close, wanted=found.wanted))
            found = replace(found, size=self._size())
        return found

    def _tries(self) -> int:
        return TRIES if self._seconds < PATIENCE else 1

    def _round(self, options: Options) -> Parting | None:
        self._make(options)
        return self._parting()

    def _make(self, options: Options) -> tuple[Any, Any]:
        self._count += 1
        begin = time.monotonic()
        made = []
        for file, make in zip(self._files(), self._makers, strict=True):
            options.write(file)
            made.append(make(file))
        self._seconds = time.monotonic() - begin
        return made[0], made[1]

    def _parting(self) -> Parting | None:
        from .trace import parting

        return parting(*self._files(), varied=None if self._variation is None else self._variation.name)

    def _files(self) -> tuple[Path, Path]:
        one, other = (self._folder / f"trace-{self._count}-{side}" for side in ("one", "other"))
        return one, other

    def _size(self) -> str:
        """Return how far apart the two values are that were kept in the last round."""
        one, other = (Kept.read(file.with_name(f"{file.name}.value")) for file in self._files())
        if one is None or other is None:
            return ""
        apart = one.differs(other)
        text = spread_text(apart) if isinstance(apart, Comparison) else ""
        return text if text.startswith("up to") else ""


def _wrapped(line: str) -> str:
    """Return a line in lines that a terminal has room for; what was indented stays so."""
    indent = line[: len(line) - len(line.lstrip())]
    text = wrapped(line.strip())
    return indent + text.replace("\n", f"\n{indent}")
