"""How things are measured: interleaved rounds and medians, in this process or over whole child processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Sample", "interleaved", "median", "process", "pytest_process", "timed"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run took, in seconds and bytes."""

    wall: float
    cpu: float
    """User and system time, of all threads: what a shared machine disturbs least."""
    peak: int = 0
    """Greatest resident memory of a whole process."""

    def __sub__(self, other: Sample) -> Sample:
        return Sample(self.wall - other.wall, self.cpu - other.cpu, self.peak - other.peak)

    def __truediv__(self, number: float) -> Sample:
        return Sample(self.wall / number, self.cpu / number, self.peak)


def process(arguments: list[str], *, folder: Path, failing: bool = False) -> Sample:
    """Run a child process to its end; raise RuntimeError with its output if it fails and was not said to."""
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0"}
    here = str(Path(__file__).parent)  # of the plugin `clock`
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [here, environment.get("PYTHONPATH")]))
    output = folder / "output.txt"
    with output.open("wb") as file:
        start = time.perf_counter()
        child = subprocess.Popen(arguments, cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if bool(child.returncode) is not failing:
        raise RuntimeError(f"{arguments} ended with {child.returncode}:\n{output.read_text(errors='replace')[-3000:]}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale)


def pytest_process(folder: Path, *options: str, plugins: tuple[str, ...] = (), failing: bool = False) -> Sample:
    """Run pytest over `folder` with these plugin modules and no others."""
    named = [part for plugin in ("no:cacheprovider", *plugins) for part in ("-p", plugin)]
    return process([sys.executable, "-m", "pytest", "-q", *named, *options], folder=folder, failing=failing)


def timed(work: Callable[[], object]) -> Sample:
    """Time one call in this process."""
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return Sample(time.perf_counter() - start, time.process_time() - cpu)


def interleaved(works: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, Sample]:
    """Measure each work once a round, every second round backwards, and return medians; one round before is not counted."""
    names = list(works)
    found: dict[str, list[Sample]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name in names if number % 2 else reversed(names):
            sample = works[name]()
            if number:
                found[name].append(sample)
    return {name: median(samples) for name, samples in found.items()}


def median(samples: list[Sample]) -> Sample:
    """Return the median of each field by itself."""
    return Sample(
        statistics.median(sample.wall for sample in samples),
        statistics.median(sample.cpu for sample in samples),
        round(statistics.median(sample.peak for sample in samples)),
    )
