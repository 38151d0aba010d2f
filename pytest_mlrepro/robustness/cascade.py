"""One attack over many samples: in batches of one length, in shards that any executor can take, each find checked.

A model's outputs vary by some ulps with the length of a batch, so a torch model gets batches of one length, filled up
with repeats. With generators of each sample's own, that makes a sample's result independent of order and shards.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import MlreproError
from .attacks.base import Attack, Batch
from .inputs import Floats
from .models import Meter, Model
from .network import Network
from .regions import Region
from .threats import Ball

__all__ = ["Done", "Job", "Shards", "padded", "work"]


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What one shard does, complete: it can be sent to another process or machine."""

    model: Model
    attack: Attack
    ball: Region
    batch: Batch
    rows: int
    """The length of the batches."""


@dataclass(slots=True, eq=False)
class Done:
    """What became of a shard's samples; the arrays are (samples, ...)."""

    broken: NDArray[np.bool_]
    points: Floats
    scores: NDArray[np.float64]
    """The model's last word on each point."""
    evaluations: int = 0
    gradients: int = 0
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list)


def work(job: Job) -> Done:
    """Run the attack over the shard batch by batch, so that memory is bounded by a batch and not by the shard."""
    start, meter = time.perf_counter(), Meter(job.model, refusing=not isinstance(job.ball, Ball))
    parts = []
    for first in range(0, len(job.batch.x), job.rows):
        rows = np.arange(first, min(first + job.rows, len(job.batch.x)))
        parts.append(_attacked(job, meter, rows))
    joined = [np.concatenate(part) for part in zip(*parts, strict=True)]
    took = time.perf_counter() - start
    return Done(joined[0], joined[1], joined[2], meter.evaluations, meter.gradients, took, meter.errors)


def padded(rows: NDArray[np.intp], length: int, model: Model) -> NDArray[np.intp]:
    """Return row numbers filled up to the length by repeating the last, for a model whose outputs vary with it."""
    missing = length - len(rows) if isinstance(model, Network) else 0
    return np.concatenate([rows, np.repeat(rows[-1:], max(0, missing))])


def _attacked(job: Job, meter: Meter, rows: NDArray[np.intp]) -> tuple[NDArray[np.bool_], Floats, NDArray[np.float64]]:
    batch = job.batch.take(padded(rows, job.rows, job.model))
    try:
        candidates = job.attack(meter, batch, job.ball)
    except MlreproError:
        raise
    except Exception:  # noqa: BLE001  # whatever an attack does on one sample, the others must have their result
        candidates = _one_by_one(job, meter, rows, batch)
    points = job.ball.project(candidates, batch.x, job.model.rounded)
    scores = meter.decided(points)
    broken = batch.goal.broken(scores) & job.ball.contains(points, batch.x)
    count = len(rows)
    return broken[:count], points[:count], scores[:count]


def _one_by_one(job: Job, meter: Meter, rows: NDArray[np.intp], batch: Batch) -> Floats:
    """Find out which samples the attack fails on, and leave those as they are."""
    candidates = batch.x.copy()
    for at, row in enumerate(rows):
        try:
            alone = job.batch.take(padded(np.array([row]), job.rows, job.model))
            candidates[at] = job.attack(meter, alone, job.ball)[0]
        except MlreproError:
            raise
        except Exception as own:  # noqa: BLE001  # as above
            meter.errors.append(f"{type(own).__name__}: {own}")
    return candidates


@dataclass(frozen=True, slots=True)
class Shards:
    """Where the work goes: here, or through an executor in so many pieces at a time."""

    executor: Executor | None
    pieces: int

    def run(self, jobs: list[Job]) -> Iterator[Done]:
        """Yield the results in the order of the jobs."""
        if self.executor is None:
            yield from map(work, jobs)
            return
        futures = [self.executor.submit(work, job) for job in jobs]
        try:
            yield from (future.result() for future in futures)
        finally:
            for future in futures:
                future.cancel()
