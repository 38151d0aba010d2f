"""A plugin that clocks every test around all other hooks, and writes what each took to the file that `--clock` names."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from pathlib import Path

import pytest

__all__ = ["Clock", "pytest_addoption", "pytest_configure"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file's name."""
    parser.addoption("--clock", required=True)


def pytest_configure(config: pytest.Config) -> None:
    """Start with nothing measured."""
    config.pluginmanager.register(Clock(Path(config.getoption("--clock"))), "clock-times")


class Clock:
    """Wall and CPU seconds of each test, by the kind that its name starts with (`test_KIND_12`)."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.times: dict[str, list[tuple[float, float]]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Time a test from before its set-up to after its last report."""
        wall, cpu = time.perf_counter(), time.process_time()
        result = yield
        took = time.perf_counter() - wall, time.process_time() - cpu
        self.times.setdefault(item.name.split("_")[1], []).append(took)
        return result

    def pytest_unconfigure(self) -> None:
        """Write the file."""
        self.file.write_text(json.dumps(self.times), "utf-8")
