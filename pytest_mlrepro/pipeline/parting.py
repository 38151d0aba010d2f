"""Where two runs of a pipeline part: the first step whose output differs, what follows from it, and what differs by itself.

Steps are looked at in the order in which they ended, which is a topological order: an input can only come from a step
that ended before. An outer step ends after those inside it, so that the inner one is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .facts import Input, Step
from .opened import first_inside

__all__ = ["Parted", "Parting", "depends_on", "parting"]


@dataclass(frozen=True, slots=True)
class Parted:
    """One step whose output differs, and what of it was the same."""

    name: str
    inputs: tuple[str, ...]
    """Names of the inputs (and files) that differ."""
    code: bool
    """Whether the code differs, or isn't known on one side."""
    environment: bool
    follows: tuple[str, ...] = ()
    """The steps that differ and that its differing inputs come from; () for one that parts by itself."""
    inside: tuple[str, ...] = ()
    """The way to the first step inside of an estimator that differs."""
    kind: tuple[str, str] | None = None
    """What it gave then and now, if that is another kind of thing."""

    @property
    def repeats(self) -> bool:
        """Whether something that it is made of differs, so that it may still be reproducible."""
        return bool(self.inputs) or self.code or self.environment


@dataclass(frozen=True, slots=True)
class Parting:
    """All that differs between two runs."""

    roots: tuple[Parted, ...] = ()
    """Steps that part by themselves, in topological order: the first of them is the first step that parts."""
    consequences: tuple[Parted, ...] = ()
    """Steps that differ with inputs from steps that differ."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    """Old and new names of steps that are the same in all else; they are among `added` and `removed` too."""
    same: tuple[str, ...] = ()

    @property
    def first(self) -> Parted | None:
        """The first step that parts."""
        return self.roots[0] if self.roots else None

    def following(self, name: str) -> tuple[Parted, ...]:
        """Return the consequences of one step: what differs and comes from it, directly or by other consequences."""
        reached = {name}
        found = []
        for parted in self.consequences:  # in topological order, so one pass is enough
            if not reached.isdisjoint(parted.follows):
                reached.add(parted.name)
                found.append(parted)
        return tuple(found)


def parting(old: Sequence[Step], new: Sequence[Step]) -> Parting:
    """Hold the steps of two runs against each other, both in the order in which they ended."""
    before, after = {step.name: step for step in old}, {step.name: step for step in new}
    differing = [step for step in new if step.name in before and step.output != before[step.name].output]
    names = {step.name for step in differing}
    parted = [_parted(before[step.name], step, names, new) for step in differing]
    added = tuple(name for name in after if name not in before)
    removed = tuple(name for name in before if name not in after)
    return Parting(
        roots=tuple(found for found in parted if not found.follows),
        consequences=tuple(found for found in parted if found.follows),
        added=added,
        removed=removed,
        renamed=tuple(_renamed([before[name] for name in removed], [after[name] for name in added])),
        same=tuple(name for name in after if name in before and name not in names),
    )


def _parted(old: Step, new: Step, differing: set[str], steps: Sequence[Step]) -> Parted:
    changed = [given for given in _given(new) if _digest_in(old, given) != given.digest]
    gone = [given.name for given in _given(old) if given.name not in {now.name for now in _given(new)}]
    sources = {tie.step for given in changed for tie in given.ties}
    inner = {step.name for step in steps if step.inside == new.name}
    follows = tuple(name for name in dict.fromkeys((*sources, *inner)) if name in differing)
    return Parted(
        new.name,
        tuple([given.name for given in changed] + gone),
        code=old.code != new.code or new.code is None,
        environment=old.environment != new.environment,
        follows=tuple(sorted(follows, key=[step.name for step in steps].index)),
        inside=first_inside(old.opened, new.opened),
        kind=(_kind(old), _kind(new)) if _kind(old) != _kind(new) else None,
    )


def _given(step: Step) -> Iterator[Input]:
    yield from step.inputs
    yield from step.files


def _digest_in(step: Step, given: Input) -> str | None:
    return next((other.digest for other in _given(step) if other.name == given.name), None)


def _kind(step: Step) -> str:
    return f"raised {step.raised}" if step.raised else step.kind


def _renamed(removed: Sequence[Step], added: Sequence[Step]) -> Iterator[tuple[str, str]]:
    """Yield the old and the new name of each step that gave the same from the same inputs, each once."""
    left = list(removed)
    for step in added:
        for other in left:
            if step.output == other.output and [i.digest for i in step.inputs] == [i.digest for i in other.inputs]:
                yield other.name, step.name
                left.remove(other)
                break


def depends_on(steps: Sequence[Step]) -> Mapping[str, tuple[str, ...]]:
    """Return, for each step, the steps that it comes from: by its inputs, by files, and those that ran inside it."""
    inner = {step.name: tuple(other.name for other in steps if other.inside == step.name) for step in steps}
    return {step.name: tuple(dict.fromkeys((*step.sources, *inner[step.name]))) for step in steps}
