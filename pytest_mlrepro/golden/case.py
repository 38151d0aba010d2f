"""One test and its golden while the test runs: each value is checked, put aside to be recorded, or proposed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .._json import Json
from ..compare.explain import explain, failure_text
from ..compare.start import is_large, part_at_once
from ..compare.tolerance import Tolerance, Tolerances, loosened, require_used, tighter, to_json, tolerances
from ..compare.walk import compare, leaf_paths, leaves
from ..errors import GoldenError, MlreproError, UsageError
from ..fingerprints import fingerprint_node
from ..pipeline.facts import Step
from ..provenance.record import Provenance
from ..records import Check, Settings, TestId
from ..values.describe import describe
from ..values.node import Node, is_empty
from .pending import propose
from .reason import Why, recorded_provenance, since_recorded
from .record import Golden, Recorded
from .rehearsal import Rehearsal
from .step_words import changes
from .steps import StepBook
from .store import Staging, load, save, tidy, verify_arrays

__all__ = ["GoldenCase"]

WITHIN = "the value is within what was allowed when it was recorded."


class GoldenCase:
    """The golden run of one test.

    In `check` mode each value is compared with its golden. In `record` mode missing ones are recorded too, in `update` mode
    also those that differ; both hold the run against a rehearsal, and write nothing before `commit`.
    """

    def __init__(
        self,
        test: TestId,
        folder: Path,
        settings: Settings,
        *,
        nodeid: str,
        rehearsal: Rehearsal | None = None,
        rehearsing: bool = False,
        notify: Callable[[Check], None],
        provenance: Callable[[Provenance | None], Provenance] = lambda _: Provenance(),
    ) -> None:
        self.test, self.folder, self.settings, self.nodeid = test, folder, settings, nodeid
        self.mode, self.rehearsal, self.rehearsing, self.notify = settings.mode, rehearsal, rehearsing, notify
        self._provenance = provenance
        """Asked only when a check differs or is recorded: a passing test pays nothing for it."""
        self._seen: set[str] = set()
        self._missing: list[str] = []
        self._changes: list[str] = []
        self._staging: Staging | None = None
        self._failed = False
        self._stored: Golden | None = None
        self._loaded = False
        self._steps: StepBook | None = None
        self._made: Provenance | None = None
        """What a recording was made from, asked for while what the fixtures set up still stands."""

    def __repr__(self) -> str:
        return f"<golden of {self.test}>"

    def check(
        self,
        value: object,
        name: str | None = None,
        *,
        rtol: float | None = None,
        atol: float | None = None,
        max_ulp: int | None = None,
        tolerance: Tolerance | Mapping[str, Tolerance] | None = None,
    ) -> None:
        """Compare `value` with what was recorded under `name`; one check of a test may go without a name.

        `rtol` is relative to the recorded value, and is given together with `atol`: |value - golden| <= atol + rtol * |golden|.
        `max_ulp` allows that many representable numbers between the two. `tolerance` is a `Tolerance`, or a mapping of
        glob patterns over keys to one each. Without any of them, floats have the tolerance of their dtype as in
        `torch.testing` with `atol` 0, and everything else is exact.

        Raises AssertionError if the value differs; UsageError for a second unnamed check, a name that was used before, or
        arguments that can't be right; GoldenError if the golden can't be trusted; FingerprintError if the value is of a kind
        that has no stable form. A value that is missing in the golden fails the test at its end, so that all are proposed.
        """
        __tracebackhide__ = True
        key = self._key(name)
        asked = tolerances(rtol=rtol, atol=atol, max_ulp=max_ulp, tolerance=tolerance)
        node = describe(value)
        if self.mode != "check":
            self._repeat(_title(key), node, asked)
        if self.rehearsing:
            return
        verdict = self._verdict(key, node, asked)
        if verdict is not None:
            raise AssertionError(self._failure(key, verdict))

    def checkpoint(self, name: str, value: object) -> None:
        """Hold an intermediate value of a recording's two runs against each other; it is never stored."""
        __tracebackhide__ = True
        if self.rehearsing or self.rehearsal:
            self._repeat(f"checkpoint {name!r}", describe(value), tolerances(rtol=0.0, atol=0.0))

    # What the steps of a pipeline ask (see `steps.StepBook`)

    @property
    def steps(self) -> StepBook:
        """Where the steps of the test's pipeline are entered; made when somebody asks first."""
        if self._steps is None:
            self._steps = StepBook(self)
        return self._steps

    def stored(self) -> tuple[Golden | None, Path]:
        """Return the golden, None where there is none, and its folder."""
        self._golden_checks()
        return self._stored, self.folder

    def staging(self) -> Staging:
        """Return where values are put aside."""
        if self._staging is None:
            self._staging = Staging()
        return self._staging

    def is_staged(self, key: str) -> bool:
        """Tell whether a value was put aside under this name."""
        return self._staging is not None and key in self._staging.checks

    def judge(self, key: str, node: Node, asked: Tolerances) -> str | None:
        """Check a value; return how far it is from its golden, None if it passes or there is none."""
        verdict = self._verdict(key, node, asked)
        return None if verdict is None else verdict.details

    def claim(self, key: str, what: str) -> None:
        """Reserve the name of a check; raise UsageError if another check has it."""
        if key in self._seen:
            raise UsageError(f"{what}: a golden.check of this test is named {key!r} too: rename one of them")
        self._seen.add(key)

    # The end of the test

    def finish(self) -> None:
        """Close the test after its body has passed; raise AssertionError for what was not reached or is not recorded."""
        __tracebackhide__ = True
        if self.rehearsing:
            return
        if self.rehearsal:
            self.rehearsal.end()
        if self._steps is not None and not self._steps.ran:
            raise AssertionError(
                "the test asks for `pipeline` and never came to pipeline.step(...): nothing was recorded"
            )
        if not self._seen and self._steps is None:
            raise AssertionError("the test asks for `golden` and never came to golden.check(...): nothing was checked")
        self._golden_checks()
        if self._stored is not None and self._stored.steps and self._steps is None:
            self._steps = StepBook(self)  # none of what is recorded ran
        unused = sorted(self._golden_checks().keys() - self._seen)
        missing = bool(self._missing or (self._steps is not None and self._steps.missing))
        gone = self._steps.unused() if self._steps is not None else []
        if self._steps is not None and self._steps.failed:
            self._failed = True
            raise AssertionError(self._steps_failure(self._steps, unused))
        if unused or gone or (missing and self.mode == "check"):
            self._fail_at_end(unused)
        if self._staging or (self._steps is not None and self._steps.staged):
            self._made = self._provenance(None)  # now: what the fixtures set up still stands as it stood for the test
            self.staging().made_from(self._made)

    def commit(self) -> None:
        """Write what was put aside, after the whole test has passed."""
        if self.mode == "check" or self._failed:  # a failed check counts, also one that the test swallowed
            return
        if self._staging is None:
            tidy(self.folder)
            return
        old = self._golden_checks()
        golden = self._proposed({**old, **self._staging.checks}, (), self._made or Provenance())
        save(
            self.folder,
            golden,
            self._staging.folder,
            action=self.mode,
            reason=self.settings.reason or "first recording",
            change=_greatest([*self._steps_change(), *self._changes]),
            root=self.settings.root,
        )
        if self._steps is not None:
            self._steps.tell_recorded()
        for key in self._staging.checks:
            self.notify(Check(key, "updated" if key in old else "recorded"))

    def discard(self) -> None:
        """Remove what was put aside."""
        if self._staging is not None:
            self._staging.discard()
            self._staging = None

    @property
    def notes(self) -> list[str]:
        """Return what a test that failed for another reason should say about its golden."""
        notes = [f"pipeline: {text}" for text in self._steps_change()]
        if self._missing:
            notes.append(
                f"golden: {_list(self._missing)} not recorded yet; nothing was proposed, since the test failed"
            )
        elif self._staging is not None and self.mode != "check":
            notes.append("golden: nothing was recorded, since the test failed")
        return notes

    def _key(self, name: str | None) -> str:
        if name is not None and (not isinstance(name, str) or not name):
            raise UsageError(f"golden.check: name must be a text that is not empty, got {name!r}")
        key = name or ""
        if key in self._seen:
            raise UsageError(
                f"golden.check: a second check named {name!r} in one test: give each a name of its own"
                if key
                else "golden.check: a second check without a name in one test: give it one, as in golden.check(value, 'loss')"
            )
        self._seen.add(key)
        return key

    def _golden_checks(self) -> Mapping[str, Recorded]:
        if not self._loaded:
            self._stored = load(self.folder)
            self._loaded = True
            if self._stored is not None and not self._stored.is_of(self.test, self.folder):
                raise UsageError(
                    f"two tests have the same golden folder {self.folder}: {self.test} and "
                    f"{self._stored.file}::{self._stored.test}. Rename one of them, or move its golden"
                )
        return self._stored.checks if self._stored else {}

    def _is_same(self, recorded: Recorded, node: Node, asked: Tolerances) -> bool:
        """Tell whether this is what was recorded, to the last bit and with the same tolerance."""
        if is_large(node) and _parts_at_once(recorded, self.folder, node):
            return False
        return fingerprint_node(node).digest == recorded.digest and recorded.tolerance == to_json(asked)

    def _repeat(self, label: str, node: Node, asked: Tolerances) -> None:
        __tracebackhide__ = True
        if self.rehearsal is None:
            raise UsageError(
                "golden: ask for it as an argument of the test or of a fixture, so that recording runs twice"
            )
        (self.rehearsal.note if self.rehearsing else self.rehearsal.hold)(label, node, asked)

    def _absent(self, key: str, node: Node, asked: Tolerances) -> None:
        __tracebackhide__ = True
        if is_empty(node):
            self.notify(Check(key, "failed"))
            raise AssertionError(f"{_title(key)} has no element at all: an empty comparison proves nothing")
        require_used(asked, leaf_paths(node))
        self._stage(key, node, asked)
        if self.mode == "check":
            self._missing.append(key)
            self.notify(Check(key, "missing"))

    def _verdict(self, key: str, node: Node, asked: Tolerances) -> Verdict | None:
        """Check a value and put it aside if it is new or differs; None if that is no failure."""
        __tracebackhide__ = True
        recorded = self._golden_checks().get(key)
        if recorded is None:
            self._absent(key, node, asked)
            return None
        if self._is_same(recorded, node, asked):
            verify_arrays(recorded, self.folder, large=False)
            self.notify(Check(key, "passed"))
            return None
        verify_arrays(recorded, self.folder)
        looser = loosened(recorded.tolerances, asked, leaves(node))
        comparison = compare(recorded.node(self.folder), node, tighter(recorded.tolerances, asked))
        if comparison.ok and not looser:
            self.notify(Check(key, "passed"))
            return None
        self._changes.append(comparison.headline if not comparison.ok else "; ".join(looser))
        self._stage(key, node, asked)
        if self.mode == "update":
            return None
        self._failed = True
        self.notify(Check(key, "failed"))
        details = explain(comparison) if not comparison.ok else WITHIN
        return Verdict(recorded, comparison.ok, "\n".join([details, *looser]))

    def _failure(self, key: str, verdict: Verdict) -> str:
        """Return the message of a check that differs; steps that differ explain it better than the whole test can."""
        now, trouble = self._made_from(verdict.recorded)
        if verdict.ok:
            why = Why(f"{_title(key)} is held to a looser tolerance than recorded")
        else:
            why = since_recorded(verdict.recorded, self.folder, now, subject=key or "the unnamed value")
        details, reasons = verdict.details, why.evidence
        for headline in self._steps_change():
            assert self._steps is not None  # it has steps that part
            details = "\n".join([*self._steps.lines(self._steps.found()), "", why.conclusion, details])
            why, reasons = replace(why, conclusion=headline), (*self._steps.reasons(now), *trouble)
        return failure_text(
            headline=why.conclusion,
            details=details,
            why=tuple(dict.fromkeys((*reasons, *trouble))),
            next_commands=self._commands(self._propose((), now, why.conclusion), bisect=why.several),
        )

    def _steps_change(self) -> list[str]:
        """Return the conclusion on the steps, if one parts."""
        if self._steps is None or self.rehearsing:
            return []
        return list(filter(None, [self._steps.headline()]))

    def _steps_failure(self, steps: StepBook, unused: list[str]) -> str:
        now, trouble = self._made_from()
        loose = f"step {', '.join(map(repr, steps.loosened))} is held to a looser tolerance than recorded"
        headline = steps.headline() or loose
        details = steps.lines(steps.whole()) or [steps.words(name) for name in steps.loosened]
        details += self._incomplete([key for key in unused if key not in steps.unused_keys()])
        return failure_text(
            headline=headline,
            details="\n".join(details),
            why=(*steps.reasons(now), *trouble),
            next_commands=self._commands(self._propose(unused, now, headline)),
        )

    def _stage(self, key: str, node: Node, asked: Tolerances) -> None:
        self.staging().add(key, node, asked)

    def _fail_at_end(self, unused: list[str]) -> None:
        __tracebackhide__ = True
        steps = self._steps
        details = self._incomplete([key for key in unused if steps is None or key not in steps.unused_keys()])
        details += list(changes(steps.whole())) if steps is not None else []
        if self.mode != "check":
            details.append("Nothing was recorded: a recording never drops what is there.")
        raise AssertionError(
            failure_text(
                headline=f"golden of {self.test} is not complete",
                details="\n".join(details),
                next_commands=self._commands(self._propose(unused, self._made_from()[0])),
            )
        )

    def _incomplete(self, unused: list[str]) -> list[str]:
        """Return what is to be said of checks that are missing on either side."""
        details = []
        if self._missing and self.mode == "check":
            missing = [key for key in self._missing if self._steps is None or key not in self._steps.missing_keys()]
            details += [f"{_list(missing)}: no golden is recorded yet."] if missing else []
        if unused:
            details.append(f"{_list(unused)}: recorded, and no check of this run came to it.")
        for key in unused:
            self.notify(Check(key, "unused"))
        return details

    def _made_from(self, recorded: Recorded | None = None) -> tuple[Provenance, list[str]]:
        """Return what this run is made from; what can't be told must not hide the failure that it should explain."""
        try:
            return self._provenance(None if recorded is None else recorded_provenance(recorded, self.folder)), []
        except MlreproError as error:
            return Provenance(), [f"what this run is made from is unknown: {error}"]

    def _propose(self, dropped: list[str] | tuple[()], made_from: Provenance, why: str = "") -> str | None:
        """Write the proposal; a store that can't be written must not hide the failure that is being told."""
        if self._staging:
            self._staging.made_from(made_from)
        staged = self._staging.checks if self._staging else {}
        kept = {key: check for key, check in self._golden_checks().items() if key not in dropped}
        gone = self._steps.unused() if self._steps is not None and dropped != () else []
        try:
            new = self._proposed({**kept, **staged}, gone, made_from)
            propose(
                self.settings.root,
                self.folder,
                self._stored,
                new,
                arrays=self._staging.files() if self._staging else [],
                test=self.nodeid,
                change=_greatest([*self._steps_change(), *self._changes]) or "",
                why=why,
            )
        except GoldenError as error:
            return str(error)
        return None

    def _proposed(self, checks: Mapping[str, Recorded], gone: Collection[str], made_from: Provenance) -> Golden:
        """Return the golden with these checks and the steps of this run, but for those that are gone."""
        steps, details = self.steps_or_stored(gone, made_from)
        return Golden.of(self.test, self.folder, checks, steps, details)

    def steps_or_stored(self, gone: Collection[str], made_from: Provenance) -> tuple[tuple[Step, ...], Json]:
        """Return the steps that the golden would have; those that are recorded where the test has no pipeline."""
        if self._steps is not None:
            return self._steps.proposed(gone, made_from)
        return (self._stored.steps, self._stored.details) if self._stored is not None else ((), None)

    def _commands(self, trouble: str | None, *, bisect: bool = False) -> tuple[str, ...]:
        if trouble:
            return (f"no proposal was written: {trouble}",)
        rerun = ("to find out by reruns what carries the change:", f"  mlrepro explain --bisect '{self.nodeid}'")
        return (
            *(rerun if bisect else ()),
            "to make this run's values the golden:",
            f"  mlrepro accept '{self.nodeid}' --reason '…'",
            "to look at what is recorded:",
            f"  mlrepro show '{self.nodeid}'",
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check that fails: the record that it fails, whether only by its tolerance, and how far it is apart in words."""

    recorded: Recorded
    ok: bool
    details: str


def _parts_at_once(recorded: Recorded, folder: Path, node: Node) -> bool:
    try:
        return part_at_once(recorded.node(folder), node)
    except GoldenError:
        return False  # what is wrong with it is told by those who read all of it


def _title(key: str) -> str:
    return f"golden {key!r}" if key else "the unnamed golden"


def _list(keys: list[str]) -> str:
    return ", ".join(_title(key) for key in keys)


def _greatest(changes: list[str]) -> str | None:
    return "; ".join(changes[:3]) or None
