"""One test and its golden while the test runs: each value is checked, put aside to be recorded, or proposed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Literal

from .._json import Json
from ..compare.start import is_large, part_at_once
from ..compare.tolerance import Tolerance, tolerances
from ..errors import GoldenError, UsageError
from ..fingerprints import fingerprint_node
from ..provenance.record import Provenance
from ..records import Check, Settings, TestId
from ..values.describe import describe
from ..values.node import Node, is_empty
from .alike import Alike, Sample, metrics_in, valid_rate
from .calibrated import CALIBRATE, Calibrating, calibrating
from .failing import Failing, greatest, list_of, title
from .observer import Observer
from .record import Golden, Recorded
from .rules import Judgement, Rule, Within
from .sampling import sampled, valid_seeds
from .steps import StepBook
from .store import Staging, load, save, tidy, verify_arrays

__all__ = ["GoldenCase"]


class GoldenCase:
    """The golden run of one test.

    In `check` mode each value is compared with its golden. In `record` mode missing ones are recorded too, in `update` mode
    also those that differ; both need an observer, who holds the run against another one, and write nothing before `commit`.
    A silent run does not count: it only shows its values to the observer.
    """

    def __init__(
        self,
        test: TestId,
        folder: Path,
        settings: Settings,
        *,
        nodeid: str,
        observer: Observer | None = None,
        silent: bool = False,
        notify: Callable[[Check], None],
        provenance: Callable[[Provenance | None], Provenance] = lambda _: Provenance(),
        elsewhere: Callable[[], int] = lambda: 0,
        remark: Callable[[str, str], None] = lambda _name, _text: None,
        vary: tuple[str, ...] = (),
    ) -> None:
        self.test, self.folder, self.settings, self.nodeid = test, folder, settings, nodeid
        self.mode, self.silent, self.notify, self._observer = settings.mode, silent, notify, observer
        self._provenance = provenance
        """Asked only when a check differs or is recorded: a passing test pays nothing for it."""
        self._elsewhere = elsewhere
        """How many metrics the distribution checks of all other goldens have."""
        self._remark = remark
        """Takes what a check that passed has to say, by its name."""
        self._vary = vary
        """What the further runs of the test vary; `reruns` for those that vary nothing."""
        self.missing: list[str] = []
        """The checks that have no golden, in the order in which the test came to them."""
        self.changes: list[str] = []
        """How far values are from their golden, a line each."""
        self.put_aside: Staging | None = None
        """What is to be recorded or proposed, if anything is."""
        self.book: StepBook | None = None
        """The steps of the test's pipeline, if it has one."""
        self._seen: set[str] = set()
        self._failed = False
        self._stored: Golden | None = None
        self._loaded = False
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
        tolerance: Tolerance | Mapping[str, Tolerance] | Literal["calibrate"] | None = None,
    ) -> None:
        """Compare `value` with what was recorded under `name`; one check of a test may go without a name.

        `rtol` is relative to the recorded value, and is given together with `atol`: |value - golden| <= atol + rtol * |golden|.
        `max_ulp` allows that many representable numbers between the two. `tolerance` is a `Tolerance`, or a mapping of
        glob patterns over keys to one each; or "calibrate": then it is how far the further runs that the marker asks for
        (`@repro(vary=…)`) are seen apart when the check is recorded, for each key, times a safety factor. Without any of
        them, floats have the tolerance of their dtype as in `torch.testing` with `atol` 0, and everything else is exact.

        Raises AssertionError if the value differs; UsageError for a second unnamed check, a name that was used before, or
        arguments that can't be right; GoldenError if the golden can't be trusted; FingerprintError if the value is of a kind
        that has no stable form. A value that is missing in the golden fails the test at its end, so that all are proposed.
        """
        __tracebackhide__ = True
        key = self._key(name)
        self._hold(key, value, describe(value), self.rule(key, tolerance, rtol=rtol, atol=atol, max_ulp=max_ulp))

    def check_distribution(
        self,
        fn: Callable[[int], object],
        name: str | None = None,
        *,
        seeds: int | Collection[int] = 20,
        false_alarm_rate: float = 0.01,
        executor: Executor | None = None,
    ) -> None:
        """Hold the distribution of a metric over seeds against the recorded one.

        `fn(seed)` returns a number, a small array, or a mapping of names to these; it runs once for each of `seeds` (so
        many from 0 on, or those named), each run seeded with its seed and everything put back. When it is checked the same
        seeds run again, and recorded and present value of each are a pair. Two exact tests of signed ranks, of a shift
        and of another spread, decide for each metric: see `compare.distribution`. `false_alarm_rate` is how often any
        distribution check of the whole suite may fail though nothing changed; all metrics that are recorded below the root
        directory share it evenly. Failures, and the end of a run, say how small a shift would have been seen. `executor`
        (any `concurrent.futures.Executor`) runs the seeds elsewhere, with the same values.

        Raises AssertionError if a distribution changed, or a metric is NaN or infinite (it names the seed); UsageError for
        arguments that can't be right, for what is no metric, and for so few seeds that no change could ever be seen.
        """
        __tracebackhide__ = True
        key = self._key(name)
        rate, chosen = valid_rate(false_alarm_rate), valid_seeds(seeds)
        others = {other: check for other, check in self._golden_checks().items() if other != key}
        rule = Alike(rate, self._elsewhere() + sum(map(metrics_in, others.values())))
        rule.require_seeds(chosen, metrics=1)  # before hours of training, as far as that can be told now
        sample = Sample.of(chosen, sampled(fn, chosen, executor))
        if sample.first_odd():
            self._odd(key, sample.first_odd())
        self._hold(key, sample.values, sample.node, rule)

    def _hold(self, key: str, value: object, node: Node, rule: Rule | Calibrating) -> None:
        __tracebackhide__ = True
        counts = self.shown(title(key), value, node, rule)
        if counts is None:
            return
        found = self.judge(key, node, counts)
        if found is not None:
            raise AssertionError(Failing(self).check(key, self._golden_checks()[key], found))

    def _odd(self, key: str, what: str) -> None:
        """Fail for a metric that is no finite number: there is nothing to test, and nothing to record."""
        __tracebackhide__ = True
        if not self.silent:
            self._failed = True
            self.notify(Check(key, "failed"))
        raise AssertionError(f"{title(key)}: {what}: a distribution is of finite numbers")

    # What a check and the step of a pipeline have in common (see `steps.StepBook`)

    def rule(
        self,
        key: str,
        tolerance: Tolerance | Mapping[str, Tolerance] | Literal["calibrate"] | None,
        where: str = "golden.check: tolerance",
        **numbers: float | None,
    ) -> Rule | Calibrating:
        """Return what a value is held to; `where` is what failures call the argument."""
        if tolerance == CALIBRATE:
            return calibrating(
                self._golden_checks().get(key), self.mode, self._vary, tuple(numbers.values()), where=where
            )
        return Within(tolerances(tolerance=tolerance, **numbers))  # type: ignore[arg-type]  # which number may be what is asked there

    def shown(
        self, label: str, value: object, node: Node, rule: Rule | Calibrating, asker: str = "golden"
    ) -> Rule | None:
        """Show a value to the observer; return its rule, learned if it is to be calibrated, or None in a silent run."""
        __tracebackhide__ = True
        self.observe(label, value, node, rule.json, asker)
        if self.silent:
            return None
        if isinstance(rule, Calibrating):
            return rule.learned(label, node, self._observer.others() if self._observer else [])
        return rule

    @property
    def is_held(self) -> bool:
        """Whether the run is held against others, as each must be that may record something."""
        return self._observer is not None or self.mode != "check"

    def observe(
        self, label: str, value: object, node: Node, allowed: Mapping[str, Json] | None, asker: str = "golden"
    ) -> None:
        """Show a value to the observer; raise AssertionError where runs part, UsageError where a recording has none."""
        __tracebackhide__ = True
        if self._observer is not None:
            self._observer.observe(label, value, node, allowed)
        elif self.mode != "check":
            raise UsageError(
                f"{asker}: ask for it as an argument of the test or of a fixture, so that recording runs twice"
            )

    def judge(self, key: str, node: Node, rule: Rule) -> Judgement | None:
        """Check a value, and put it aside if it is new or differs; return how it differs where that is a failure."""
        __tracebackhide__ = True
        recorded = self._golden_checks().get(key)
        if recorded is None:
            self._absent(key, node, rule)
            return None
        if self._is_same(recorded, node, rule):
            verify_arrays(recorded, self.folder, large=False)
            self._passed(key, rule.same(node))
            return None
        verify_arrays(recorded, self.folder)
        found = rule.judge(recorded, self.folder, node)
        if not found.change and not found.looser:
            self._passed(key, found.remark)
            return None
        self.changes.append(found.change or "; ".join(found.looser))
        self.staging().add(key, node, rule.json)
        if self.mode == "update":
            return None
        self._failed = True
        self.notify(Check(key, "failed"))
        return found

    @property
    def steps(self) -> StepBook:
        """Where the steps of the test's pipeline are entered; made when somebody asks first."""
        if self.book is None:
            self.book = StepBook(self)
        return self.book

    def stored(self) -> tuple[Golden | None, Path]:
        """Return the golden, None where there is none, and its folder."""
        self._golden_checks()
        return self._stored, self.folder

    def staging(self) -> Staging:
        """Return where values are put aside."""
        if self.put_aside is None:
            self.put_aside = Staging()
        return self.put_aside

    def is_staged(self, key: str) -> bool:
        """Tell whether a value was put aside under this name."""
        return self.put_aside is not None and key in self.put_aside.checks

    def claim(self, key: str, what: str) -> None:
        """Reserve the name of a check; raise UsageError if another check has it."""
        if key in self._seen:
            raise UsageError(f"{what}: a golden.check of this test is named {key!r} too: rename one of them")
        self._seen.add(key)

    def provenance(self, then: Provenance | None) -> Provenance:
        """Return what this run is made from; `then` is what it will be held against."""
        return self._provenance(then)

    # The end of the test

    def finish(self) -> None:
        """Close the test after its body has passed; raise AssertionError for what was not reached or is not recorded."""
        __tracebackhide__ = True
        if self.silent:
            return
        self._require_any()
        recorded = self._golden_checks()
        if self._stored is not None and self._stored.steps:
            self.steps  # noqa: B018  # also where none of what is recorded ran
        unused, book = sorted(recorded.keys() - self._seen), self.book
        if book is not None and book.failed:
            self._failed = True
            raise AssertionError(Failing(self).steps(book, unused))
        missing = bool(self.missing or (book is not None and book.missing))
        if unused or (book is not None and book.unused()) or (missing and self.mode == "check"):
            raise AssertionError(Failing(self).incomplete(unused))
        if self.put_aside or (book is not None and book.staged):
            self._made = self._provenance(None)  # now: what the fixtures set up still stands as it stood for the test
            self.staging().made_from(self._made)

    def _require_any(self) -> None:
        __tracebackhide__ = True
        if self.book is not None and not self.book.ran:
            raise AssertionError(
                "the test asks for `pipeline` and never came to pipeline.step(...): nothing was recorded"
            )
        if not self._seen and self.book is None:
            raise AssertionError("the test asks for `golden` and never came to golden.check(...): nothing was checked")

    def commit(self) -> None:
        """Write what was put aside, after the whole test has passed."""
        if self.mode == "check" or self._failed:  # a failed check counts, also one that the test swallowed
            return
        if self.put_aside is None:
            tidy(self.folder)
            return
        old = self._golden_checks()
        save(
            self.folder,
            self.proposed((), (), self._made or Provenance()),
            self.put_aside.folder,
            action=self.mode,
            reason=self.settings.reason or "first recording",
            change=greatest([*self.steps_change(), *self.changes]),
            root=self.settings.root,
        )
        if self.book is not None:
            self.book.tell_recorded()
        for key in self.put_aside.checks:
            self.notify(Check(key, "updated" if key in old else "recorded"))

    def proposed(self, dropped: Collection[str], gone: Collection[str], made_from: Provenance) -> Golden:
        """Return the golden with this run's checks and steps, but for checks that are dropped and steps that are gone."""
        kept = {key: check for key, check in self._golden_checks().items() if key not in dropped}
        staged = self.put_aside.checks if self.put_aside is not None else {}
        if self.book is not None:
            steps, details = self.book.proposed(gone, made_from)
        else:
            steps, details = (self._stored.steps, self._stored.details) if self._stored is not None else ((), None)
        return Golden.of(self.test, self.folder, {**kept, **staged}, steps, details)

    def discard(self) -> None:
        """Remove what was put aside."""
        if self.put_aside is not None:
            self.put_aside.discard()
            self.put_aside = None

    @property
    def notes(self) -> list[str]:
        """Return what a test that failed for another reason should say about its golden."""
        notes = [f"pipeline: {text}" for text in self.steps_change()]
        if self.missing:
            notes.append(
                f"golden: {list_of(self.missing)} not recorded yet; nothing was proposed, since the test failed"
            )
        elif self.put_aside is not None and self.mode != "check":
            notes.append("golden: nothing was recorded, since the test failed")
        return notes

    def steps_change(self) -> list[str]:
        """Return the conclusion on the steps, if one parts."""
        if self.book is None or self.silent:
            return []
        return list(filter(None, [self.book.headline()]))

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

    def _is_same(self, recorded: Recorded, node: Node, rule: Rule) -> bool:
        """Tell whether this is what was recorded, to the last bit and with the same tolerance."""
        if is_large(node) and _parts_at_once(recorded, self.folder, node):
            return False
        return fingerprint_node(node).digest == recorded.digest and recorded.tolerance == rule.json

    def _absent(self, key: str, node: Node, rule: Rule) -> None:
        __tracebackhide__ = True
        if is_empty(node):
            self.notify(Check(key, "failed"))
            raise AssertionError(f"{title(key)} has no element at all: an empty comparison proves nothing")
        rule.begin(node)
        self.staging().add(key, node, rule.json)
        if self.mode == "check":
            self.missing.append(key)
            self.notify(Check(key, "missing"))

    def _passed(self, key: str, remark: str) -> None:
        self.notify(Check(key, "passed"))
        if remark:
            self._remark(key, remark)


def _parts_at_once(recorded: Recorded, folder: Path, node: Node) -> bool:
    try:
        return part_at_once(recorded.node(folder), node)
    except GoldenError:
        return False  # what is wrong with it is told by those who read all of it
