"""What a seeded test pays: entering, seeding three phases and leaving, against saving and seeding by hand.

Prints medians of interleaved rounds and their ratios: on a shared machine only the ratios mean something.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from pytest_mlrepro.seeding import SeedScope

NAMES = ("hand", "scope", "plain", "seeded", "urandom", "seeded_urandom")


def by_scope() -> None:
    """Go through the life of a seeded test."""
    scope = SeedScope(5)
    scope.enter()
    for phase in ("setup", "call", "teardown"):
        scope.reseed(phase)
    scope.exit()


def by_hand() -> None:
    """Do for the global generators what careful people write in a fixture."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    for _ in range(4):
        random.seed(5)
        np.random.seed(5)
        torch.manual_seed(5)
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])


def generator() -> None:
    """Make an unseeded generator, the dearest thing that a scope touches."""
    np.random.default_rng()


def median(work: Callable[[], object], turns: int) -> float:
    """Return the median time of one call, µs."""
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def main() -> None:
    """Measure and print."""
    rounds: dict[str, list[float]] = {name: [] for name in NAMES}
    by_scope()
    for _ in range(20):
        rounds["hand"].append(median(by_hand, 50))
        rounds["scope"].append(median(by_scope, 200))
        rounds["plain"].append(median(generator, 200))
        rounds["urandom"].append(median(lambda: os.urandom(16), 200))
        with SeedScope(5):
            rounds["seeded"].append(median(generator, 200))
            rounds["seeded_urandom"].append(median(lambda: os.urandom(16), 200))
    cost = {name: statistics.median(times) for name, times in rounds.items()}
    for text, ours, theirs in (
        ("enter + 3 reseeds + exit, against by hand", "scope", "hand"),
        ("unseeded default_rng(), in a scope against outside", "seeded", "plain"),
        ("os.urandom(16), in a scope against outside", "seeded_urandom", "urandom"),
    ):
        print(f"{text:52s} {cost[ours]:7.1f} µs {cost[theirs]:7.1f} µs   ratio {cost[ours] / cost[theirs]:.3f}")


if __name__ == "__main__":
    main()
