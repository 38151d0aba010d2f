"""What is found out once a step has run: what it gave, which arguments it changed, and, if somebody asks, what it was made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

from ..compare.tolerance import Tolerance
from ..fingerprints import Fingerprint
from ..fingerprints.combined import combined
from .call import Call
from .facts import Input, Step, Tie
from .madeof import made_of, own_code
from .opened import opened
from .prints import can_change, print_of_error, print_of_input, print_of_output

if TYPE_CHECKING:
    from .cache import StepCache

__all__ = ["After", "Book", "Check", "Made", "Surroundings", "made"]

Check: TypeAlias = bool | Tolerance | Mapping[str, Tolerance] | Literal["calibrate"]
RETURN: Final = "return"
"""Label of the return value beside arguments that were changed in place."""


class Files(Protocol):
    """A stretch in which files were noted, as `tracking.Tracking` is."""

    @property
    def read(self) -> tuple[Path, ...]:
        """Files that were read."""

    @property
    def written(self) -> tuple[Path, ...]:
        """Files that were written."""


@dataclass(frozen=True, slots=True)
class Made:
    """A step that has run, with the fingerprints behind its digests."""

    step: Step
    inputs: Fingerprint
    """With the files that were read, if it was found out what the step is made of."""
    output: Fingerprint
    code: Fingerprint | None
    environment: Fingerprint | None
    seconds: float
    peak: int | None
    """Bytes of resident memory; None where nobody measured."""


class Book(Protocol):
    """Where steps are entered: the golden of a test, or a list of their facts."""

    def claim(self, name: str) -> None:
        """Reserve the name of a step that begins; raises UsageError for one that is taken."""

    def wants(self, step: Step) -> bool:
        """Tell whether code, environment and files of a step are to be found out, which takes milliseconds."""

    def take(self, made: Made, value: Any, check: Check) -> None:
        """Enter a step that has run, and what it gave."""


@dataclass(frozen=True)
class Surroundings:
    """What a pipeline knows of the run around it."""

    project: tuple[Path, ...] = ()
    """Folders whose code counts by its source; that of the function is among them anyway."""
    tracking: Callable[[], AbstractContextManager[Files]] | None = None
    file: Callable[[Path], tuple[str, Fingerprint]] | None = None
    """Returns name and fingerprint of a file that was read."""
    cache: StepCache | None = None
    memory: bool = False
    """Whether peaks of memory are measured."""


class After:
    """A step that has ended: what it was given, and what it gave or raised."""

    def __init__(
        self,
        facts: Step,
        call: Call,
        values: Mapping[str, Any],
        prints: Mapping[str, Fingerprint],
        value: Any,
        error: Exception | None,
        files: Files | None,
        spent: tuple[float, int | None],
    ) -> None:
        self.facts, self.call, self.values, self.prints = facts, call, values, prints
        self.value, self.error, self.files, self.spent = value, error, files, spent
        name = facts.name
        self.returned = print_of_output(value, name) if error is None else print_of_error(error)
        self.effects = {
            label: now
            for label, before in prints.items()
            if can_change(values[label], before)
            and (error is not None or values[label] is not value)
            and (now := print_of_input(label, values[label], name)).digest != before.digest
        }
        """The arguments that were changed in place, but for one that is also what was returned."""

    @property
    def output(self) -> Fingerprint:
        """The return value, with what was changed in place beside it."""
        if not self.effects:
            return self.returned
        return combined("step.output", [(RETURN, self.returned), *self.effects.items()])

    @property
    def kept(self) -> Any:
        """The same as a value."""
        if not self.effects:
            return self.value
        return {RETURN: self.value, **{label: self.values[label] for label in self.effects}}

    @property
    def step(self) -> Step:
        """The step as far as it is known without looking for what it was made of."""
        only_effects = self.returned.kind == "none" and len(self.effects) > 0
        return replace(
            self.facts,
            output=self.output.digest,
            kind=", ".join(found.kind for found in self.effects.values()) if only_effects else self.returned.kind,
            effects=tuple(self.effects),
            raised=type(self.error).__qualname__ if self.error is not None else "",
        )


def made(after: After, around: Surroundings, written: Mapping[Path, str], *, wanted: bool) -> Made:
    """Return the step, with its code, environment and files if they are wanted."""
    inputs = [(label, _worded(found, after.values[label])) for label, found in after.prints.items()]
    output, step = after.output, after.step
    if not wanted:
        return Made(step, combined("data", inputs), output, None, None, *after.spent)
    code, environment = made_of(after.call, after.values, around.project)
    files = list(_files(after, around, written))
    known = replace(
        step,
        files=tuple(given for given, _ in files),
        code=own_code(code),
        environment=environment.digest,
        opened=_opened(after),
    )
    whole = combined("data", [*inputs, *((given.name, found) for given, found in files)])
    return Made(known, whole, output, code, environment, *after.spent)


def _files(after: After, around: Surroundings, written: Mapping[Path, str]) -> Iterable[tuple[Input, Fingerprint]]:
    """Yield the files that a step read, but for those that it was given, which are inputs already."""
    if after.files is None or around.file is None:
        return
    given = {value.absolute() for value in after.values.values() if isinstance(value, Path)}
    for path in after.files.read:
        if not any(path == known or path.is_relative_to(known) for known in given):
            name, found = around.file(path)
            maker = written.get(path, after.facts.name)
            ties = () if maker == after.facts.name else (Tie(maker, place=name),)
            yield Input(name, found.digest, found.kind, ties), found


def _worded(found: Fingerprint, value: Any) -> Fingerprint:
    """Return the fingerprint of an input with its value as text if it is a number: a reason can say from what to what."""
    if type(value) not in (bool, int, float):
        return found
    return Fingerprint(found.digest, found.kind, text=str(value)[:40])


def _opened(after: After) -> tuple[Any, ...]:
    """Return the steps inside what was returned, or inside an argument that was changed in place."""
    inside = opened(after.value)
    for label in after.effects:
        inside = inside or opened(after.values[label])
    return inside
