"""`contract.check`: a table against a contract that was learned with the test, and that people edit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..contracts.check import worded
from ..contracts.contract import Contract
from ..contracts.finding import Finding
from ..contracts.loosened import loosened
from ..contracts.splits import assert_split
from ..errors import UsageError
from ..records import Check
from ..values.describe import describe
from .case import GoldenCase
from .checking import title
from .contracted import Contracted, is_contract, recorded_text, text_on_disk
from .failing import Failing

__all__ = ["Contracting"]

Tell = Callable[[str, list[Finding], str], None]


class Contracting:
    """The contracts of one test."""

    def __init__(self, case: GoldenCase, tell: Tell) -> None:
        self._case, self._tell = case, tell
        if not case.checking.seen:
            case.asked = "contract"

    def check(
        self,
        frame: Any,
        name: str = "train",
        *,
        of: Any = None,
        label: str | None = None,
        key: str | Sequence[str] | None = None,
        slack: float = 0.25,
    ) -> None:
        """Assert that a table keeps the contract that is recorded with the test under this name.

        `--golden=record` learns it, from `of` (a frame, or a function that gives one) or from `frame` itself, with `label`,
        `key` and `slack` as `Contract.infer` has them. Its text lies in the golden's folder as `NAME-….toml`, to be
        edited; an edit is a change to be accepted, with a reason, like any other of a golden.

        Raises AssertionError for a table that breaks it, with a proposal that loosens the contract as far as the table
        needs, and for a contract that was edited; UsageError for a text that is no contract, and as `Contract.check`.
        """
        __tracebackhide__ = True
        if not isinstance(name, str) or not name:
            raise UsageError(f"contract.check: name must be a text that is not empty, got {name!r}")
        checking = self._case.checking
        checking.claim(name, "contract.check")
        recorded = checking.recorded().get(name)
        if recorded is None or not is_contract(recorded):
            source = frame if of is None else of() if callable(of) else of
            learned = Contract.infer(source, label=label, key=key, slack=slack)
            findings = [] if source is frame else learned.check(frame)
            if findings:
                self._free(name, findings)
            self._judged(name, str(learned), Contracted(name))
            return
        text = text_on_disk(name, recorded, self._case.folder)
        held = Contract.read(f"{text}\n")
        findings = held.check(frame)
        if checking.is_held:
            words = [finding.words for finding in findings]
            checking.observe(title(name), words, describe(words), {}, "contract")
        if checking.silent:
            return
        if not findings:
            edited = held != Contract.read(f"{recorded_text(recorded, self._case.folder)}\n")
            self._tell(name, findings, "failed" if edited and checking.mode != "update" else "passed")
            self._judged(
                name, text if edited else recorded_text(recorded, self._case.folder), Contracted(name), learned=False
            )
            return
        needed = loosened(held, frame, findings, slack).updated(text)
        self._tell(name, findings, "failed" if checking.mode != "update" else "updated")
        if needed == recorded_text(recorded, self._case.folder) or Contract.read(f"{needed}\n").check(frame):
            self._free(name, findings)  # nothing that could be accepted
        self._judged(name, needed, Contracted(name, worded(findings, name)), learned=False)

    def check_split(self, **asked: Any) -> None:
        """Assert that the parts of a split have nothing in common that they may not have: `assert_split` says the rest."""
        __tracebackhide__ = True
        self._case.checking.free += 1
        assert_split(**asked)

    def _free(self, name: str, findings: list[Finding]) -> None:
        """Fail without a proposal."""
        __tracebackhide__ = True
        self._case.checking.failed = True
        self._case.checking.notify(Check(name, "failed"))
        raise AssertionError(worded(findings, name))

    def _judged(self, name: str, text: str, rule: Contracted, *, learned: bool = True) -> None:
        __tracebackhide__ = True
        node, checking = describe(text), self._case.checking
        if learned and checking.shown(title(name), text, node, rule, "contract") is None:
            return
        found = checking.judge(name, node, rule)
        if found is not None:
            raise AssertionError(Failing(self._case).check(name, checking.recorded()[name], found))
