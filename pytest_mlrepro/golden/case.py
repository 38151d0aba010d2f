"""One test and its golden while the test runs: each value is checked, put aside to be recorded, or proposed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Literal

from .._json import Json
from ..compare.explain import failure_text
from ..compare.start import is_large, part_at_once
from ..compare.tolerance import Tolerance, tolerances
from ..errors import GoldenError, MlreproError, UsageError
from ..fingerprints import fingerprint_node
from ..provenance.record import Provenance
from ..records import Check, Settings, TestId
from ..values.describe import describe
from ..values.node import Node, is_empty
from .alike import Alike, Sample, metrics_in, valid_rate
from .calibrated import CALIBRATE, Calibrating, calibrating
from .observer import Observer
from .pending import propose
from .reason import Why, recorded_provenance, since_recorded
from .record import Golden, Recorded
from .rules import Rule, Within
from .sampling import sampled, valid_seeds
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
        self._observer, self._silent, self._notify = observer, silent, notify
        self._provenance = provenance
        """Asked only when a check differs or is recorded: a passing test pays nothing for it."""
        self._elsewhere = elsewhere
        """How many metrics the distribution checks of all other goldens have."""
        self._remark = remark
        """Takes what a check that passed has to say, by its name."""
        self._vary = vary
        """What the further runs of the test vary; `reruns` for those that vary nothing."""
        self._seen: set[str] = set()
        self._missing: list[str] = []
        self._changes: list[str] = []
        self._staging: Staging | None = None
        self._failed = False
        self._stored: Golden | None = None
        self._loaded = False

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
        if tolerance == CALIBRATE:
            rule = calibrating(self._golden_checks().get(key), self.settings.mode, self._vary, (rtol, atol, max_ulp))
        else:
            rule = Within(tolerances(rtol=rtol, atol=atol, max_ulp=max_ulp, tolerance=tolerance))
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
        others = {other: check for other, check in self._golden_checks().items() if other != key}
        rule = Alike(rate, self._elsewhere() + sum(map(metrics_in, others.values())))
        rule.require_seeds(chosen, metrics=1)  # before hours of training, as far as that can be told now
        sample = Sample.of(chosen, sampled(fn, chosen, executor))
        if sample.first_odd():
            self._odd(key, sample.first_odd())
        self._hold(key, sample.values, sample.node, rule)

    def _hold(self, key: str, value: object, node: Node, rule: Rule | Calibrating) -> None:
        __tracebackhide__ = True
        self._observe(_title(key), value, node, rule.json)
        if self._silent:
            return
        if isinstance(rule, Calibrating):
            rule = rule.learned(_title(key), node, self._observer.others() if self._observer else [])
        recorded = self._golden_checks().get(key)
        if recorded is None:
            self._absent(key, node, rule)
        elif self._is_same(recorded, node, rule):
            verify_arrays(recorded, self.folder, large=False)
            self._passed(key, rule.same(node))
        else:
            self._differs(key, node, rule, recorded)

    def _passed(self, key: str, remark: str) -> None:
        self._notify(Check(key, "passed"))
        if remark:
            self._remark(key, remark)

    def _odd(self, key: str, what: str) -> None:
        """Fail for a metric that is no finite number: there is nothing to test, and nothing to record."""
        __tracebackhide__ = True
        if not self._silent:
            self._failed = True
            self._notify(Check(key, "failed"))
        raise AssertionError(f"{_title(key)}: {what}: a distribution is of finite numbers")

    def finish(self) -> None:
        """Close the test after its body has passed; raise AssertionError for what was not reached or is not recorded."""
        __tracebackhide__ = True
        if self._silent:
            return
        if not self._seen:
            raise AssertionError("the test asks for `golden` and never came to golden.check(...): nothing was checked")
        unused = sorted(self._golden_checks().keys() - self._seen)
        if unused or (self._missing and self.settings.mode == "check"):
            self._fail_at_end(unused)
        if self._staging:  # now: what the fixtures set up still stands as it stood for the test
            self._staging.made_from(self._provenance(None))

    def commit(self) -> None:
        """Write what was put aside, after the whole test has passed."""
        if self.settings.mode == "check" or self._failed:  # a failed check counts, also one that the test swallowed
            return
        if self._staging is None:
            tidy(self.folder)
            return
        old = self._golden_checks()
        golden = self._proposed({**old, **self._staging.checks})
        save(
            self.folder,
            golden,
            self._staging.folder,
            action=self.settings.mode,
            reason=self.settings.reason or "first recording",
            change=_greatest(self._changes),
            root=self.settings.root,
        )
        for key in self._staging.checks:
            self._notify(Check(key, "updated" if key in old else "recorded"))

    def discard(self) -> None:
        """Remove what was put aside."""
        if self._staging is not None:
            self._staging.discard()
            self._staging = None

    @property
    def notes(self) -> list[str]:
        """Return what a test that failed for another reason should say about its golden."""
        notes = []
        if self._missing:
            notes.append(
                f"golden: {_list(self._missing)} not recorded yet; nothing was proposed, since the test failed"
            )
        elif self._staging is not None and self.settings.mode != "check":
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

    def _is_same(self, recorded: Recorded, node: Node, rule: Rule) -> bool:
        """Tell whether this is what was recorded, to the last bit and with the same tolerance."""
        if is_large(node) and _parts_at_once(recorded, self.folder, node):
            return False
        return fingerprint_node(node).digest == recorded.digest and recorded.tolerance == rule.json

    def _observe(self, label: str, value: object, node: Node, allowed: Mapping[str, Json]) -> None:
        __tracebackhide__ = True
        if self._observer is not None:
            self._observer.observe(label, value, node, allowed)
        elif self.settings.mode != "check":
            raise UsageError(
                "golden: ask for it as an argument of the test or of a fixture, so that recording runs twice"
            )

    def _absent(self, key: str, node: Node, rule: Rule) -> None:
        __tracebackhide__ = True
        if is_empty(node):
            self._notify(Check(key, "failed"))
            raise AssertionError(f"{_title(key)} has no element at all: an empty comparison proves nothing")
        rule.begin(node)
        self._stage(key, node, rule)
        if self.settings.mode == "check":
            self._missing.append(key)
            self._notify(Check(key, "missing"))

    def _differs(self, key: str, node: Node, rule: Rule, recorded: Recorded) -> None:
        __tracebackhide__ = True
        verify_arrays(recorded, self.folder)
        found = rule.judge(recorded, self.folder, node)
        if not found.change and not found.looser:
            self._passed(key, found.remark)
            return
        self._changes.append(found.change or "; ".join(found.looser))
        self._stage(key, node, rule)
        if self.settings.mode == "update":
            return
        self._failed = True
        self._notify(Check(key, "failed"))
        now, trouble = self._made_from(recorded)
        if not found.change:
            why = Why(f"{_title(key)} is held to a looser tolerance than recorded")
            details = "the value is within what was allowed when it was recorded."
        else:
            why = since_recorded(recorded, self.folder, now, subject=key or "the unnamed value")
            details = found.details
        raise AssertionError(
            failure_text(
                headline=why.conclusion,
                details="\n".join([details, *found.looser]),
                why=(*why.evidence, *trouble),
                next_commands=self._commands(self._propose((), now, why.conclusion), bisect=why.several),
            )
        )

    def _stage(self, key: str, node: Node, rule: Rule) -> None:
        if self._staging is None:
            self._staging = Staging()
        self._staging.add(key, node, rule.json)

    def _fail_at_end(self, unused: list[str]) -> None:
        __tracebackhide__ = True
        details = []
        if self._missing and self.settings.mode == "check":
            details.append(f"{_list(self._missing)}: no golden is recorded yet.")
        if unused:
            details.append(f"{_list(unused)}: recorded, and no check of this run came to it.")
            for key in unused:
                self._notify(Check(key, "unused"))
        if self.settings.mode != "check":
            details.append("Nothing was recorded: a recording never drops what is there.")
        raise AssertionError(
            failure_text(
                headline=f"golden of {self.test} is not complete",
                details="\n".join(details),
                next_commands=self._commands(self._propose(unused, self._made_from()[0])),
            )
        )

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
        files = {entry["file"] for check in staged.values() for entry in check.files()}
        try:
            propose(
                self.settings.root,
                self.folder,
                self._stored,
                self._proposed({**kept, **staged}),
                arrays=[self._staging.folder / name for name in sorted(files)] if self._staging else [],
                test=self.nodeid,
                change=_greatest(self._changes) or "",
                why=why,
            )
        except GoldenError as error:
            return str(error)
        return None

    def _proposed(self, checks: Mapping[str, Recorded]) -> Golden:
        return Golden.of(self.test, self.folder, checks)

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
