"""Where two runs of a pipeline part, in words: the first step with its reason, what follows from it, and the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from ..pipeline.parting import Parted, Parting
from ..provenance.reason import causes, evidence
from ..provenance.record import Provenance
from ..provenance.words import joined, plain, shorten
from .step_details import Detail, Details

__all__ = ["changes", "headline", "lines", "reasons_of"]

NAME: Final = 60
SHOWN: Final = 8
PLACES: Final = 4
_NOTHING: Final = Detail(Provenance(), None)


def headline(found: Parting, old: Details, new: Details) -> str:
    """Return the conclusion in one line, such as `first step that parts: clean (same inputs, other code, other output):
    steps.clean changed`; "" if no step parts."""
    first = found.first
    if first is None:
        return ""
    return f"first step that parts: {_named(first.name)} ({_facts(first)}): {_cause(first, old, new)}"


def _facts(parted: Parted) -> str:
    inputs = f"other inputs ({joined(list(map(_named, parted.inputs[:3])))})" if parted.inputs else "same inputs"
    code = "other code" if parted.code else "same code"
    if parted.kind is None:
        return f"{inputs}, {code}, other output"
    then, now = map(plain, parted.kind)
    what = now if now.startswith("raised ") else f"other kind of output: {then} → {now}"
    return f"{inputs}, {code}, {what}"


def _cause(parted: Parted, old: Details, new: Details) -> str:
    then, now = old.steps.get(parted.name, _NOTHING), new.steps.get(parted.name, _NOTHING)
    found = causes(then.made_from, now.made_from)
    if found:
        return found
    if parted.repeats:
        return "the reason is unknown, since its code was not recorded on both sides"
    return "not reproducible, since nothing else changed"


def reasons_of(found: Parting, old: Details, new: Details) -> list[str]:
    """Return the lines that show why the first step parts."""
    if found.first is None:
        return []
    name = found.first.name
    then, now = old.steps.get(name, _NOTHING).made_from, new.steps.get(name, _NOTHING).made_from
    shown = evidence(then, now)
    if found.first.inputs:
        shown += [line for line in evidence(old.test, new.test) if line not in shown]
    return shown


def lines(
    found: Parting, old: Details, new: Details, words: Mapping[str, str], within: Collection[str] = ()
) -> Iterator[str]:
    """Yield what differs, for people: the first step, its consequences, then what parts by itself, then what is the same.

    words: how far the values of steps with `check` are apart. within: steps that differ within their tolerance.
    """
    if found.first is not None:
        yield from _step(found.first, old, new, words, within)
        following = found.following(found.first.name)
        if following:
            yield f"consequences: {_list([parted.name for parted in following])}"
        else:
            yield "consequences: none; no other step comes from it and differs"
        for root in found.roots[1:]:
            yield f"parts by itself too: {_named(root.name)} ({_facts(root)}): {_cause(root, old, new)}"
            yield from (f"  {line}" for line in _step(root, old, new, words, within))
            if own := [parted for parted in found.following(root.name) if parted not in following]:
                yield f"  consequences: {_list([parted.name for parted in own])}"
        for parted in found.consequences:
            if parted.code:
                yield f"besides, the code of {_named(parted.name)} changed"
            if parted.name in words:
                yield f"{_named(parted.name)}: {words[parted.name].partition(chr(10))[0]}"
    yield from changes(found)
    if found.same and found.first is not None:
        yield f"the same: {_list(found.same)}"


def changes(found: Parting) -> Iterator[str]:
    """Yield which steps are new, gone, or called otherwise."""
    renamed = dict(found.renamed)
    for old, new in found.renamed:
        yield f"step {_named(old)} is now called {_named(new)}; inputs and output are the same"
    if added := [name for name in found.added if name not in renamed.values()]:
        yield f"{_count('step', added)} {_list(added)}: not recorded yet"
    if removed := [name for name in found.removed if name not in renamed]:
        yield f"{_count('step', removed)} {_list(removed)}: recorded, and not in this run"


def _step(
    parted: Parted, old: Details, new: Details, words: Mapping[str, str], within: Collection[str]
) -> Iterator[str]:
    if parted.inside:
        yield f"step {' / '.join(map(_quoted, parted.inside))} inside the Pipeline parts first"
    if parted.name in within:
        yield f"{_named(parted.name)} is within its tolerance, and what comes from it is not"
    if parted.name in words:
        yield f"{_named(parted.name)}:"
        yield from (f"  {line}" for line in words[parted.name].splitlines())
        return
    places = _places(old.steps.get(parted.name), new.steps.get(parted.name))
    if places:
        more = f" and {len(places) - PLACES:,} more places" if len(places) > PLACES else ""
        yield f"its output differs in {', '.join(places[:PLACES])}{more}"


def _places(old: Detail | None, new: Detail | None) -> list[str]:
    """Return the parts of the output that differ; [] where only the whole is known."""
    if old is None or new is None or old.output is None or new.output is None:
        return []
    return [shorten(place, NAME) for place in islice(old.output.diff(new.output), 1000) if place]


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(_named, names[:SHOWN])) + more


def _count(noun: str, names: list[str]) -> str:
    return noun if len(names) == 1 else f"{noun}s"


def _named(name: str) -> str:
    return shorten(name, NAME)


def _quoted(name: str) -> str:
    return f"'{shorten(name, NAME)}'"
