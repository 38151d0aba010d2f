"""Two goldens side by side: why they differ, how far their values are apart, and what is the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ..golden.allowed import allowed_text
from ..golden.apart import recorded_apart
from ..golden.record import Recorded
from ..golden.steps import step_key
from ..pipeline.parting import Parting
from ..provenance.words import plain
from .reasons import Side, reasons, steps_parting

__all__ = ["Differences", "differences", "lines"]

WIDTH: Final = 76
HALF: Final = 36


@dataclass(frozen=True, slots=True)
class Differences:
    """The checks of two goldens, sorted by what became of them; `near` differ within the tolerance of the first."""

    apart: tuple[tuple[str, str], ...]
    """Name, and the comparison in words."""
    near: tuple[str, ...]
    first_only: tuple[str, ...]
    second_only: tuple[str, ...]
    equal: tuple[str, ...]
    steps: Parting = field(default_factory=Parting)

    @property
    def any(self) -> bool:
        """Tell whether something differs by more than is allowed; a step without a value is held to the last bit."""
        steps = self.steps
        own = {step_key(parted.name) for parted in (*steps.roots, *steps.consequences)} - {*self.near, *self.equal}
        return bool(self.apart or self.first_only or self.second_only or own or steps.added or steps.removed)


def differences(old: Side, new: Side) -> Differences:
    """Compare each check of both, within the tolerance that the first was recorded with.

    A check that is held to another tolerance differs although its value may not. Raises GoldenError if an array is
    missing or isn't the one recorded.
    """
    before, after = old.golden.checks, new.golden.checks
    apart: list[tuple[str, str]] = []
    near, equal = [], []
    for name in sorted(before.keys() & after.keys()):
        one, two = before[name], after[name]
        if one.digest == two.digest and one.tolerance == two.tolerance:
            equal.append(name)
            continue
        words = _apart(one, two, old, new)
        if words:
            apart.append((name, words))
        else:
            near.append(name)
    return Differences(
        tuple(apart),
        tuple(near),
        tuple(sorted(before.keys() - after.keys())),
        tuple(sorted(after.keys() - before.keys())),
        tuple(equal),
        steps_parting(old, new),
    )


def lines(old: Side, new: Side, found: Differences) -> Iterator[str]:
    """Yield all of it for a person: conclusions first, then evidence, then the values, then what is the same."""
    yield from reasons(old, new, [*(name for name, _ in found.apart), *found.near])
    if not found.any:
        yield "the same, within what is allowed" if found.near else "the same"
    yield from (_legend(old, "A"), _legend(new, "B"))
    for name, words in found.apart:
        yield from ("", f"{_title(name)}:", *(f"  {line}" for line in words.splitlines()))
    yield ""
    for names, what in (
        (found.first_only, f"only in {_short(old, 'A')}"),
        (found.second_only, f"only in {_short(new, 'B')}"),
        (found.near, "other bits, within what is allowed"),
        (found.equal, "equal"),
    ):
        if names:
            yield f"{what}: {', '.join(map(_title, names))}"
    if found.steps.same:
        yield f"equal steps: {', '.join(map(plain, found.steps.same))}"


def _apart(one: Recorded, two: Recorded, old: Side, new: Side) -> str:
    """Return how far two checks are apart; "" if no further than is allowed."""
    words = []
    if one.digest != two.digest:
        apart = recorded_apart(one, two, (old.folder, new.folder), width=WIDTH - 2)
        if apart:
            words.append(_sided(apart, new))
    if one.tolerance != two.tolerance:
        before, after = allowed_text(one.tolerance), allowed_text(two.tolerance)
        words.append(f"{before}\n→ {after}" if max(len(before), len(after)) > HALF else f"{before} → {after}")
    return "\n".join(words)


def _sided(text: str, new: Side) -> str:
    """Say which side is which: what is explained elsewhere is always a golden and a run."""
    second = "this run" if new.partial else "B"
    first = "the golden" if new.partial else "A"
    start, _, rest = text.partition("\n")
    head = start.partition(" (expected: ")[0]
    if head != start:
        return f"{head} (expected: {first}, actual: {second})\n{rest}"
    return f"{text}\n(expected: {first}, actual: {second})"


def _title(name: str) -> str:
    return plain(name) or "(unnamed)"


def _short(side: Side, letter: str) -> str:
    return side.title.split()[0] if side.title.startswith(("golden ", "proposal ")) else letter


def _legend(side: Side, letter: str) -> str:
    return plain(side.title if _short(side, letter) != letter else f"{letter}  {side.title}")
