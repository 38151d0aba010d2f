"""What a long check is doing, on the screen while it runs: one line that is written over, or plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

__all__ = ["Progress", "Screen"]

PATIENCE: Final = 3.0
"""Seconds that a check may take before anything is said."""
REDRAWN: Final = 0.2
LOGGED: Final = 30.0
"""Seconds between two lines, on a terminal and elsewhere."""


class Screen:
    """The terminal of one run, for checks that take long. Silent with `-q`, and where no terminal reports: in workers."""

    def __init__(self, config: pytest.Config) -> None:
        quiet = config.get_verbosity() < 0
        self._reporter: Any = None if quiet else config.pluginmanager.get_plugin("terminalreporter")
        self._capture: Any = config.pluginmanager.get_plugin("capturemanager")

    @contextmanager
    def of(self, what: str) -> Iterator[Check]:
        """Give the check named `what` a place to say where it is; what was written over is gone afterwards."""
        check = Check(self, what)
        try:
            yield check
        finally:
            self.clear(check)

    def clear(self, check: Check) -> None:
        """Take away what a check wrote to be written over."""
        if check.drawn:
            self._past_capture(self._clear)
            check.drawn = False

    @property
    def silent(self) -> bool:
        """Whether there is nobody to tell."""
        return self._reporter is None

    @property
    def interactive(self) -> bool:
        """Whether lines can be written over."""
        return bool(self._reporter.isatty)

    def draw(self, line: str, *, first: bool) -> None:
        """Write the line below the current one, over what is there."""

        def write() -> None:  # the width is known only where output is not captured
            width = max(20, self._writer.fullwidth - 1)  # in the last column, some terminals go on to the next line
            shown = line if len(line) <= width else line[: width - 1] + "…"
            self._raw(("\n" if first else "\r") + shown.ljust(width))

        self._past_capture(write)

    def log(self, line: str) -> None:
        """Write the line below the current one, to stay."""

        def write() -> None:
            self._reporter.ensure_newline()
            self._writer.line(line)
            self._writer.flush()

        self._past_capture(write)

    @property
    def _writer(self) -> Any:
        return self._reporter._tw

    def _clear(self) -> None:
        """Take the line away and go back to where pytest was in the one above."""
        writer = self._writer
        at = writer.width_of_current_line % writer.fullwidth
        self._raw("\r\x1b[K\x1b[A" + (f"\x1b[{at}C" if at else ""))

    def _raw(self, text: str) -> None:
        """Write behind pytest's back: it counts the characters of its line."""
        self._writer._file.write(text)
        self._writer._file.flush()

    def _past_capture(self, write: Callable[[], None]) -> None:
        if self._capture is None:
            write()
        else:
            with self._capture.global_and_fixture_disabled():
                write()


class Check:
    """One check on the screen."""

    def __init__(self, screen: Screen, what: str, started: float | None = None) -> None:
        self.drawn = False
        self._screen, self._what = screen, what
        self._started = self._next = time.monotonic() if started is None else started
        self._next += PATIENCE

    def tell(self, words: str) -> None:
        """Say where the check is: shown if it has taken long, and not too often."""
        now = time.monotonic()
        if self._screen.silent or now < self._next:
            return
        line = f"{self._what}: {words}, {now - self._started:.0f} s"
        if self._screen.interactive:
            self._screen.draw(line, first=not self.drawn)
            self.drawn, self._next = True, now + REDRAWN
        else:
            self._screen.log(line)
            self._next = now + LOGGED


class Progress:
    """What the running test is doing, over all of its runs: how many of them, at which check, what is fetched or compared.

    Where nothing is told, it costs a look at the clock for each test.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._item: pytest.Item | None = None
        self._started = 0.0
        self._stage = ""
        self._check: Check | None = None
        self._screen: Screen | None = None

    def begin(self, item: pytest.Item) -> None:
        """Begin with a test; its further runs are the same one."""
        if item is not self._item:
            self._item, self._started, self._stage, self._check = item, time.monotonic(), "", None

    def stage(self, words: str) -> None:
        """Say which of its runs the test is in."""
        self._stage = words
        self.tell("")

    def tell(self, words: str) -> None:
        """Say where it is: shown if the test has taken long, and not too often."""
        if self._item is None or time.monotonic() - self._started < PATIENCE:
            return
        if self._check is None:
            self._screen = Screen(self._config)
            self._check = Check(self._screen, self._item.name, self._started)
        self._check.tell(", ".join(filter(None, (self._stage, words))))

    def clear(self) -> None:
        """Leave the screen to pytest, which is about to write."""
        if self._check is not None and self._screen is not None:
            self._screen.clear(self._check)
