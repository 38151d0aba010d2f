"""What a seeded test pays: entering, seeding three phases and leaving, against saving and seeding by hand."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from measuring import Sample, interleaved, median, timed
from showing import Row, Target, show

from pytest_mlrepro.seeding import SeedScope


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


def urandom() -> None:
    """Ask for entropy, as `uuid` and `secrets` do."""
    os.urandom(16)


def middle(work: Callable[[], object], turns: int) -> Sample:
    """Return the median of a number of calls."""
    return median([timed(work) for _ in range(turns)])


def seeded(work: Callable[[], object], turns: int) -> Sample:
    """Return the median of a number of calls in a scope."""
    with SeedScope(5):
        return middle(work, turns)


def measure(*, quick: bool) -> list[Row]:
    """Print and return what a scope costs, against its peers by hand."""
    rounds = 2 if quick else 20
    by_scope()
    with SeedScope(5):
        generator()
    works = {
        "hand": partial(middle, by_hand, 50),
        "scope": partial(middle, by_scope, 200),
        "plain": partial(middle, generator, 200),
        "urandom": partial(middle, urandom, 200),
        "seeded": partial(seeded, generator, 200),
        "seeded_urandom": partial(seeded, urandom, 200),
    }
    cost = interleaved(works, rounds)
    rows = (
        Row("enter, 3 reseeds, exit", cost["scope"], "the same by hand", cost["hand"], target=Target(60)),
        Row("unseeded default_rng() in a scope", cost["seeded"], "outside", cost["plain"]),
        Row("os.urandom(16) in a scope", cost["seeded_urandom"], "outside", cost["urandom"]),
    )
    return show("Seeding, without pytest", rows, f"Medians of {rounds} interleaved rounds; numpy and torch are loaded.")
