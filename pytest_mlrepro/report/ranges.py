"""Goldens at two git revisions: which changed, why and by how much, and what was said when they were accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from .._json import Json
from ..errors import GoldenError
from ..golden import history
from ..golden.past import PastGolden, extract, goldens_at
from ..golden.record import titled
from ..provenance.objects import Repository
from ..provenance.words import plain
from .differences import Differences, differences
from .reasons import Side, reasons

__all__ = ["Change", "Changes", "change_of", "changes_between", "json_of", "markdown", "text"]

SCHEMA = 1
State: TypeAlias = Literal["changed", "added", "removed", "unreadable"]
ORDER: tuple[State, ...] = ("changed", "added", "removed", "unreadable")


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one golden."""

    state: State
    test: str
    variant: Mapping[str, str]
    golden: str
    """Its folder, from the top of the repository."""
    why: tuple[str, ...] = ()
    checks: tuple[tuple[str, str, str], ...] = ()
    """Name, what became of it (`changed`, `within`, `added`, `removed`), and by how much in words."""
    entries: tuple[history.Entry, ...] = ()
    """The entries of its history that came to it."""

    @property
    def title(self) -> str:
        """Node id, and variant if there is one."""
        return titled(self.test, self.variant)


@dataclass(frozen=True, slots=True)
class Changes:
    """All that changed between two sides."""

    sides: tuple[str, str]
    commits: tuple[str, str]
    found: tuple[Change, ...] = field(default_factory=tuple)
    same: int = 0

    def sums(self) -> str:
        """Return `2 changed, 1 added, 40 the same`."""
        states = Counter(change.state for change in self.found)
        return ", ".join([*(f"{states[state]} {state}" for state in ORDER if states[state]), f"{self.same} the same"])


def changes_between(
    repo: Repository, sides: tuple[str, str], commits: tuple[str, str], root: Path, scratch: Path
) -> Changes:
    """Compare the goldens of two commits below `root`; those that changed are written into `scratch`, one after the other."""
    before, after = (goldens_at(repo, commit, root) for commit in commits)
    same = 0
    found: list[Change] = []
    for folder in sorted({**before, **after}):
        old, new = before.get(folder), after.get(folder)
        if old is not None and new is not None and old.seal and old.seal == new.seal:
            same += 1
        else:
            found.append(_change(repo, commits, folder, old, new, scratch / str(len(found))))
    return Changes(
        sides, commits, tuple(sorted(found, key=lambda change: (ORDER.index(change.state), change.title))), same
    )


def _change(
    repo: Repository,
    commits: tuple[str, str],
    folder: str,
    old: PastGolden | None,
    new: PastGolden | None,
    scratch: Path,
) -> Change:
    known = new or old
    assert known is not None  # it is there at one of the commits
    for side in (new, old):
        if side is not None and side.trouble:
            return Change("unreadable", side.test, side.variant, folder, (plain(side.trouble),))
    made = []
    try:
        for number, side in enumerate((old, new)):
            place = scratch / "AB"[number]
            if side is not None:
                place.mkdir(parents=True)
                made.append(Side(side.test, extract(repo, commits[number], folder, place), place))
        if old is not None and new is not None:
            return change_of(*made, test=known.test, variant=known.variant, folder=folder)
        return _one_sided("added" if old is None else "removed", made[0], known, folder)
    except GoldenError as error:
        return Change("unreadable", known.test, known.variant, folder, (plain(str(error)),))


def _one_sided(state: Literal["added", "removed"], side: Side, known: PastGolden, folder: str) -> Change:
    checks = tuple((name, state, "") for name in sorted(side.golden.checks))
    entries = _entries(side) if state == "added" else ()
    return Change(state, known.test, known.variant, folder, (), checks, entries)


def change_of(old: Side, new: Side, *, test: str, variant: Mapping[str, str], folder: str) -> Change:
    """Return how two goldens differ."""
    found = differences(old, new)
    why = tuple(reasons(old, new, [*(name for name, _ in found.apart), *found.near]))
    before = {entry["digest"] for entry in _entries(old)}
    entries = tuple(entry for entry in _entries(new) if entry["digest"] not in before)
    return Change("changed", test, variant, folder, why, tuple(_checks(found)), entries)


