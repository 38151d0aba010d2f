"""Why a result changed, as far as is known: one line that says what changed with it, and the lines that show it.

Two things that changed at once can't be told apart by looking, so the words are *changed together with*. Only where a
single thing differs is it named alone, and only where everything is known and the same is a result *not reproducible*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from ..fingerprints.digest import Fingerprint
from .bounds import is_empty
from .record import AREAS, UNKNOWN, WRITTEN, Area, Provenance
from .suspects import Source, Suspect, suspects
from .words import NAME, joined, line, phrase, plain, shorten, statement

__all__ = ["causes", "conclusion", "evidence"]

LONGEST: Final = 200
"""Characters of the first line, where names are of common length."""
LINES: Final = 12
_LABELS: Final[dict[Source, str]] = {
    "code": "code",
    "data": "data",
    "artifacts": "artifacts",
    "package": "packages",
    "environment": "environment",
}
_OF: Final[dict[Source, str]] = {
    "code": "of code",
    "data": "of data",
    "artifacts": "of artifacts",
    "package": "of packages",
    "environment": "of the environment",
}


def conclusion(old: Provenance, new: Provenance, subject: str = "the result") -> str:
    """Return one line on what changed with the subject, of at most about 200 characters.

    For example `predictions changed: train.fit_head changed; data, artifacts and environment are the same`.
    """
    found = suspects(old, new)
    subject = shorten(subject, 60)
    if not found or found[0].weak:
        return f"{subject} changed{_nothing(old, new, found)}"
    groups = _by_root(found)
    rest = _rest(old, new, found)
    if len(groups) == 1:
        return "; ".join(filter(None, (f"{subject} changed: {_alone(found)}", rest)))
    start = f"{subject} changed together with "
    return "; ".join(filter(None, (start + _listed(groups, LONGEST - len(start) - len(rest) - 2), rest)))


def causes(old: Provenance, new: Provenance, room: int = LONGEST) -> str:
    """Return what changed and can have changed a result, as a clause of about `room` characters; "" if nothing did.

    For example `scikit-learn 1.8.0 → 1.9.1`, or `steps.clean and numpy 2.4.5 → 2.4.6`.
    """
    found = suspects(old, new)
    if not found or found[0].weak:
        return ""
    groups = _by_root(found)
    return _alone(found) if len(groups) == 1 else _listed(groups, room)


def evidence(old: Provenance, new: Provenance) -> list[str]:
    """Return a line for each suspect, grouped by source, and one for the commits; about a dozen at most.

    Where there are more, each source keeps some lines and says how many it left out. [] if nothing differs.
    """
    found = suspects(old, new)
    sources = {source: [suspect for suspect in found if suspect.source == source] for source in _LABELS}
    shares = _shares({source: len(group) for source, group in sources.items()})
    lines: list[str] = []
    for source, group in sources.items():
        texts = [line(suspect) for suspect in group[: shares[source]]]
        if len(group) > len(texts):
            texts.append(f"… and {len(group) - len(texts):,} more")
        lines += [f"{_LABELS[source] if not at else '':<12} {text}" for at, text in enumerate(texts)]
    return [*lines, *_commits(old, new)]


def _by_root(found: list[Suspect]) -> list[list[Suspect]]:
    """Return the suspects by function, file, package or field, in the order in which each came first."""
    groups: dict[tuple[Source, str], list[Suspect]] = {}
    for suspect in found:
        groups.setdefault((suspect.source, suspect.root), []).append(suspect)
    return list(groups.values())


def _alone(group: list[Suspect]) -> str:
    """Return a clause on the one thing that differs."""
    return (
        statement(group[0]) if len(group) == 1 else f"{shorten(group[0].root, NAME)} changed in {len(group):,} places"
    )


def _listed(groups: list[list[Suspect]], room: int) -> str:
    """Return the things in order; if there is no room for all, one of each source in turn, and how many are left."""
    whole = joined([_thing(group) for group in groups])
    if len(whole) <= room:
        return whole
    dealt = _dealt(groups)
    fitting = [shown for shown in range(2, len(dealt)) if len(_partly(dealt, shown)) <= room]
    return _partly(dealt, max(fitting, default=1))


def _thing(group: list[Suspect]) -> str:
    return phrase(group[0]) if len(group) == 1 else f"{shorten(group[0].root, NAME)} ({len(group):,} places)"


def _dealt(groups: list[list[Suspect]]) -> list[list[Suspect]]:
    """Return the first of each source, then the second of each, and so on."""
    seen: Counter[Source] = Counter()
    turns: list[tuple[int, list[Suspect]]] = []
    for group in groups:
        turns.append((seen[group[0].source], group))
        seen[group[0].source] += 1
    return [group for _, group in sorted(turns, key=lambda turn: turn[0])]


def _partly(groups: list[list[Suspect]], shown: int) -> str:
    left = Counter(group[0].source for group in groups[shown:])
    counts = [f"{left[source]:,} {_OF[source]}" for source in _OF if left[source]]
    more = f"more {_OF[groups[-1][0].source]}" if len(counts) == 1 else f"more ({', '.join(counts)})"
    return f"{', '.join(map(_thing, groups[:shown]))} and {left.total():,} {more}"


def _nothing(old: Provenance, new: Provenance, weak: list[Suspect]) -> str:
    """Return how it is put if nothing that counts differs."""
    known = [area for area in AREAS if old.area(area) is not None and new.area(area) is not None]
    if not known:
        return f": the reason is unknown, since {_unknown(old, new)}"
    rest = _rest(old, new, [])
    more = f" (and {len(weak) - 1:,} more)" if len(weak) > 1 else ""
    if weak and weak[0].change == "renamed":
        return f", and only a name with it: {statement(weak[0])}{more}; {rest}"
    beside = f", but {statement(weak[0])}{more}" if weak else ""
    if len(known) < len(AREAS):
        return f", and nothing that was recorded did: {rest}{beside}"
    return f", though nothing else did: not reproducible ({rest}){beside}"


def _rest(old: Provenance, new: Provenance, found: list[Suspect]) -> str:
    """Return what is known of the areas that no suspect is of, such as `data and artifacts are the same`."""
    named = {"environment" if suspect.source == "package" else suspect.source for suspect in found}
    quiet = [area for area in AREAS if area not in named]
    known = [area for area in quiet if old.area(area) is not None and new.area(area) is not None]
    empty = [area for area in known if _both_empty(old, new, area)]
    same = [area for area in known if area not in empty]
    if len(_by_root(found)) == 1 and "environment" in named:
        same.append("environment")  # of which one field, or one package, is named
    names = ["the rest of the environment" if area in named else area for area in same]
    parts = [f"{joined(names)} {_be(same)} the same" if names else ""]
    parts.append(f"{joined([f'no {area}' for area in empty])} {_was(empty)} seen" if empty else "")
    parts.append(_unknown(old, new))
    return "; ".join(filter(None, parts))


def _be(areas: list[Area]) -> str:
    return "are" if len(areas) > 1 or areas == ["artifacts"] else "is"


def _both_empty(old: Provenance, new: Provenance, area: Area) -> bool:
    one, two = old.area(area), new.area(area)
    return one is not None and two is not None and _is_empty(one) and _is_empty(two)


def _is_empty(area: Fingerprint) -> bool:
    """Tell whether nothing was read; what the test itself wrote is no input."""
    return is_empty(area) or (bool(area.parts) and all(part.kind == WRITTEN for _, part in area.parts))


def _unknown(old: Provenance, new: Provenance) -> str:
    """Return which areas one side or both don't know."""
    lacking = [
        ([area for area in AREAS if old.area(area) is None], "with the golden"),
        ([area for area in AREAS if old.area(area) is not None and new.area(area) is None], "in this run"),
    ]
    clauses = [f"{joined(areas)} {_was(areas)} not recorded {where}" for areas, where in lacking if areas]
    return " and ".join(clauses)


def _was(areas: list[Area]) -> str:
    return "were" if len(areas) > 1 or areas == ["artifacts"] else "was"


def _shares(counts: dict[Source, int]) -> dict[Source, int]:
    """Deal the lines out, one to each source in turn, until they are used up."""
    shares = dict.fromkeys(counts, 0)
    while sum(shares.values()) < LINES and (open_ := [source for source in counts if shares[source] < counts[source]]):
        for source in open_[: LINES - sum(shares.values())]:
            shares[source] += 1
    return shares


def _commits(old: Provenance, new: Provenance) -> Iterable[str]:
    """Say where the code of both sides can be had, if that isn't one place."""
    if UNKNOWN in (old.commit, new.commit) or (old.commit, old.dirty) == (new.commit, new.dirty):
        return []
    return [f"{'commit':<12} {_commit(old)} → {_commit(new)}"]


def _commit(provenance: Provenance) -> str:
    name = plain(provenance.commit)[:10]
    return f"{name} with uncommitted changes" if provenance.dirty else name
