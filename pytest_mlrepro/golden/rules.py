"""What a check holds a value to: within tolerances of the recorded one, or distributed like it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from .._json import Json
from ..compare.difference import Comparison
from ..compare.explain import explain
from ..compare.tolerance import (
    CALIBRATED,
    Tolerances,
    loosened,
    origin_text,
    require_used,
    tighter,
    to_json,
)
from ..compare.walk import compare, leaf_paths, leaves
from ..values.node import Node
from .record import CONTRACT, DRIFT, RATCHET, RATE, Recorded

__all__ = ["Judgement", "Rule", "Within"]

WITHIN: Final = "the value is within what was allowed when it was recorded."


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of holding a value against the recorded one."""

    change: str = ""
    """The greatest difference in one line; "" when the value is within what is allowed."""
    details: str = ""
    looser: tuple[str, ...] = ()
    """What is allowed now and was not when the value was recorded, in sentences."""
    remark: str = ""
    """What a check that passed has to say."""
    concludes: bool = False
    """Whether `change` is the conclusion: other data is what a drift check is about, and no reason for it."""
    comparison: Comparison | None = None
    """Of values that are compared element by element."""

    @property
    def words(self) -> str:
        """Return all of what differs, in lines."""
        return "\n".join([self.details if self.change else WITHIN, *self.looser])


class Rule(Protocol):
    """How one check is decided; `json` is kept with its golden, since loosening it is a change to be accepted."""

    @property
    def json(self) -> Mapping[str, Json]:
        """Return what is allowed, as plain data."""

    def begin(self, node: Node) -> None:
        """Look at a value that is not recorded yet; raise UsageError for a rule that doesn't fit it."""

    def same(self, node: Node) -> str:
        """Return what a check has to say whose value is the recorded one, to the last bit."""

    def judge(self, recorded: Recorded, folder: Path, node: Node) -> Judgement:
        """Hold a value against the recorded one, whose arrays lie in `folder`."""


@dataclass(frozen=True, slots=True)
class Within:
    """Within tolerances of the recorded value.

    origin: what the tolerances were calibrated from, as `calibrated` writes it; None for those that a person gave.
    """

    asked: Tolerances
    origin: Json = None

    @property
    def json(self) -> Mapping[str, Json]:
        """Return what is allowed, as plain data."""
        data = to_json(self.asked)
        return data if self.origin is None else {**data, CALIBRATED: self.origin}

    def begin(self, node: Node) -> None:
        """Raise UsageError for a glob that matches nothing."""
        require_used(self.asked, leaf_paths(node))

    def same(self, node: Node) -> str:
        """Return nothing: equal is equal."""
        return ""

    def judge(self, recorded: Recorded, folder: Path, node: Node) -> Judgement:
        """Compare within the tighter of what is asked and what was recorded."""
        # then the kinds differ, and nothing else needs telling
        was_sample = not recorded.tolerance.keys().isdisjoint((RATE, DRIFT, RATCHET, CONTRACT))
        looser = () if was_sample else loosened(recorded.tolerances, self.asked, leaves(node))
        if self.origin is not None and CALIBRATED not in recorded.tolerance:
            looser = (f"the tolerance is {origin_text(self.origin)}, and was given before", *looser)
        # a tolerance that was learned anew counts once it is recorded: a narrower one is no reason to fail
        learned = self.origin is not None and CALIBRATED in recorded.tolerance
        allowed = recorded.tolerances if learned else tighter(recorded.tolerances, self.asked)
        comparison = compare(recorded.node(folder), node, allowed)
        if comparison.ok:
            return Judgement(looser=looser, comparison=comparison)
        return Judgement(comparison.headline, explain(comparison), looser, comparison=comparison)
