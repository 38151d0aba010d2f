"""What a search says to a person: the conclusion in the first lines, then what was tried and what wasn't."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ..provenance.words import joined, shorten
from .tries import Found, Try
from .units import Unit, Untried

__all__ = ["Verdict", "lines", "outcome_words"]

WIDTH: Final = 80
LABEL: Final = 44
NOTHING: Final = "nothing: as it is now"


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that is known at the end."""

    test: str
    found: Found
    tries: Sequence[Try]
    units: Sequence[Unit]
    """The suspects that could be put back."""
    untried: Sequence[Untried]
    notes: Sequence[str] = ()

    @property
    def carried(self) -> bool:
        """Tell whether it is known what carries the change."""
        return bool(self.found.carriers)


def lines(verdict: Verdict) -> Iterator[str]:
    """Yield the verdict in lines of 80 columns, but for what has no blank to be broken at."""
    yield from _wrapped(_conclusion(verdict), "")
    yield from _advice(verdict)
    if verdict.tries:
        yield ""
        yield from _table(verdict.tries)
    if verdict.untried:
        yield from ("", "not tried, since it can't be put back here:")
        for one in verdict.untried:
            yield from _wrapped(f"{one.label}: {one.why}", "  ")
    if verdict.notes:
        yield ""
        for note in verdict.notes:
            yield from _wrapped(note, "")


def _conclusion(verdict: Verdict) -> str:
    names = [unit.label for unit in verdict.found.carriers]
    test = verdict.test
    match verdict.found.answer:
        case "alone":
            return f"{names[0]} carries the change: with it put back, {test} passes"
        case "each":
            return f"{joined(names)} each carry the change: with any one of them put back, {test} passes"
        case "together":
            return (
                f"{joined(names)} carry the change together: "
                f"with {'both' if len(names) == 2 else f'all {len(names)}'} put back, {test} passes; with fewer it doesn't"
            )
        case "absent":
            return f"the difference does not appear here: {test} passes in a fresh copy of the project as it is now"
        case "broken":
            return f"{test} doesn't run in a copy of the project: {verdict.tries[-1].outcome.words}"
        case "by turns":
            return f"{test} passes and fails by turns, with the same things put back: it is not reproducible"
        case "not reproducible":
            return f"{test} is not reproducible: two runs of the project as it is now give different values"
        case "none" if not verdict.units:
            return f"nothing can be put back: what changed since {test} was recorded can't be had here"
        case _:
            return f"no carrier was found: with all put back that can be, {test} still doesn't pass"


def _advice(verdict: Verdict) -> Iterator[str]:
    match verdict.found.answer:
        case "absent":
            yield from _wrapped(
                "It is not reproducible, or it depends on what git doesn't know (ignored files, other folders), "
                "or on tests that run before it.",
                "",
            )
        case "broken":
            yield from _wrapped(
                "It may need files that git ignores, or options: give pytest's after --, as in  "
                "mlrepro explain --bisect TEST -- -p plugin",
                "",
            )
        case "by turns" | "not reproducible":
            yield from _wrapped(
                "What is put back can't be judged by it. Seed it (@pytest.mark.repro), or state a tolerance.", ""
            )
        case "none" if verdict.untried:
            yield from _wrapped("The cause is among what was not tried, or in what no provenance holds.", "")
        case "none":
            yield from _wrapped("The cause is in what no provenance holds: see docs/provenance.md.", "")


def _table(tries: Sequence[Try]) -> Iterator[str]:
    rows = [(_label(one), outcome_words(one)) for one in tries]
    width = max(len("put back"), *(min(len(label), LABEL) for label, _ in rows))
    yield f"  {'put back':<{width}}  outcome"
    for label, words in rows:
        start = f"  {shorten(label, LABEL):<{width}}  "
        yield from textwrap.wrap(words, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))
    for note in dict.fromkeys(f"{unit.label}: {unit.note}" for one in tries for unit in one.units if unit.note):
        yield from _wrapped(f"({note})", "  ")


def _label(one: Try) -> str:
    more = ", once more" if one.again else ""
    if not one.units:
        return NOTHING.replace(":", f"{more}:")
    names = [unit.label for unit in one.units]
    whole = " + ".join(names) + more
    return whole if len(whole) <= LABEL or len(names) == 1 else f"{len(names)} together: {names[0]} …{more}"


def outcome_words(one: Try) -> str:
    """Return how a try went."""
    outcome = one.outcome
    match outcome.kind:
        case "passes":
            return f"passes{f', {outcome.words}' if outcome.words else ''}"
        case "fails":
            return f"fails: {', '.join(name or 'the unnamed value' for name in outcome.failed)}"
        case "breaks":
            return f"breaks: {outcome.words}"


def _wrapped(text: str, indent: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
