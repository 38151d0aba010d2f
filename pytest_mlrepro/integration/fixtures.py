"""The fixtures: each is one lazy import and one constructor."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from .phases import Phases

if TYPE_CHECKING:
    import numpy as np

    from ..golden.case import GoldenCase

__all__ = ["Fixtures", "Repro"]


class Repro:
    """The seeded test, as the test sees it."""

    def __init__(self, phases: Phases) -> None:
        self._phases = phases

    @property
    def seed(self) -> int:
        """The seed of this test."""
        return self._phases.seed_plan().seed

    @cached_property
    def rng(self) -> np.random.Generator:
        """A generator of this test, seeded with its seed; the same object at each access."""
        import numpy as np

        return np.random.default_rng(self.seed)

    def checkpoint(self, name: str, value: object) -> None:
        """Hold an intermediate value of a recording's two runs against each other, bit for bit.

        When goldens are recorded the test runs twice; the first checkpoint (or check) at which the runs part is named. In
        other runs this does nothing. A name may come again, as in a training loop.
        """
        __tracebackhide__ = True
        self._phases.checkpoint(name, value)


class Fixtures:
    """A plugin by itself: methods know their run, where functions would ask for `request`, which pytest takes 40 µs to make."""

    def __init__(self, phases: Phases) -> None:
        self._phases = phases

    @pytest.fixture
    def repro(self) -> Repro:
        """Seed this test, and give its seed, a generator, and checkpoints."""
        return Repro(self._phases)

    @pytest.fixture
    def golden(self) -> GoldenCase:
        """Give this test's golden run: `golden.check(value, name)` compares with what was recorded."""
        return self._phases.open_golden()
