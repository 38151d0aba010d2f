"""What the ladder needs of whoever can run a test, and what it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..fingerprints import Fingerprint
from .runs import Apart, Run
from .vary import Variation

__all__ = ["Explained", "Runner"]


class Runner(Protocol):
    """Runs the test once more, and never raises for what the test does."""

    def here(self, run: Run, *, trace: Path | None = None) -> None:
        """Run it in this process, under the run's variation."""

    def anew(self, run: Run) -> None:
        """Run it in this process with wider fixtures, but for those of the session, made anew."""

    def there(
        self,
        run: Run,
        variations: Sequence[Variation],
        *,
        trace: Path | None = None,
        after: Sequence[str] = (),
        fresh: bool = False,
    ) -> None:
        """Run it in a child under these variations, after these tests; `fresh`: in one that has run nothing else."""

    def reversed(self, run: Run) -> None:
        """Run it in a child that runs the tests of its module backwards."""

    def state(self) -> dict[str, Fingerprint]:
        """Return fingerprints of what outlives a run: values of wider fixtures and names of the test's module."""

    def before(self) -> list[str]:
        """Return the tests that ran before it in this process, in order."""

    def after(self) -> list[str]:
        """Return the tests of its module that come later, backwards."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A difference after it was looked into."""

    apart: Apart
    evidence: tuple[str, ...] = ()
