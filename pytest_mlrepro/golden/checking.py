"""What a check and the step of a pipeline have in common: a value is shown to the observer, judged, and put aside if it is new."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from .._json import Json
from ..compare.start import is_large, part_at_once
from ..compare.tolerance import Tolerance, tolerances
from ..errors import GoldenError, UsageError
from ..fingerprints import fingerprint_node
from ..records import Check, Mode, TestId
from ..values.node import Node, is_empty
from .calibrated import CALIBRATE, Calibrating, calibrating
from .objects import Objects
from .observer import Observer
from .record import Golden, Recorded, variant_text
from .rules import Judgement, Rule, Within
from .store import Staging, load, verify_arrays
from .witness import Witness

__all__ = ["Checking", "title"]


class Checking:
    """The values of one test beside its golden while the test runs."""

    def __init__(
        self,
        test: TestId,
        folder: Path,
        mode: Mode,
        *,
        observer: Observer | None,
        silent: bool,
        notify: Callable[[Check], None],
        remark: Callable[[str, str], None],
        vary: tuple[str, ...],
        variant: Mapping[str, str],
        objects: Objects | None = None,
    ) -> None:
        self._variant = variant
        self.test, self.folder, self.mode, self.silent, self.notify = test, folder, mode, silent, notify
        self._observer = observer
        self.objects = objects
        """Where large arrays lie; None for what the configuration says."""
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
        self.seen: set[str] = set()
        """Names of the checks that the test came to."""
        self.witness: Witness | None = None
        """Who is told what was found, beside the outcome."""
        self.free = 0
        """How many checks the test came to that hold a value to something else than a golden."""
        self.failed = False
        self._stored: Golden | None = None
        self._loaded = False

    def claim(self, key: str, what: str) -> None:
        """Reserve the name of a check; raise UsageError if another check has it."""
        if key in self.seen:
            raise UsageError(f"{what}: a golden.check of this test is named {key!r} too: rename one of them")
        self.seen.add(key)

    def rule(
        self,
        key: str,
        tolerance: Tolerance | Mapping[str, Tolerance] | Literal["calibrate"] | None,
        where: str = "golden.check: tolerance",
        **numbers: float | None,
    ) -> Rule | Calibrating:
        """Return what a value is held to; `where` is what failures call the argument."""
        if tolerance == CALIBRATE:
            return calibrating(self.recorded().get(key), self.mode, self._vary, tuple(numbers.values()), where=where)
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
            if self.objects is not None:
                self.objects.tell(f"at {label}")
            self._observer.observe(label, value, node, allowed)
        elif self.mode != "check":
            raise UsageError(
                f"{asker}: ask for it as an argument of the test or of a fixture, so that recording runs twice"
            )

    def judge(self, key: str, node: Node, rule: Rule) -> Judgement | None:
        """Check a value, and put it aside if it is new or differs; return how it differs where that is a failure."""
        __tracebackhide__ = True
        recorded = self.recorded().get(key)
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
            if self.witness is not None and found.comparison is not None:
                self.witness.near(key, found.comparison)
            self._passed(key, found.remark)
            return None
        self.changes.append(found.change or "; ".join(found.looser))
        if self.witness is not None:
            self.witness.differs(key, recorded, self.folder, node, found)
        self.staging().add(key, node, rule.json)
        if self.mode == "update":
            return None
        self.failed = True
        self.notify(Check(key, "failed"))
        return found

    def recorded(self) -> Mapping[str, Recorded]:
        """Return the checks of the golden by name; GoldenError if it can't be trusted, UsageError if it is another test's."""
        if not self._loaded:
            self._stored = load(self.folder, self.objects)
            self._loaded = True
            if self._stored is not None and not self._stored.is_of(self.test, self.folder):
                raise UsageError(
                    f"two tests have the same golden folder {self.folder}: {self.test} and "
                    f"{self._stored.file}::{self._stored.test}. Rename one of them, or move its golden"
                )
            if self._stored is not None and dict(self._stored.variant) != dict(self._variant):
                raise GoldenError(
                    f"{self.folder} holds the golden {_of(self._stored.variant)}, and its name is that of the golden "
                    f"{_of(self._variant)}: the folder has another name than it was recorded under. Put it back from version "
                    "control"
                )
        return self._stored.checks if self._stored else {}

    def stored(self) -> tuple[Golden | None, Path]:
        """Return the golden, None where there is none, and its folder."""
        self.recorded()
        return self._stored, self.folder

    def staging(self) -> Staging:
        """Return where values are put aside."""
        if self.put_aside is None:
            self.put_aside = Staging(objects=self.objects)
        return self.put_aside

    def is_staged(self, key: str) -> bool:
        """Tell whether a value was put aside under this name."""
        return self.put_aside is not None and key in self.put_aside.checks

    def _is_same(self, recorded: Recorded, node: Node, rule: Rule) -> bool:
        """Tell whether this is what was recorded, to the last bit and with the same tolerance."""
        if is_large(node) and recorded.is_here(self.folder) and _parts_at_once(recorded, self.folder, node):
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


def _of(variant: Mapping[str, str]) -> str:
    return f"of the variant {variant_text(variant)}" if variant else "for all variants"


def title(key: str) -> str:
    """Return what failures call a check."""
    return f"golden {key!r}" if key else "the unnamed golden"
