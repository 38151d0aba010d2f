"""One run of a test: what it came to, in order and put aside on disk, so that runs in any process can be held together."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from .._json import Json
from ..compare.difference import Comparison
from ..compare.tolerance import Tolerances, from_json, to_json
from ..compare.walk import compare
from ..errors import GoldenError
from ..fingerprints import fingerprint_node
from ..golden.codecs import decode
from ..golden.observer import Allowed
from ..golden.runs import apart_by_rule, has_rule
from ..golden.store import Staging
from ..values.node import Node
from .kept import EXACT
from .vary import Variation

__all__ = ["Apart", "Observed", "Outcome", "Run", "allowed", "at", "at_end", "first_difference", "told", "which"]

Outcome: TypeAlias = Literal["passed", "failed", "skipped", "missing", "crashed", "unfinished"]
FILE: Final = "run.json"
DEFAULT: Final = Tolerances()


@dataclass(frozen=True, slots=True)
class Observed:
    """One value that a run came to."""

    label: str
    """As failures call it: `golden 'loss'`, `checkpoint 'step'`."""
    digest: str
    tolerance: Json
    """What its check allows, as `compare.tolerance.to_json` writes it: `{}` for nothing of its own; None where it has no check."""
    value: Json = None
    """The value, its arrays in the run's folder; None where it is that of the run before, or can't be put aside."""


class Run:
    """What one run of a test came to."""

    def __init__(self, folder: Path, variation: Variation | None = None, *, base: Run | None = None) -> None:
        self.folder, self.variation = folder, variation
        self.base = base
        """An earlier run: a value that is equal to its value at the same place is not put aside twice."""
        self.seen: list[Observed] = []
        self.reached = -1
        """How many values there were when the body of the test had ended; -1 if it never did."""
        self.outcome: Outcome = "unfinished"
        self.words = ""
        """Why it failed or was skipped, in a line."""
        folder.mkdir(parents=True, exist_ok=True)
        self._staging = Staging(folder)

    def note(self, label: str, node: Node, allowed: Allowed) -> Observed:
        """Put a value aside as it is now: what the test does to it later changes nothing."""
        tolerance = to_json(allowed) if isinstance(allowed, Tolerances) else None if allowed is None else dict(allowed)
        digest, value = fingerprint_node(node).digest, None
        if self._twin(label).digest != digest:
            name = str(len(self.seen))
            try:
                self._staging.add(name, node, DEFAULT)
                value = self._staging.checks.pop(name).value
            except GoldenError:
                value = None  # it has a digest, and holds objects, which are never stored
        found = Observed(label, digest, tolerance, value)
        self.seen.append(found)
        return found

    def _twin(self, label: str) -> Observed:
        """Return what the run before came to at this place."""
        place = len(self.seen)
        if self.base is not None and place < len(self.base.seen) and self.base.seen[place].label == label:
            return self.base.seen[place]
        return Observed("", "", None)

    def node(self, place: int) -> Node | None:
        """Return a value again; None if it could not be put aside."""
        found = self.seen[place]
        if found.value is not None:
            return decode(found.value, lambda entry: self.folder / str(entry["file"]))
        if self.base is not None and place < len(self.base.seen) and self.base.seen[place].digest == found.digest:
            return self.base.node(place)
        return None

    def title(self, place: int) -> str:
        """Return what failures call a value: its label, and which of several."""
        label = self.seen[place].label
        times = Counter(one.label for one in self.seen[: place + 1])[label]
        return label if times == 1 else f"{label} (number {times} of that name)"

    def save(self) -> None:
        """Write everything but the arrays, which lie there already."""
        data = {
            "outcome": self.outcome,
            "words": self.words,
            "reached": self.reached,
            "seen": [[one.label, one.digest, one.tolerance, one.value] for one in self.seen],
        }
        (self.folder / FILE).write_text(json.dumps(data), "utf-8", errors="surrogatepass")

    def read(self) -> None:
        """Take over what another process saved in the folder; nothing if it didn't come so far."""
        try:
            data = json.loads((self.folder / FILE).read_text("utf-8", errors="surrogatepass"))
        except (OSError, ValueError):
            return
        self.outcome, self.words, self.reached = data["outcome"], data["words"], data["reached"]
        self.seen = [Observed(*entry) for entry in data["seen"]]


