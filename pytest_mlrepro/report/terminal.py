"""The lines at the end of a run: what became of the goldens, and what to do next."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from ..records import Outcome
from ..session import Session

__all__ = ["summary"]

ORDER: tuple[Outcome, ...] = ("passed", "failed", "missing", "unused", "recorded", "updated")
SHOWN = 10
SPREADS = {
    "threads": "under another number of threads these differ within what is allowed:",
    "isa": "under an older instruction set, as on other machines, these differ (no failure; a tolerance should allow it):",
}


def summary(session: Session) -> list[str]:
    """Return the lines of the summary; none if the run had nothing to do with goldens."""
    parts = (
        _interrupted,
        _counts,
        _variants,
        _robustness,
        _distributions,
        _written,
        _open,
        _obsolete,
        _cached,
        _entropy,
        _spreads,
    )
    return [line for part in parts for line in part(session)]


def _interrupted(session: Session) -> Iterator[str]:
    """Say what an interrupted run has done, and how to go on."""
    if session.interrupted is None or not (session.outcomes or session.settings.mode != "check"):
        return
    run, mode = session.run, session.settings.mode
    at = f" in {session.interrupted}" if session.interrupted and session.interrupted not in run.finished else ""
    of_all = f" of {len(run.collected)}" if run.collected else ""  # where workers collect, this process doesn't know
    yield f"interrupted{at}: {len(run.finished)}{of_all} tests were finished"
    if mode != "check":
        yield "every golden is whole; what was recorded stays, and of the test that was interrupted nothing was recorded"
    if mode == "record":
        yield "to go on with those that are missing:  pytest --golden=record"


def _counts(session: Session) -> Iterator[str]:
    counts = [f"{session.outcomes[name]} {name}" for name in ORDER if session.outcomes[name]]
    if counts:
        yield f"golden checks: {', '.join(counts)}"


def _variants(session: Session) -> Iterator[str]:
    """Say which goldens of variants were used; tests that were held against the golden for all need no line."""
    found = Counter(variant for variant in session.variants.values() if variant)
    for variant, number in sorted(found.items()):
        yield f"goldens of the variant {variant}: {number} test{'s' * (number != 1)}"


def _robustness(session: Session) -> Iterator[str]:
    told = [(nodeid, name, json.loads(facts)) for nodeid, name, facts in session.verdicts if '"robustness"' in facts]
    lines = [
        f"{nodeid}  {name}: {facts['verdict']}, robust accuracy ≤ {facts['robust_accuracy']:.4g}"
        + (f", ≥ {facts['proved']:.4g} proved" if facts["proved"] else "")
        + f" ({facts['samples_used']} of {facts['samples']} samples, {facts['evaluations']:,} evaluations"
        + (f", {facts['saved']:,} saved" if facts["saved"] else "")
        + f", {facts['seconds']:.3g} s)"
        for nodeid, name, facts in told
        if facts["kind"] == "robustness"
    ]
    yield from _listed("robustness:", lines)


def _distributions(session: Session) -> Iterator[str]:
    lines = [
        f"{nodeid}{f' ({name})' if name else ''}: {text}"
        for nodeid, said in session.remarks.items()
        for name, text in said.items()
    ]
    yield from _listed("distributions that passed; ± is the shift that each would have seen with 80% power:", lines)


def _written(session: Session) -> Iterator[str]:
    yield from _listed("recorded:", session.tests_with("recorded"))
    yield from _listed("updated:", session.tests_with("updated"))


def _open(session: Session) -> Iterator[str]:
    waiting = session.tests_with("missing") + session.tests_with("failed") + session.tests_with("unused")
    if waiting and session.settings.mode == "check":
        yield "proposals wait to be accepted or rejected:  mlrepro status"
    if session.tests_with("missing") and not session.settings.ci:
        yield "to record what is missing:  pytest --golden=record"


def _obsolete(session: Session) -> Iterator[str]:
    folders = [str(folder.relative_to(session.settings.root)) for folder in session.obsolete()]
    yield from _listed("obsolete, no test needs them (nothing was removed; to remove them:  mlrepro prune):", folders)


def _cached(session: Session) -> Iterator[str]:
    """Say how often stored outputs were used; one that was damaged is named, since disks rarely do that."""
    counts = [f"{len(session.cached[event])} {event}" for event in ("reused", "stored") if event in session.cached]
    if counts:
        yield f"stored outputs of pipeline steps: {', '.join(counts)}"
    yield from _listed("stored outputs that were damaged, and made again:", session.cached.get("damaged", []))


def _entropy(session: Session) -> Iterator[str]:
    lines = [f"{place}  ({kind})" for place, kind in sorted(session.entropy)]
    yield from _listed("drawn without a seed, and given one by @pytest.mark.repro:", lines)


def _spreads(session: Session) -> Iterator[str]:
    for variation, title in SPREADS.items():
        lines = [f"{nodeid}  {label}: {words}" for nodeid, name, label, words in session.spreads if name == variation]
        yield from _listed(title, lines)


def _listed(title: str, names: list[str]) -> Iterator[str]:
    if names:
        yield title
        yield from (f"  {_plain(name)}" for name in names[:SHOWN])
    if len(names) > SHOWN:
        yield f"  … and {len(names) - SHOWN} more"


def _plain(text: str) -> str:
    """Return text that keeps to its line: in the log of a CI service, a line may be a command."""
    return text if text.isprintable() else ascii(text)[1:-1]
