"""A pipeline without a golden: its steps go into a list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_mlrepro.errors import UsageError
from pytest_mlrepro.pipeline.after import Check, Made, Surroundings
from pytest_mlrepro.pipeline.facts import Step
from pytest_mlrepro.pipeline.recorder import Pipeline

HERE = Path(__file__).parent


class ListBook:
    """A book that keeps every step with all that is known of it."""

    def __init__(self, *, wanted: bool = True) -> None:
        self.made: dict[str, Made] = {}
        self.values: dict[str, Any] = {}
        self.checks: dict[str, Check] = {}
        self.names: set[str] = set()
        self.wanted = wanted

    def claim(self, name: str) -> None:
        if name in self.names:
            raise UsageError(f"a second step named {name!r}")
        self.names.add(name)

    def wants(self, step: Step) -> bool:
        return self.wanted

    def take(self, made: Made, value: Any, check: Check) -> None:
        self.made[made.step.name] = made
        self.values[made.step.name] = value
        self.checks[made.step.name] = check

    @property
    def steps(self) -> list[Step]:
        return [made.step for made in self.made.values()]

    def __getitem__(self, name: str) -> Step:
        return self.made[name].step

    def ties(self, name: str) -> dict[str, list[str]]:
        """Return the sources of each input that has some, in short: `load['X']`, `(clean)` if changed since."""
        return {
            given.name: [
                f"{'~' if tie.changed else ''}{tie.step}{tie.place}{' as ' + tie.at if tie.at else ''}"
                for tie in given.ties
            ]
            for given in self[name].inputs
            if given.ties
        }


def new_pipeline(*, wanted: bool = False, **around: Any) -> tuple[Pipeline, ListBook]:
    book = ListBook(wanted=wanted)
    return Pipeline(book, Surroundings((HERE,), **around)), book
