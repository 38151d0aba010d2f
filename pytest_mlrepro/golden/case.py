"""One test and its golden while the test runs: each value is checked, put aside to be recorded, or proposed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Literal

from ..compare.tolerance import Tolerance
from ..errors import UsageError
from ..provenance.record import Provenance
from ..records import Check, Settings, TestId
from ..values.describe import describe
from ..values.node import Node
from .alike import Alike, Sample, metrics_in, valid_rate
from .calibrated import Calibrating
from .checking import Checking, title
from .failing import Failing, greatest, list_of
from .objects import Objects
from .observer import Observer
from .record import Golden
from .rules import Rule
from .sampling import sampled, valid_seeds
from .steps import StepBook
from .store import save, tidy

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
        tell: Callable[[str], None] = lambda _words: None,
    ) -> None:
        self.test, self.folder, self.settings, self.nodeid = test, folder, settings, nodeid
        self.checking = Checking(
            test,
            folder,
            settings.mode,
            observer=observer,
            silent=silent,
            notify=notify,
            remark=remark,
            vary=vary,
            objects=Objects(settings.root, settings.store, settings.store_limit, tell),
        )
        """What the values of the test come to."""
        self._provenance = provenance
        """Asked only when a check differs or is recorded: a passing test pays nothing for it."""
        self._elsewhere = elsewhere
        """How many metrics the distribution checks of all other goldens have."""
        self.book: StepBook | None = None
        """The steps of the test's pipeline, if it has one."""
        self.asked = "golden"
        """The fixture that the test asks for, as failures call it."""
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

        `rtol` is relative to the recorded value, and goes with `atol`: `|value - golden| <= atol + rtol * |golden|`.
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
        rule = self.checking.rule(key, tolerance, rtol=rtol, atol=atol, max_ulp=max_ulp)
        self._hold(key, value, describe(value), rule)

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
        others = {other: check for other, check in self.checking.recorded().items() if other != key}
        rule = Alike(rate, self._elsewhere() + sum(map(metrics_in, others.values())))
        rule.require_seeds(chosen, metrics=1)  # before hours of training, as far as that can be told now
        sample = Sample.of(chosen, sampled(fn, chosen, executor))
        if sample.first_odd():
            self._odd(key, sample.first_odd())
        self._hold(key, sample.values, sample.node, rule)

    def _hold(self, key: str, value: object, node: Node, rule: Rule | Calibrating) -> None:
        __tracebackhide__ = True
        counts = self.checking.shown(title(key), value, node, rule)
        if counts is None:
            return
        found = self.checking.judge(key, node, counts)
        if found is not None:
            raise AssertionError(Failing(self).check(key, self.checking.recorded()[key], found))

    def _odd(self, key: str, what: str) -> None:
        """Fail for a metric that is no finite number: there is nothing to test, and nothing to record."""
        __tracebackhide__ = True
        if not self.checking.silent:
            self.checking.failed = True
            self.checking.notify(Check(key, "failed"))
        raise AssertionError(f"{title(key)}: {what}: a distribution is of finite numbers")

    @property
    def steps(self) -> StepBook:
        """Where the steps of the test's pipeline are entered; made when somebody asks first."""
        if self.book is None:
            self.book = StepBook(self.checking)
        return self.book

    def provenance(self, then: Provenance | None) -> Provenance:
        """Return what this run is made from; `then` is what it will be held against."""
        return self._provenance(then)

    # The end of the test

    def finish(self) -> None:
        """Close the test after its body has passed; raise AssertionError for what was not reached or is not recorded."""
        __tracebackhide__ = True
        if self.checking.silent:
            return
        self._require_any()
        golden, _ = self.checking.stored()
        if golden is not None and golden.steps:
            self.steps  # noqa: B018  # also where none of what is recorded ran
        unused, book = sorted(self.checking.recorded().keys() - self.checking.seen), self.book
        if book is not None and book.failed:
            self.checking.failed = True
            raise AssertionError(Failing(self).steps(book, unused))
        missing = bool(self.checking.missing or (book is not None and book.missing))
        if unused or (book is not None and book.unused()) or (missing and self.checking.mode == "check"):
            raise AssertionError(Failing(self).incomplete(unused))
        if self.checking.put_aside or (book is not None and book.staged):
            self._made = self._provenance(None)  # now: what the fixtures set up still stands as it stood for the test
            self.checking.staging().made_from(self._made)

    def _require_any(self) -> None:
        __tracebackhide__ = True
        if self.book is not None and not self.book.ran:
            raise AssertionError(
                "the test asks for `pipeline` and never came to pipeline.step(...): nothing was recorded"
            )
        if not self.checking.seen and not self.checking.free and self.book is None:
            raise AssertionError(
                f"the test asks for `{self.asked}` and never came to {self.asked}.check(...): nothing was checked"
            )

    def commit(self) -> None:
        """Write what was put aside, after the whole test has passed."""
        checking = self.checking
        if checking.mode == "check" or checking.failed:  # a failed check counts, also one that the test swallowed
            return
        if checking.put_aside is None:
            tidy(self.folder)
            return
        old = checking.recorded()
        save(
            self.folder,
            self.proposed((), (), self._made or Provenance()),
            checking.put_aside.folder,
            action=checking.mode,
            reason=self.settings.reason or "first recording",
            change=greatest([*self.steps_change(), *checking.changes]),
            root=self.settings.root,
            objects=checking.objects,
        )
        if self.book is not None:
            self.book.tell_recorded()
        for key in checking.put_aside.checks:
            checking.notify(Check(key, "updated" if key in old else "recorded"))

    def proposed(self, dropped: Collection[str], gone: Collection[str], made_from: Provenance) -> Golden:
        """Return the golden with this run's checks and steps, but for checks that are dropped and steps that are gone."""
        kept = {key: check for key, check in self.checking.recorded().items() if key not in dropped}
        staged = self.checking.put_aside.checks if self.checking.put_aside is not None else {}
        if self.book is not None:
            steps, details = self.book.proposed(gone, made_from)
        else:
            golden, _ = self.checking.stored()
            steps, details = (golden.steps, golden.details) if golden is not None else ((), None)
        return Golden.of(self.test, self.folder, {**kept, **staged}, steps, details)

    def discard(self) -> None:
        """Remove what was put aside."""
        if self.checking.put_aside is not None:
            self.checking.put_aside.discard()
            self.checking.put_aside = None

    @property
    def notes(self) -> list[str]:
        """Return what a test that failed for another reason should say about its golden."""
        notes = [f"pipeline: {text}" for text in self.steps_change()]
        if self.checking.missing:
            notes.append(
                f"golden: {list_of(self.checking.missing)} not recorded yet; nothing was proposed, since the test failed"
            )
        elif self.checking.put_aside is not None and self.checking.mode != "check":
            notes.append("golden: nothing was recorded, since the test failed")
        return notes

    def steps_change(self) -> list[str]:
        """Return the conclusion on the steps, if one parts."""
        if self.book is None or self.checking.silent:
            return []
        return list(filter(None, [self.book.headline()]))

    def _key(self, name: str | None) -> str:
        if name is not None and (not isinstance(name, str) or not name):
            raise UsageError(f"golden.check: name must be a text that is not empty, got {name!r}")
        key = name or ""
        if key in self.checking.seen:
            raise UsageError(
                f"golden.check: a second check named {name!r} in one test: give each a name of its own"
                if key
                else "golden.check: a second check without a name in one test: give it one, as in golden.check(value, 'loss')"
            )
        self.checking.seen.add(key)
        return key
