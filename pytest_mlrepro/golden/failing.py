"""The failures of one test's golden in words, and the proposal that each of them offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..compare.explain import failure_text
from ..errors import GoldenError, MlreproError
from ..provenance.record import Provenance
from ..provenance.written import written_code
from ..records import Check
from .checking import title
from .pending import propose
from .reason import Why, recorded_provenance, since_recorded
from .record import Recorded, titled, variant_text
from .rules import Judgement
from .step_words import changes
from .steps import StepBook

if TYPE_CHECKING:
    from .case import GoldenCase

__all__ = ["Failing", "greatest", "list_of"]


class Failing:
    """What the golden run of a test says when it fails."""

    def __init__(self, case: GoldenCase) -> None:
        self._case = case

    def check(self, key: str, recorded: Recorded, found: Judgement) -> str:
        """Return the message of a check that differs; steps that differ explain it better than the whole test can."""
        case = self._case
        now, trouble = self._made_from(recorded)
        if found.change:
            why = since_recorded(recorded, case.folder, now, subject=key or "the unnamed value")
            if found.concludes:
                why = replace(why, conclusion=found.change, several=False)
        else:
            why = Why(f"{title(key)} is held to a looser tolerance than recorded")
        details, reasons = found.words, why.evidence
        for headline in case.steps_change():
            details = "\n".join([*case.steps.lines(case.steps.found()), "", why.conclusion, details])
            why, reasons = replace(why, conclusion=headline), (*case.steps.reasons(now), *trouble)
        reasons = tuple(dict.fromkeys((*reasons, *trouble)))
        told = {key: found.words} if found.concludes else {}
        commands = self._commands(self._propose((), now, why.conclusion, told), bisect=why.several)
        if case.checking.witness is not None:
            case.checking.witness.explained(key, why.conclusion, reasons, commands)
        details = "\n".join([details, *self._used()])
        return failure_text(headline=why.conclusion, details=details, why=reasons, next_commands=commands)

    def steps(self, book: StepBook, unused: list[str]) -> str:
        """Return the message of steps that differ; `unused` are the checks that no part of the test came to."""
        now, trouble = self._made_from()
        loose = f"step {', '.join(map(repr, book.loosened))} is held to a looser tolerance than recorded"
        headline = book.headline() or loose
        details = book.lines(book.whole()) or [book.words(name) for name in book.loosened]
        details += self._lacking([key for key in unused if key not in book.unused_keys()])
        return failure_text(
            headline=headline,
            details="\n".join([*details, *self._used()]),
            why=(*book.reasons(now), *trouble),
            next_commands=self._commands(self._propose(unused, now, headline)),
        )

    def incomplete(self, unused: list[str]) -> str:
        """Return the message of checks and steps that are missing on either side."""
        case, book = self._case, self._case.book
        details = self._lacking([key for key in unused if book is None or key not in book.unused_keys()])
        details += list(changes(book.whole())) if book is not None else []
        if case.checking.mode != "check":
            details.append("Nothing was recorded: a recording never drops what is there.")
        return failure_text(
            headline=f"golden of {case.test} is not complete",
            details="\n".join([*details, *self._missing_variant()]),
            next_commands=self._commands(self._propose(unused, self._made_from()[0])),
        )

    def _missing_variant(self) -> tuple[str, ...]:
        """Return which golden was looked for, where there may be several."""
        words = variant_text(self._case.variant)
        return (f"It was looked for among the goldens of the variant {words}.",) if words else ()

    def _lacking(self, unused: list[str]) -> list[str]:
        """Return what is to be said of checks that are missing on either side."""
        case, details = self._case, []
        if case.checking.missing and case.checking.mode == "check":
            missing = [key for key in case.checking.missing if case.book is None or key not in case.book.missing_keys()]
            details += [f"{list_of(missing)}: no golden is recorded yet."] if missing else []
        if unused:
            details.append(f"{list_of(unused)}: recorded, and no check of this run came to it.")
        for key in unused:
            case.checking.notify(Check(key, "unused"))
        return details

    def _made_from(self, recorded: Recorded | None = None) -> tuple[Provenance, list[str]]:
        """Return what this run is made from; what can't be told must not hide the failure that it should explain."""
        case = self._case
        try:
            return case.provenance(None if recorded is None else recorded_provenance(recorded, case.folder)), []
        except MlreproError as error:
            return Provenance(), [f"what this run is made from is unknown: {error}"]

    def _propose(
        self, dropped: Sequence[str], made_from: Provenance, why: str = "", told: Mapping[str, str] | None = None
    ) -> str | None:
        """Write the proposal; a store that can't be written must not hide the failure that is being told.

        told: words about a check that need the data itself, and so can't be found again from what is recorded.
        """
        case = self._case
        if case.checking.put_aside is not None:
            case.checking.put_aside.made_from(made_from)
        # a failure in the middle of the test drops nothing: what it did not come to may still be there
        gone = case.book.unused() if case.book is not None and dropped != () else []
        try:
            new = case.proposed(dropped, gone, made_from)
            propose(
                case.settings.root,
                case.folder,
                case.checking.stored()[0],
                new,
                arrays=case.checking.put_aside.files() if case.checking.put_aside is not None else [],
                test=case.nodeid,
                change=greatest([*case.steps_change(), *case.checking.changes]) or "",
                why=why,
                code=written_code(made_from.code, case.settings.root),
                told=told or {},
            )
        except GoldenError as error:
            return str(error)
        return None

    def _commands(self, trouble: str | None, *, bisect: bool = False) -> tuple[str, ...]:
        if trouble:
            return (f"no proposal was written: {trouble}",)
        nodeid = titled(self._case.nodeid, self._case.variant)
        rerun = ("to find out by reruns what carries the change:", f"  mlrepro explain --bisect '{nodeid}'")
        return (
            *(rerun if bisect else ()),
            "to make this run's values the golden:",
            f"  mlrepro accept '{nodeid}' --reason '…'",
            "to look at what is recorded:",
            f"  mlrepro show '{nodeid}'",
            *self._variant_command(),
        )

    def _variant_command(self) -> tuple[str, ...]:
        """Return how another device or library gets a golden of its own, where the project declares that they may differ."""
        case, settings = self._case, self._case.settings
        if settings.variant is not None or not settings.variants or set(case.variant) == set(settings.variants):
            return ()
        keys = ",".join(key for key in settings.variants if key in case.variant or key == self._next_key())
        return (
            f"to give this {' and '.join(keys.split(','))} a golden of its own:",
            f"  pytest '{case.nodeid}' --golden=record --golden-variant={keys}",
        )

    def _next_key(self) -> str:
        case = self._case
        return next(key for key in case.settings.variants if key not in case.variant)

    def _used(self) -> tuple[str, ...]:
        """Return which golden this was, where there may be several."""
        if not self._case.settings.variants:
            return ()
        words = variant_text(self._case.variant)
        return (
            f"Held against the golden of the variant {words}."
            if words
            else "Held against the golden for all variants.",
        )


def list_of(keys: list[str]) -> str:
    """Return what failures call several checks."""
    return ", ".join(map(title, keys))


def greatest(changes: list[str]) -> str | None:
    """Return the changes that the history tells of; None where nothing changed."""
    return "; ".join(changes[:3]) or None