@dataclass(frozen=True, slots=True)
class Apart:
    """Where two runs part."""

    variation: Variation | None
    """What was varied; None for a plain rerun."""
    what: str
    """The value, or the test itself."""
    differs: Comparison | str
    """How the values differ, or a sentence where the runs took different ways."""
    place: int = -1
    """Which value of the first run it is; -1 for none."""
    proved: bool = True
    """Whether the variation is what brings the difference forth."""


def allowed(variation: Variation | None, tolerance: Json, *, lenient: bool = False) -> Tolerances:
    """Return how far two runs may be apart in a value: what its check says; else, unless bits are expected to differ, nothing.

    lenient: a recording that asks for no reruns is held to what its checks allow, since that is what later runs are held to.
    """
    if tolerance and not has_rule(tolerance):
        return from_json(tolerance)
    if variation is None:
        return DEFAULT if lenient and tolerance == {} else EXACT
    return EXACT if variation.exact else DEFAULT


def difference(first: Run, other: Run, place: int, within: Tolerances) -> Comparison | str | None:
    """Return how two runs differ in the value at `place` by more than is allowed, or None."""
    if first.seen[place].digest == other.seen[place].digest:
        return None
    one, two = first.node(place), other.node(place)
    if one is None or two is None:
        return "the digests differ; what holds objects can't be put aside, so there is no more to show"
    tolerance = first.seen[place].tolerance
    if has_rule(tolerance):
        return apart_by_rule(tolerance, one, two) or None
    found = compare(one, two, within)
    return None if found.ok else found


def at(first: Run, other: Run, place: int, *, lenient: bool = False) -> Apart | None:
    """Return how two runs part in what they came to at one place; None if they don't, or one of them never came there.

    The second run may be varied; how one ended that never came there is told by `at_end`.
    """
    if place >= len(first.seen) or place >= len(other.seen):
        return None
    label, also = first.seen[place].label, other.seen[place].label
    if label != also:
        differs: Comparison | str | None = f"the first run came to {label} where {which(other)} came to {also}."
    else:
        within = allowed(other.variation, first.seen[place].tolerance, lenient=lenient)
        differs = difference(first, other, place, within)
    return None if differs is None else Apart(other.variation, first.title(place), differs, place)


def at_end(first: Run, other: Run) -> Apart | None:
    """Return how one of two runs ended otherwise, or went further."""
    variation = other.variation
    if "unfinished" in (first.outcome, other.outcome):
        return None
    if first.outcome != other.outcome:
        ran = other.outcome not in ("crashed", "missing")
        return Apart(variation, "the test", f"the first run {told(first)}\n{which(other)} {told(other)}", proved=ran)
    shorter, longer = (first, other) if first.reached < other.reached else (other, first)
    if 0 <= shorter.reached < longer.reached:
        name, what = longer.seen[shorter.reached].label, longer.title(shorter.reached)
        one, two = (which(run) if run is other else "the first run" for run in (shorter, longer))
        return Apart(variation, what, f"{one} ended before it came to {name}, which {two} came to.", shorter.reached)
    return None


def first_difference(first: Run, other: Run, *, lenient: bool = False) -> Apart | None:
    """Return where two whole runs part, the first place that is found; None if they agree."""
    found = (at(first, other, place, lenient=lenient) for place in range(len(first.seen)))
    return next((one for one in found if one is not None), None) or at_end(first, other)


def told(run: Run) -> str:
    """Return how a run ended, in words that follow "the run"."""
    words = {
        "passed": "passed",
        "failed": "failed",
        "skipped": "was skipped",
        "missing": "found no such test",
        "crashed": "came to no end",
        "unfinished": "came to no end",
    }[run.outcome]
    return f"{words}{f': {run.words}' if run.words else '.'}"


def which(run: Run) -> str:
    """Return what failures call the second of two runs."""
    return "the second run" if run.variation is None else f"the run {run.variation.words}"
