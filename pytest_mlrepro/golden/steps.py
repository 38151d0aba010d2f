"""The steps of one test and its golden while the test runs: each is entered as it ends, and judged when all have.

Only at the end is it known what follows from the first step that differs, and only then do all steps stand for a proposal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from ..errors import GoldenError, UsageError
from ..pipeline.facts import Step
from ..pipeline.parting import Parting, parting
from ..provenance.record import Provenance
from ..records import Check, Outcome
from ..values.describe import describe
from ..values.node import Node, Scalar
from .rules import Rule
from .step_details import Detail, Details
from .step_words import headline, lines, reasons_of
from .store import details_of
from .timings import Timing

if TYPE_CHECKING:
    from ..pipeline.after import Check as StepCheck
    from ..pipeline.after import Made
    from .checking import Checking

__all__ = ["StepBook", "step_key"]

FILES: Final = frozenset({"file", "folder", "path"})
"""Kinds of outputs that are known by what lies on disk, not by the value that names it."""

State: TypeAlias = Literal["same", "within", "differs", "new"]


def step_key(name: str) -> str:
    """Return the name under which the value of a step with `check` stands among the checks."""
    return f"step {name}"


class StepBook:
    """Where the steps of a test are entered; see `pipeline.after.Book`."""

    def __init__(self, checking: Checking) -> None:
        self._checking = checking
        self._names: set[str] = set()
        self._made: dict[str, Made] = {}
        self._states: dict[str, State] = {}
        self._words: dict[str, str] = {}
        self._old: Details | None = None

    # What a pipeline asks

    def claim(self, name: str) -> None:
        """Reserve the name of a step; raises UsageError for one that is taken."""
        if name in self._names:
            raise UsageError(
                f"pipeline.step: a second step named {name!r} in one test: give each a name of its own, in a loop for "
                f"example pipeline.step(f'{name} {{number}}', …)"
            )
        self._names.add(name)

    def wants(self, step: Step) -> bool:
        """Tell whether it is to be found out what a step was made of: if it is new, or gave something else."""
        if self._checking.silent:
            return False
        old = self._recorded().get(step.name)
        return old is None or old.output != step.output or self._is_rewired(old, step)

    def take(self, made: Made, value: Any, check: StepCheck) -> None:
        """Enter a step that has ended, and check its value if that is asked for."""
        __tracebackhide__ = True
        checking, step = self._checking, made.step
        held = self._held(made, value, check)
        if checking.silent:
            return
        old = self._recorded().get(step.name)
        self._made[step.name] = made
        differs = old is not None and old.output != step.output
        state: State = "new" if old is None else "differs" if differs else "same"
        if held is not None:
            found = checking.judge(step_key(step.name), *held)
            if found is not None:
                self._words[step.name] = found.words
            elif state == "differs" and not checking.is_staged(step_key(step.name)):
                state = "within"
        self._states[step.name] = state
        if held is None and (outcome := self._outcome(state)) is not None:
            checking.notify(Check(step_key(step.name), outcome))

    def _held(self, made: Made, value: Any, check: StepCheck) -> tuple[Node, Rule] | None:
        """Hold the step against other runs; return its value and what that is held to, None without a check that counts."""
        __tracebackhide__ = True
        checking, name = self._checking, made.step.name
        label, key = f"step {name!r}", step_key(name)
        if check is False:
            if checking.is_held:
                checking.observe(label, value, _described(made, value), None, asker="pipeline")
            return None
        checking.claim(key, f"pipeline.step({name!r}, check=…)")
        rule = checking.rule(key, None if isinstance(check, bool) else check, f"pipeline.step({name!r}): check")
        node = describe(value)
        counts = checking.shown(label, value, node, rule, asker="pipeline")
        return None if counts is None else (node, counts)

    def _outcome(self, state: State) -> Outcome | None:
        """Return what is told of a step as it ends; what a recording does is told when it is done."""
        mode = self._checking.mode
        if state == "new":
            return "missing" if mode == "check" else None
        if state == "differs":
            return None if mode == "update" else "failed"
        return "passed"

    # What the golden asks

    @property
    def ran(self) -> bool:
        """Whether a step ran."""
        return bool(self._names)

    @property
    def loosened(self) -> list[str]:
        """Names of the steps that gave the same and are held to a looser tolerance."""
        return [name for name in self._words if self._states[name] == "same"]

    @property
    def failed(self) -> bool:
        """Whether a step differs from the golden by more than is allowed, which only an update takes."""
        return self._checking.mode != "update" and bool(self._words or "differs" in self._states.values())

    @property
    def missing(self) -> list[str]:
        """Names of the steps that are not recorded."""
        return [name for name, state in self._states.items() if state == "new"]

    def unused(self) -> list[str]:
        """Return the names of the steps that are recorded and did not run."""
        return [name for name in self._recorded() if name not in self._names]

    def unused_keys(self) -> set[str]:
        """Return the names of the checks that belong to those."""
        return {step_key(name) for name in self.unused()}

    def missing_keys(self) -> set[str]:
        """Return the names of the checks that belong to steps which are not recorded."""
        return {step_key(name) for name in self.missing}

    def shown(self) -> list[tuple[Step, str]]:
        """Return each step, in the order in which they ended, and what became of it; last those that did not run: `unused`."""
        ran = [(made.step, str(self._states[name])) for name, made in self._made.items()]
        return ran + [(self._recorded()[name], "unused") for name in self.unused()]

    def words(self, name: str) -> str:
        """Return how far the value of a step is from its golden."""
        return self._words.get(name, "")

    def found(self) -> Parting:
        """Return where this run parts from the golden; steps that did not run are left out."""
        old = [step for step in self._recorded().values() if step.name in self._made]
        return parting(old, [made.step for made in self._made.values()])

    def whole(self) -> Parting:
        """Return the same at the end of the test, when steps that did not run are gone."""
        return parting(list(self._recorded().values()), [made.step for made in self._made.values()])

    def headline(self) -> str:
        """Return the conclusion, also before the test is over; "" if no step parts."""
        return headline(self.found(), self._before(), self._now())

    def lines(self, found: Parting) -> list[str]:
        """Return what differs, in lines."""
        within = [name for name, state in self._states.items() if state == "within"]
        return list(lines(found, self._before(), self._now(), self._words, within))

    def reasons(self, test: Provenance) -> list[str]:
        """Return the lines that show why."""
        return reasons_of(self.found(), self._before(), replace(self._now(), test=test))

    @property
    def staged(self) -> list[str]:
        """Names of the steps that are to be written: those that are new, or other than recorded."""
        return [name for name in self._states if self._is_staged(name)]

    def proposed(self, dropped: Collection[str], test: Provenance) -> tuple[tuple[Step, ...], Any]:
        """Return the steps that the golden would have, and the entry of what they were made of, which is put aside."""
        old, staged = self._recorded(), self.staged
        steps = {name: made.step if name in staged else old[name] for name, made in self._made.items()}
        steps |= {name: step for name, step in old.items() if name not in steps and name not in dropped}
        if not steps:
            return (), None
        golden = self._checking.stored()[0]
        if golden is not None and tuple(steps.values()) == golden.steps:
            return golden.steps, golden.details
        before, now = self._before().steps, self._now().steps
        kept = {name: (now if name in staged else before)[name] for name in steps if name in now or name in before}
        timings = {name: Timing(made.seconds, made.peak) for name, made in self._made.items() if name in staged}
        return tuple(steps.values()), self._checking.staging().add_steps(Details(kept, test), timings)

    def tell_recorded(self) -> None:
        """Tell which steps were recorded, and which replaced; those with a value are told by their checks."""
        for name in self.staged:
            if not self._checking.is_staged(step_key(name)):
                self._checking.notify(Check(step_key(name), "recorded" if self._states[name] == "new" else "updated"))

    # What stands behind it

    def _is_staged(self, name: str) -> bool:
        state = self._states[name]
        return state in ("new", "differs") or (
            state == "same" and self._is_rewired(self._recorded()[name], self._made[name].step)
        )

    def _is_rewired(self, old: Step, new: Step) -> bool:
        """Tell whether an update should take a step though it gave the same: its inputs come from elsewhere now."""
        if self._checking.mode != "update":
            return False
        return [(given.name, given.ties) for given in old.inputs] != [(given.name, given.ties) for given in new.inputs]

    def _recorded(self) -> Mapping[str, Step]:
        golden = self._checking.stored()[0]
        return {step.name: step for step in golden.steps} if golden is not None else {}

    def _before(self) -> Details:
        """Return what the recorded steps were made of; what can't be read must not hide what it should explain."""
        if self._old is None:
            golden, folder = self._checking.stored()
            try:
                self._old = Details() if golden is None else details_of(golden, folder)
            except GoldenError:
                self._old = Details()
        return self._old

    def _now(self) -> Details:
        return Details({name: _detail(made) for name, made in self._made.items()})


def _detail(made: Made) -> Detail:
    return Detail(Provenance(made.code, made.inputs, None, made.environment), made.output)


def _described(made: Made, value: Any) -> Node:
    """Return what the runs of a test are held to: the value; the digest of what was raised, and of a file, which has no value."""
    parts = (made.output, *(part for _, part in made.output.parts))
    if made.step.raised or any(part.kind in FILES for part in parts):
        return Scalar("str", made.output.digest)
    return describe(value)
