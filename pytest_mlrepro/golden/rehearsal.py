"""The first of the two runs that a recording takes: a baseline that does not repeat is refused, not recorded."""

from __future__ import annotations

from typing import Any

from ..compare.explain import explain, failure_text
from ..compare.tolerance import Tolerances
from ..compare.walk import compare
from ..fingerprints import fingerprint_node
from ..values.node import Node
from .store import Staging

__all__ = ["Rehearsal"]


class Rehearsal:
    """What a run came by, in order; a second run is held against it as it goes."""

    def __init__(self) -> None:
        self.staging = Staging()
        self.failed = False
        """Whether the rehearsed run failed: then the second run should fail too."""
        self.steps: dict[str, Any] = {}
        """The steps of a pipeline as the first run made them (`pipeline.after.Made`), by label."""
        self._order: list[str] = []
        self._reached = 0

    def note(self, label: str, node: Node, tolerances: Tolerances) -> None:
        """Keep a value of the first run."""
        self.staging.add(label, node, tolerances)
        self._order.append(label)

    def hold(self, label: str, node: Node, tolerances: Tolerances) -> None:
        """Hold a value of the second run against the first; raise AssertionError where they part."""
        __tracebackhide__ = True
        if self.failed:
            return  # the second run should fail by itself, and `end` tells if it doesn't
        expected = self._order[self._reached] if self._reached < len(self._order) else "the end of the test"
        self._reached += 1
        if expected != label:
            raise AssertionError(_refusal(f"the first run came to {expected} where the second came to {label}."))
        first = self.staging.checks[label]
        if first.digest == fingerprint_node(node).digest:
            return
        comparison = compare(first.node(self.staging.folder), node, tolerances)
        if not comparison.ok:
            raise AssertionError(_refusal(f"the runs part at {label}:\n{explain(comparison)}"))

    def end(self) -> None:
        """Raise AssertionError if the first run came further than the second, or failed where the second passed."""
        __tracebackhide__ = True
        if self.failed:
            raise AssertionError(_refusal("the first run of this test failed and the second passed."))
        if self._reached < len(self._order):
            raise AssertionError(
                _refusal(f"the second run ended before {self._order[self._reached]}, which the first run came to.")
            )

    def discard(self) -> None:
        """Remove what was put aside."""
        self.staging.discard()


def _refusal(details: str) -> str:
    return failure_text(
        headline="not reproducible: nothing was recorded, since two runs of this test differ",
        details=details,
        next_commands=(
            "seed the test with @pytest.mark.repro, or allow the difference with a tolerance",
            "narrow it down with repro.checkpoint(name, value) along the way",
        ),
    )
