"""The fixture `robustness`, and what the marker `adversarial` does through it: verdicts of a test, replayed, kept and told."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from .._json import one_line
from ..errors import UsageError
from ..golden.layout import golden_folder, hashed
from ..robustness.arguments import OPTIONS
from ..robustness.digests import also_of, samples_digest
from ..robustness.kept import load, points_of, save
from ..robustness.report import Progress, RobustnessReport, by_size
from ..robustness.robust import check_robust
from ..robustness.shown import shown
from .progress import Screen
from .properties import VERDICT, named
from .running import test_id

if TYPE_CHECKING:
    from ..golden.case import GoldenCase
    from ..records import Settings

__all__ = ["Robustness"]

KEPT: Final = Path(".mlrepro") / "counterexamples"
SHOWN: Final = 2


class Robustness:
    """The robustness checks of one test.

    `reports` has all verdicts so far, those of the marker first.
    """

    def __init__(
        self, item: pytest.Item, settings: Settings, golden: Callable[[], GoldenCase], *, seed: int, silent: bool
    ) -> None:
        self.reports: list[RobustnessReport] = []
        self._item, self._settings, self._golden, self._seed, self._silent = item, settings, golden, seed, silent
        self._names: set[str] = set()

    def check(
        self,
        model: Any,
        inputs: Any,
        labels: Any,
        threat: Any,
        *,
        name: str | None = None,
        baseline: bool = False,
        max_drop: float = 0.0,
        **options: Any,
    ) -> RobustnessReport:
        """Assert that a model stands up to a threat, as `assert_robust` does, and return the report.

        Counterexamples of earlier runs of this check are tried first; those of this run are kept for the next one.
        name: of the check, where one test has several with the same threat.
        baseline: hold robust accuracy against a recorded one (`--golden=record`), sample by sample; all attacks run over
            all samples, so that each has its status. It fails below the recorded value by more than `max_drop`, and
            refuses to compare what was recorded under another threat, other attacks, samples or another seed.
        options: those of `assert_robust`.

        Raises AssertionError with the report in words, UsageError for arguments that can't be right.
        """
        __tracebackhide__ = True
        report, failure = self.evaluate(
            model, inputs, labels, threat, name=name, baseline=baseline, max_drop=max_drop, **options
        )
        if failure:
            raise AssertionError(failure)
        return report

    def evaluate(
        self, model: Any, inputs: Any, labels: Any, threat: Any, *,
        name: str | None = None, baseline: bool = False, max_drop: float = 0.0, **options: Any,
    ) -> tuple[RobustnessReport, str]:  # fmt: skip
        """Return the report, and the failure in words: "" if it passed."""
        unknown = sorted(options.keys() - OPTIONS)
        if unknown:
            raise UsageError(f"robustness: no option {', '.join(unknown)}: it takes {', '.join(sorted(OPTIONS))}")
        key = self._claimed(name, threat)
        _valid(baseline, max_drop, options)
        options.setdefault("seed", self._seed)
        if baseline:
            options["complete"] = True
        scratch, standing = self._files(key)
        before = {**load(scratch), **load(standing), **(self._recorded(key) if baseline else {})}
        with Screen(self._item.config).of(f"{self._item.name}, {key}") as screen:
            options.setdefault("progress", lambda at: screen.tell(_where(at)))
            report = check_robust(model, inputs, labels, threat, replayed=before, **options)
        self.reports.append(report)
        failure = self._words(report, options) or (
            self._held(key, report, inputs, labels, options, max_drop) if baseline else ""
        )
        if not self._silent:
            if points := points_of(report):
                save(scratch, points)
                mode = self._settings.mode
                if mode == "update" or (mode == "record" and not standing.exists()):
                    save(standing, points, ignored=False)
            self._tell(key, report, "failed" if failure else "passed")
        return report, failure

    def _claimed(self, name: str | None, threat: Any) -> str:
        if name is not None and (not isinstance(name, str) or not name):
            raise UsageError(f"robustness: name must be a text that is not empty, got {name!r}")
        key = name or str(threat)
        if key in self._names:
            raise UsageError(f"robustness: a second check named {key!r} in one test: give each a name= of its own")
        self._names.add(key)
        return key

    def _words(self, report: RobustnessReport, options: Mapping[str, Any]) -> str:
        if report.passed or report.verdict in options.get("allow", ()):
            return ""
        pictures = [line for example in by_size(report.counterexamples)[:SHOWN] for line in ("", *shown(example))]
        return "\n".join([*report.lines(), *pictures])

    def _recorded(self, key: str) -> Mapping[int, Any]:
        from ..golden.ratcheting import points_before

        case = self._golden()
        case.checking.claim(key, "robustness.check(baseline=True)")
        return points_before(case, key)

    def _held(
        self, key: str, report: RobustnessReport, inputs: Any, labels: Any, options: Mapping[str, Any], max_drop: float
    ) -> str:
        from ..golden.ratcheting import hold

        setup = {
            "threat": str(report.threat),
            "attacks": report.attacks
            if report.attacks != "given"
            else ", ".join(stage.attack for stage in report.stages),
            "samples": samples_digest(inputs, labels),
            "seed": str(options["seed"]),
        }
        setup.update(also_of(report.threat))
        if report.max_change is not None:
            setup["max_change"] = f"{report.max_change!r}"
        return hold(self._golden(), key, report, setup, float(max_drop))

    def _files(self, key: str) -> tuple[Path, Path]:
        """Return where counterexamples are kept: of the last run, and of the last that recorded goldens."""
        test = self._item.nodeid
        slug = re.sub(r"[^a-z0-9]+", "-", test.rpartition("/")[2].lower()).strip("-")[:40]
        digest = sha256(f"{test}\0{key}".encode()).hexdigest()[:12]
        root, own = self._settings.root, test_id(self._item)
        folder = golden_folder(own, root=root, golden_dir=self._settings.golden_dir).parent
        name = hashed(own.name, own.file.name, key)  # not the way there, so that it is found from another root too
        return root / KEPT / f"{slug}-{digest}.npz", folder / KEPT.name / f"{name}.npz"

    def _tell(self, key: str, report: RobustnessReport, outcome: str) -> None:
        facts = {
            "kind": "robustness",
            "outcome": outcome,
            "verdict": report.verdict,
            "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "threat": str(report.threat),
            "required": report.min_accuracy,
            "clean_accuracy": report.clean_accuracy,
            "robust_accuracy": report.robust_accuracy,
            "proved": report.proved,
            "samples": report.samples,
            "samples_used": report.samples_used,
            "evaluations": report.evaluations,
            "saved": report.saved,
            "seconds": round(report.seconds, 3),
            "counterexamples": len(report.counterexamples),
        }
        self._item.user_properties.append((named(VERDICT, key), one_line(facts)))


def _where(at: Progress) -> str:
    return f"{at.attack}, {at.done} of {at.total} samples, {at.broken} have fallen"


def _valid(baseline: object, max_drop: object, options: Mapping[str, Any]) -> None:
    if not isinstance(baseline, bool):
        raise UsageError(f"robustness: baseline must be True or False, got {baseline!r}")
    if isinstance(max_drop, bool) or not isinstance(max_drop, int | float) or not 0 <= max_drop < 1:
        raise UsageError(f"robustness: max_drop must be a share from 0 to below 1, got {max_drop!r}")
    if max_drop and not baseline:
        raise UsageError("robustness: max_drop is of a baseline: give baseline=True")
    if baseline and options.get("confidence") is not None:
        raise UsageError(
            "robustness: a baseline is held sample by sample, and confidence decides by some of them: give one of the two"
        )
