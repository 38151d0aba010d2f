"""What is known of a step once it has run: digests and the steps that its inputs came from; no value, no time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .._json import Json
from ..errors import GoldenError

__all__ = ["Input", "Part", "Step", "Tie", "step_from_json", "step_to_json"]


@dataclass(frozen=True, slots=True)
class Tie:
    """Says that an input, or a part of it, is what an earlier step gave, or a part of that."""

    step: str
    place: str = ""
    """The part of that step's output: `['X']`, `[0]`; "" for all of it, `self` for an object that it changed in place."""
    at: str = ""
    """The part of the input that it is; "" for all of it."""
    changed: bool = False
    """Whether the object is the one that the step gave, and its content no longer is: somebody changed it in place."""


@dataclass(frozen=True, slots=True)
class Input:
    """One argument of a step, or a file that it read."""

    name: str
    digest: str
    kind: str
    ties: tuple[Tie, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A step inside an estimator that is made of steps, such as scikit-learn's `Pipeline`."""

    name: str
    kind: str
    digest: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it ran."""

    name: str
    output: str
    """Digest of what it gave: its return value, with the arguments that it changed in place."""
    kind: str
    inputs: tuple[Input, ...] = ()
    files: tuple[Input, ...] = ()
    """Files that it read; their ties are the steps that wrote them."""
    code: str | None = None
    """Digest of the function and what it reaches in the project; None where that is not known."""
    environment: str | None = None
    """Digest of the environment with the packages that the code imports."""
    inside: str | None = None
    """The step in which it ran."""
    effects: tuple[str, ...] = ()
    """Names of the arguments that it changed in place."""
    opened: tuple[Part, ...] = ()
    raised: str = ""
    """The type of the error that it ended with."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the steps that its inputs come from, each once, in order."""
        ties = (tie.step for given in (*self.inputs, *self.files) for tie in given.ties)
        return tuple(dict.fromkeys(ties))


def step_to_json(step: Step) -> dict[str, Json]:
    """Return what JSON can hold of a step; fields that say nothing are left out."""
    data: dict[str, Json] = {"name": step.name, "output": step.output, "kind": step.kind}
    data |= {"code": step.code, "environment": step.environment}
    data["inputs"] = [_input_json(given) for given in step.inputs]
    optional: dict[str, Json] = {
        "files": [_input_json(given) for given in step.files],
        "inside": step.inside,
        "effects": list(step.effects),
        "opened": [_part_json(part) for part in step.opened],
        "raised": step.raised,
    }
    return data | {name: value for name, value in optional.items() if value}


def step_from_json(data: Json) -> Step:
    """Return the step that `step_to_json` was given; raises GoldenError for what is no step."""
    try:
        return Step(
            name=_text(data["name"]),
            output=_text(data["output"]),
            kind=_text(data["kind"]),
            inputs=tuple(map(_input, data["inputs"])),
            files=tuple(map(_input, data.get("files", ()))),
            code=_text(data["code"], optional=True) or None,
            environment=_text(data["environment"], optional=True) or None,
            inside=_text(data.get("inside"), optional=True) or None,
            effects=tuple(map(_text, data.get("effects", ()))),
            opened=tuple(map(_part, data.get("opened", ()))),
            raised=_text(data.get("raised"), optional=True),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise GoldenError(f"a step of the golden is damaged ({error}): put it back from version control") from None


def _input_json(given: Input) -> dict[str, Json]:
    data: dict[str, Json] = {"name": given.name, "digest": given.digest, "kind": given.kind}
    if given.ties:
        data["from"] = list(map(_tie_json, given.ties))
    return data


def _tie_json(tie: Tie) -> dict[str, Json]:
    data: dict[str, Json] = {"step": tie.step, "place": tie.place, "at": tie.at, "changed": tie.changed}
    return {name: value for name, value in data.items() if value}


def _input(data: Mapping[str, Json]) -> Input:
    ties = (
        Tie(_text(tie["step"]), _text(tie.get("place", "")), _text(tie.get("at", "")), bool(tie.get("changed")))
        for tie in data.get("from", ())
    )
    return Input(_text(data["name"]), _text(data["digest"]), _text(data["kind"]), tuple(ties))


def _part_json(part: Part) -> dict[str, Json]:
    data: dict[str, Json] = {"name": part.name, "kind": part.kind, "digest": part.digest}
    if part.parts:
        data["parts"] = [_part_json(inner) for inner in part.parts]
    return data


def _part(data: Mapping[str, Json]) -> Part:
    return Part(_text(data["name"]), _text(data["kind"]), _text(data["digest"]), _parts(data.get("parts", ())))


def _parts(data: Iterable[Mapping[str, Json]]) -> tuple[Part, ...]:
    return tuple(map(_part, data))


def _text(value: Json, *, optional: bool = False) -> str:
    if optional and value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"some text is expected where {type(value).__name__} stands")
    return value


def by_name(steps: Iterable[Step]) -> dict[str, Step]:
    """Return steps by their names, in order."""
    return {step.name: step for step in steps}


def walk_parts(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield parts and those inside them."""
    for part in parts:
        yield part
        yield from walk_parts(part.parts)
