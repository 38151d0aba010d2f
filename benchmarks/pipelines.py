"""What `pipeline.step` adds to a call, beside `joblib.Memory`, which also digests arguments and keeps results."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from measuring import Sample, interleaved, timed
from showing import Row, Target, show

from pytest_mlrepro.pipeline.after import Check, Made, Surroundings
from pytest_mlrepro.pipeline.cache import StepCache
from pytest_mlrepro.pipeline.facts import Step
from pytest_mlrepro.pipeline.recorder import Pipeline
from pytest_mlrepro.tracking import FileTracker

PEER = "joblib.Memory, stored"


class Passing:
    """The book of a test that passes: no step is looked into any further."""

    def claim(self, name: str) -> None:
        """Take any name."""

    def wants(self, step: Step) -> bool:
        """Ask for nothing."""
        return False

    def take(self, made: Made, value: Any, check: Check) -> None:
        """Keep nothing."""


def same(value: Any) -> Any:
    """Stand for a step that takes no time."""
    return value


def measure(*, quick: bool) -> list[Row]:
    """Print and return what a step costs above its function."""
    rounds, calls = (1, 2) if quick else (15, 20)
    rng = np.random.default_rng(5)
    size = 1 << (16 if quick else 22)
    values = {
        "a configuration": {"lr": 1e-3, "layers": [64, 32, 10], "name": "digits", "split": (0.8, 0.2)},
        "an array of 8 KB": rng.random(1000),
        f"an array of {size * 8 >> 20} MiB": rng.random(size),
    }
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, FileTracker([Path(folder)]) as tracker:
        memory = joblib.Memory(folder, verbose=0, mmap_mode=None).cache(same)
        for what, value in values.items():
            rows += _rows(what, value, memory, tracker, Path(folder), rounds, calls)
    note = f"The function returns its argument at once. Medians of {rounds} interleaved rounds."
    return show("A step of a pipeline", rows, note)


def _rows(
    what: str, value: Any, memory: Callable[..., Any], tracker: FileTracker, folder: Path, rounds: int, calls: int
) -> Iterator[Row]:
    memory(value)
    plain = Pipeline(Passing(), Surroundings((folder,), tracker.tracking))
    stored = Pipeline(Passing(), Surroundings((folder,), tracker.tracking, cache=StepCache(folder / "steps")))
    stored.step("step", same, value, cache=True)
    works: dict[str, Callable[[], Sample]] = {
        "step": partial(_timed, partial(plain.step, "step", same, value), calls),
        "cached": partial(_timed, partial(stored.step, "step", same, value, cache=True), calls),
        "peer": partial(_timed, partial(memory, value), calls),
    }
    cost = interleaved(works, rounds)
    small = not isinstance(value, np.ndarray)  # joblib pickles it in a few microseconds; a step has its fixed costs
    target = Target(2.0 if small else 1.0, of="ratio")
    yield Row(f"{what}: pipeline.step", cost["step"], PEER, cost["peer"], target=target)
    yield Row(f"{what}: cache=True, stored", cost["cached"], PEER, cost["peer"])


def _timed(work: Callable[[], object], calls: int) -> Sample:
    def all_calls() -> None:
        for _ in range(calls):
            work()

    return timed(all_calls) / calls
