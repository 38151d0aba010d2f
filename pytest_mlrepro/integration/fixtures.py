"""The fixtures: each is one lazy import and one constructor."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from .phases import Phases

if TYPE_CHECKING:
    import numpy as np

    from ..fingerprints import Fingerprint
    from ..golden.case import GoldenCase
    from ..golden.contracting import Contracting
    from ..golden.drifting import Drifting
    from ..pipeline.recorder import Pipeline
    from ..provenance.gather import Sources
    from ..provenance.record import Area
    from .robustness import Robustness

__all__ = ["Fingerprinting", "Fixtures", "Repro"]


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
        """Hold an intermediate value of the runs of this test against each other, bit for bit.

        A test runs several times if its marker has `reruns` or `vary`, and when its goldens are recorded; the first
        checkpoint (or check) at which the runs part is named. In other runs this does nothing. A name may come again, as
        in a training loop. FingerprintError for a value of a kind that has no stable form.
        """
        __tracebackhide__ = True
        self._phases.checkpoint(name, value)


class Fingerprinting:
    """Fingerprints that a test asks for; each is recorded with its golden as something that the result was made from."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def __call__(self, value: object, *, name: str | None = None) -> Fingerprint:
        """Return the fingerprint of a value, of the file that a `Path` names, or of code, and record it.

        name: what failures call it; without one it is called `fingerprint`, `fingerprint [2]` and so on, a file by its path.
        """
        from ..fingerprints import fingerprint

        found = fingerprint(value)
        return self._note_code(found) if found.kind == "code" else self._note("data", value, found, name)

    def code(self, function: object) -> Fingerprint:
        """Return the fingerprint of the code that a function, class or module reaches in the project, and record it."""
        from ..fingerprints.code import fingerprint_code

        return self._note_code(fingerprint_code([function], project=self._sources.root))

    def data(self, data: object, *, name: str | None = None) -> Fingerprint:
        """Return the fingerprint of a table, an array, another value, or a file or folder by its path, and record it.

        A path (`Path` or text) is relative to the folder of the test's file or the root directory.
        """
        return self._of("data", data, name)

    def artifact(self, artifact: object, *, name: str | None = None) -> Fingerprint:
        """Return the fingerprint of a model: a live one by its content, a file by its bytes, never loaded; and record it."""
        return self._of("artifacts", artifact, name)

    def environment(self) -> Fingerprint:
        """Return the environment of this process; what the test's code uses of it is recorded anyway."""
        from ..fingerprints.environment import fingerprint_environment

        return fingerprint_environment()

    def _of(self, area: Literal["data", "artifacts"], value: object, name: str | None) -> Fingerprint:
        path = self._sources.path(value) if isinstance(value, str | os.PathLike) else None
        return self._note(area, path or value, self._sources.fingerprint(path or value, area), name)

    def _note(self, area: Area, value: object, found: Fingerprint, name: str | None) -> Fingerprint:
        self._sources.ask(area, name or (self._sources.name(value) if isinstance(value, Path) else None), found)
        return found

    def _note_code(self, found: Fingerprint) -> Fingerprint:
        for name, part in found.parts:
            self._sources.ask("code", name, part)
        return found


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

    @pytest.fixture
    def pipeline(self) -> Pipeline:
        """Give this test's pipeline: `pipeline.step(name, fn, *args)` runs a step and compares it with what was recorded."""
        return self._phases.open_pipeline()

    @pytest.fixture
    def drift(self) -> Drifting:
        """Give this test's drift checks: `drift.check(frame, reference="train")` compares with a recorded profile."""
        return self._phases.open_drift()

    @pytest.fixture
    def contract(self) -> Contracting:
        """Give this test's contracts: `contract.check(frame, "train")`; `contract.check_split(train=…, test=…)`."""
        return self._phases.open_contract()

    @pytest.fixture
    def robustness(self) -> Robustness:
        """Give this test's robustness checks: `robustness.check(model, inputs, labels, threat, min_accuracy=…)`."""
        return self._phases.open_robustness()

    @pytest.fixture
    def fingerprint(self) -> Fingerprinting:
        """Give fingerprints of code, data, artifacts and environment, each recorded with the test's golden."""
        return Fingerprinting(self._phases.sources())
