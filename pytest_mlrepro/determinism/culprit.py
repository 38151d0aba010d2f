"""What was left behind: state that a run changes and the next one finds, and the test that another order makes guilty."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ..errors import MlreproError
from ..fingerprints import Fingerprint, fingerprint
from .runner import Explained, Runner
from .runs import Apart, Run, first_difference
from .vary import VARIATIONS, Variation
from .words import wrapped

__all__ = ["found_state", "state_of", "told_order"]

SHOWN: Final = 3
SECONDS: Final = 90.0
"""How long the search for one guilty test may take: each step is a process of its own."""


def state_of(values: Mapping[str, object]) -> dict[str, Fingerprint]:
    """Return the fingerprint of each value that has one."""
    found: dict[str, Fingerprint] = {}
    for name, value in values.items():
        digest = _fingerprint(value)
        if digest is None and hasattr(value, "__dict__"):
            digest = _fingerprint(dict(vars(value)))  # an object of somebody's own: what it holds
        if digest is not None:
            found[name] = digest
    return found


def _fingerprint(value: object) -> Fingerprint | None:
    try:
        return fingerprint(value)
    except MlreproError:
        return None
    except Exception:  # noqa: BLE001  # somebody's object that can't even be looked at is no evidence
        return None


def found_state(before: Mapping[str, Fingerprint], after: Mapping[str, Fingerprint]) -> list[str]:
    """Return a sentence on each value that a run of the test changed, though the next run finds it."""
    changed = [name for name in before if name in after and before[name].digest != after[name].digest]
    lines = [
        wrapped(
            f"{name} is changed by this test, and the next run finds it changed{_parts(before[name], after[name])}: "
            "make it anew for each test, or work on a copy"
        )
        for name in changed[:SHOWN]
    ]
    return lines if len(changed) <= SHOWN else [*lines, f"… and {len(changed) - SHOWN} more"]


def _parts(before: Fingerprint, after: Fingerprint) -> str:
    names = [part for part in before.diff(after) if part][:SHOWN]
    return f" ({', '.join(names)})" if names else ""


def told_order(apart: Apart, real: Run, new: Callable[[Variation | None], Run], runner: Runner) -> Explained:
    """Say which test's state makes the other order part, if a few processes tell."""
    alone = new(VARIATIONS["process"])
    runner.there(alone, [], fresh=True)
    by_itself = first_difference(real, alone)
    if by_itself is not None and not runner.before():
        return Explained(
            by_itself, ("it differs in a fresh process that runs nothing else, so the order is not the reason",)
        )
    culprit = _search(runner.before() if by_itself is not None else runner.after(), alone, new, runner)
    if culprit is None:
        return Explained(apart, ("which test it is was not found in a few more processes",))
    return Explained(
        apart, (f"run by itself it gives one result, another after\n  {culprit}\nwhich leaves something behind",)
    )


def _search(
    candidates: Sequence[str], alone: Run, new: Callable[[Variation | None], Run], runner: Runner
) -> str | None:
    """Return the test after which this one differs from a run by itself: the last of the shortest start that does it."""
    begin = time.monotonic()

    def parts(count: int) -> bool:
        run = new(VARIATIONS["order"])
        runner.there(run, [], after=candidates[:count], fresh=True)
        return first_difference(alone, run) is not None

    if not candidates or not parts(len(candidates)):
        return None
    low, high = 0, len(candidates)  # after `high` of them it parts, after `low` it doesn't
    while high - low > 1:
        if time.monotonic() - begin > SECONDS:
            return None
        middle = (low + high) // 2
        low, high = (low, middle) if parts(middle) else (middle, high)
    return candidates[high - 1]
