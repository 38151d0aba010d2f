"""Relations between predictions, for metamorphic tests: no labels are needed, only what a change ought to do.

Invariance and directional expectation are those of Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models
with CheckList" (2020); the idea of testing by relations is Chen et al., "Metamorphic Testing" (1998).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..fingerprints import fingerprint
from .answers import Answers, answers, one_score
from .changes import placed, told

__all__ = ["assert_directional", "assert_invariant", "assert_monotone"]

Change: TypeAlias = Callable[[Any], Any]
_SHOWN = 3
_ROUNDING = 1e-6
"""Of the greatest output: what the same model may give in a batch of another length."""


def assert_invariant(
    model: Any, inputs: Any, change: Change | Sequence[Change], *, rtol: float | None = None, atol: float | None = None
) -> None:
    """Assert that predictions stay what they are when the inputs are changed.

    Args:
        model: a torch module (asked in eval mode and given back as it was), a scikit-learn estimator, anything with
            `predict`, or a callable.
        inputs: (samples, ...): whatever the model takes, with a length.
        change: takes the inputs and returns others of the same length, sample by sample; or several such functions,
            each of which has to leave the predictions alone.
        rtol, atol: hold the outputs themselves (probabilities, scores, values) to `atol + rtol * |before|`, element by
            element. Without them, labels have to be the same, and values of a regression to a millionth of the greatest.

    Raises:
        AssertionError: how many samples change their prediction, and the first of them.
        UsageError: no samples, a change that changes nothing, or another number of samples; outputs that are NaN.
    """
    __tracebackhide__ = True
    before = answers(model, inputs, "inputs")
    by_label = before.labels is not None and rtol is None and atol is None
    for name, changed in _changed(inputs, change):
        after = _like(before, answers(model, changed, f"what {name} gives", allow_nan=True), name)
        if by_label:
            broken = np.asarray(before.labels != after.labels, np.bool_)
        else:
            broken = np.asarray(~_near(before.values, after.values, rtol, atol).all(1), np.bool_)
        _tell(f"predictions should be the same under {name}", broken, inputs, changed, before, after, by_label=by_label)


def assert_directional(
    model: Any,
    inputs: Any,
    change: Change | Sequence[Change],
    *,
    direction: Literal["increase", "decrease"],
    at_least: float = 0.0,
    output: Any = None,
) -> None:
    """Assert that a change of the inputs moves the output in one direction, for every sample.

    Args:
        model: as in `assert_invariant`.
        inputs: (samples, ...).
        change: as in `assert_invariant`.
        direction: "increase" or "decrease".
        at_least: the least movement, in units of the output; with 0.0 the output may also stay, to a millionth of the
            greatest output.
        output: the class whose probability or score is meant, or the column of a model without classes; needed where
            there are more than two. Of two classes it is the second, of a regression the value.

    Raises:
        AssertionError: how many samples move otherwise, and the worst.
        UsageError: as `assert_invariant`; an output that the model doesn't have.
    """
    __tracebackhide__ = True
    if direction not in ("increase", "decrease"):
        raise UsageError(f"assert_directional(direction): 'increase' or 'decrease' is expected, got {direction!r}")
    sign = 1.0 if direction == "increase" else -1.0
    before = answers(model, inputs, "inputs")
    one = one_score(before, output)
    for name, changed in _changed(inputs, change):
        after = _like(before, answers(model, changed, f"what {name} gives", allow_nan=True), name)
        moved = sign * (one_score(after, output) - one)
        slack = _ROUNDING * float(np.abs(one).max())
        broken = ~(moved >= at_least - slack)
        least = f" by {at_least:g} at least" if at_least else ""
        ought = f"{before.named(output)} should {direction}{least} under {name}"
        _tell(ought, broken, inputs, changed, before, after, worst=moved, output=output)


def assert_monotone(
    model: Any,
    inputs: Any,
    feature: Any,
    *,
    increasing: bool = True,
    strict: bool = False,
    values: Sequence[float] | None = None,
    steps: int = 9,
    output: Any = None,
) -> None:
    """Assert that the output never falls (or never rises) as one feature rises, all others being what they are.

    Args:
        model: as in `assert_invariant`.
        inputs: (samples, features): a numpy array, a torch tensor, a pandas or polars frame.
        feature: the name of the column of a frame, or the number of the column.
        increasing: False for an output that never rises.
        strict: whether it must change from each value to the next.
        values: the values that the feature is given, at least two; else `steps` of them from its least to its greatest
            in `inputs`, whole ones for a column of integers.
        output: as in `assert_directional`.

    Raises:
        AssertionError: how many samples break it, and the worst step of the worst of them.
        UsageError: no such feature, a feature that is not numeric, one value only; as `assert_directional`.
    """
    __tracebackhide__ = True
    column, grid = placed(inputs, feature, values, steps)
    table = []
    for value in grid:
        given = answers(model, column(value), f"inputs with {feature!r} = {value:g}")
        table.append(one_score(given, output))
    courses = np.stack(table, axis=1) * (1.0 if increasing else -1.0)
    rises = np.diff(courses, axis=1)
    slack = _ROUNDING * float(np.abs(courses).max())
    broken = np.asarray((rises <= 0 if strict else ~(rises >= -slack)).any(1), np.bool_)
    if not broken.any():
        return
    worst = int(np.argmin(rises.min(1)))
    step = int(np.argmin(rises[worst]))
    first, second = table[step][worst], table[step + 1][worst]
    ought = ("rise" if increasing else "fall") if strict else ("never fall" if increasing else "never rise")
    raise AssertionError(
        f"{given.named(output)} should {ought} as {feature!r} rises, but it does not for {int(broken.sum())} of "
        f"{len(broken)} samples\n  sample {worst}: {first:.6g} at {feature!r} = {grid[step]:.6g}, {second:.6g} at "
        f"{grid[step + 1]:.6g} ({second - first:+.3g})"
    )


def _changed(inputs: Any, change: Change | Sequence[Change]) -> list[tuple[str, Any]]:
    """Return what each change makes of the inputs, with its name."""
    changes = [change] if callable(change) else list(change)
    if not changes or not all(callable(one) for one in changes):
        raise UsageError(f"change: a function of the inputs, or several, is expected, got {change!r}")
    kept, out = fingerprint(inputs).digest, []
    for at, one in enumerate(changes):
        name = getattr(one, "__name__", type(one).__name__)
        name = f"change {at + 1}" if name == "<lambda>" and len(changes) > 1 else name
        name = "the change" if name == "<lambda>" else name
        found = one(inputs)
        if fingerprint(inputs).digest != kept:
            raise UsageError(f"{name}: it changed the inputs that it was given; return a changed copy")
        if fingerprint(found).digest == kept:
            raise UsageError(f"{name}: what it returns equals the inputs, so that nothing would be tested")
        out.append((name, found))
    return out


def _like(before: Answers, after: Answers, name: str) -> Answers:
    if before.values.shape != after.values.shape:
        raise UsageError(
            f"{name}: the model's outputs for {len(before.values)} samples have shape {before.values.shape} before and "
            f"{after.values.shape} after; a change has to return as many samples as it was given"
        )
    return after


def _near(before: NDArray[Any], after: NDArray[Any], rtol: float | None, atol: float | None) -> NDArray[np.bool_]:
    if rtol is None and atol is None:
        rtol, atol = 0.0, _ROUNDING * float(np.abs(before).max(initial=0.0))
    return np.asarray(np.abs(after - before) <= (atol or 0.0) + (rtol or 0.0) * np.abs(before), np.bool_)


def _tell(
    ought: str, broken: NDArray[np.bool_], inputs: Any, changed: Any, before: Answers, after: Answers, *,
    worst: NDArray[Any] | None = None, output: Any = None, by_label: bool = False,
) -> None:  # fmt: skip
    __tracebackhide__ = True
    if not broken.any():
        return
    found = np.flatnonzero(broken)
    if worst is not None:
        found = found[np.argsort(np.nan_to_num(worst[found], nan=-np.inf), kind="stable")]
    lines = [f"{ought}, but {len(found)} of {len(broken)} samples break it"]
    for at in found[:_SHOWN].tolist():
        lines += [f"  sample {at}: {before.moved(after, at, output, by_label=by_label)}"]
        lines += [f"    {line}" for line in told(inputs, changed, at)]
    raise AssertionError("\n".join([*lines, f"  … and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else lines))