def _entries(side: Side) -> tuple[history.Entry, ...]:
    try:
        return tuple(history.read(side.folder))
    except GoldenError:
        return ()


def _checks(found: Differences) -> Iterator[tuple[str, str, str]]:
    yield from ((name, "changed", words) for name, words in found.apart)
    yield from ((name, "within", "other bits, within what is allowed") for name in found.near)
    yield from ((name, "added", "") for name in found.second_only)
    yield from ((name, "removed", "") for name in found.first_only)


def _title(name: str) -> str:
    return plain(name) or "(unnamed)"


def _said(entry: history.Entry) -> str:
    return plain(f"{entry['time']}  {entry['action']} by {entry['author']}: {entry['reason']}")


def _side(changes: Changes, number: int) -> str:
    name, commit = changes.sides[number], changes.commits[number]
    return name if commit.startswith(name) or not commit else f"{name} ({commit[:10]})"


def text(changes: Changes) -> Iterator[str]:
    """Yield all of it for a terminal."""
    yield plain(f"goldens from A, {_side(changes, 0)}, to B, {_side(changes, 1)}: {changes.sums()}")
    for change in changes.found:
        yield f"\n{change.state:10}  {plain(change.title)}"
        yield from (f"  {line}" for line in _lines(change))


def _lines(change: Change) -> Iterator[str]:
    yield from map(_said, change.entries)
    yield from change.why
    for name, state, words in change.checks:
        if change.state == "changed":
            yield f"{_title(name)}{':' if state == 'changed' else f': {words or state}'}"
            yield from (f"  {line}" for line in words.splitlines() if state == "changed")
    names = ", ".join(_title(name) for name, _, _ in change.checks)
    if change.state in ("added", "removed") and names:
        yield f"checks: {names}"


def markdown(changes: Changes) -> Iterator[str]:
    """Yield all of it as Markdown for a pull request: a table of what changed, the details folded below it."""
    yield f"### Goldens: {_cell(_side(changes, 0))} → {_cell(_side(changes, 1))}"
    yield ""
    yield changes.sums()
    if not changes.found:
        return
    yield from ("", "| | test | what changed with it | accepted |", "|---|---|---|---|")
    for change in changes.found:
        why = change.why[0] if change.why else ", ".join(_title(name) for name, _, _ in change.checks)
        said = "; ".join(f"{entry['reason']} ({entry['author']})" for entry in change.entries)
        yield f"| {change.state} | {_cell(change.title)} | {_cell(why)} | {_cell(said)} |"
    for change in changes.found:
        lines = [*_lines(change)]
        if lines:
            fence = "`" * max(3, 1 + max(map(_ticks, lines)))
            yield from ("", f"<details><summary>{_markup(change.title)}</summary>", "", f"{fence}text")
            yield from lines
            yield from (fence, "", "</details>")


def _ticks(line: str) -> int:
    """Return the length of the longest run of backticks."""
    return max((len(run) for run in "".join(c if c == "`" else " " for c in line).split()), default=0)


def _cell(words: str) -> str:
    """Return text that stays in its cell, and in which nothing is markup."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]#|~" else char for char in _markup(words))


def _markup(words: str) -> str:
    """Return text for HTML, where Markdown does not count; `@` would call a person."""
    return plain(words).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")


def json_of(changes: Changes) -> Json:
    """Return all of it as data, in a form that stays."""
    return {
        "schema": SCHEMA,
        "from": {"revision": changes.sides[0], "commit": changes.commits[0] or None},
        "to": {"revision": changes.sides[1], "commit": changes.commits[1] or None},
        "same": changes.same,
        "goldens": [
            {
                "state": change.state,
                "test": change.test,
                "variant": dict(change.variant),
                "golden": change.golden,
                "why": list(change.why),
                "checks": [{"name": name, "state": state, "difference": words} for name, state, words in change.checks],
                "history": [dict(entry) for entry in change.entries],
            }
            for change in changes.found
        ],
    }
