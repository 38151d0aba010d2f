"""Relations between predictions, for metamorphic tests: no labels are needed, only what a change ought to do.

Invariance and directional expectation are those of Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models
with CheckList" (2020); the idea of testing by relations is Chen et al., "Metamorphic Testing" (1998).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._lazy import loaded
from ..errors import UsageError
from ..fingerprints import fingerprint
from .answers import Answers, answers, one_score
from .changes import placed, told

__all__ = ["assert_directional", "assert_invariant", "assert_monotone"]

Change: TypeAlias = Callable[[Any], Any]
_SHOWN = 3
_ROUNDING = 1e-6
"""Of an output, or of the middle one if that is greater: what the same model may give in a batch of another length."""


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
            element. Without them, labels have to be the same, and values of a regression to a
            millionth of their size, or of the middle one.

    Raises:
        AssertionError: how many samples change their prediction, and the first of them.
        UsageError: no samples, a change that changes nothing (in a hypothesis test such an example is rejected instead),
            or another number of samples; outputs that are NaN; a model that answers otherwise when asked again.
    """
    __tracebackhide__ = True
    for name, given in (("rtol", rtol), ("atol", atol)):
        _number("assert_invariant", name, given, least=0.0)
    before = answers(model, inputs, "inputs")
    by_label = before.labels is not None and rtol is None and atol is None
    for name, changed in _changed(inputs, change):
        after = _like(before, answers(model, changed, f"what {name} gives", allow_nan=True), name)
        if by_label:
            broken = np.asarray(before.labels != after.labels, np.bool_)
        else:
            broken = np.asarray(~_near(before.values, after.values, rtol, atol).all(1), np.bool_)
        _repeated(model, inputs, before, broken, by_label=by_label)
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
        at_least: the least movement, in units of the output; with 0.0 the output may also stay, to a millionth of its
            size, or of the middle output's.
        output: the class whose probability or score is meant, or the column of a model without classes; needed where
            there are more than two. Of two classes it is the second, of a regression the value.

    Raises:
        AssertionError: how many samples move otherwise, and the worst.
        UsageError: as `assert_invariant`; an output that the model doesn't have.
    """
    __tracebackhide__ = True
    if direction not in ("increase", "decrease"):
        raise UsageError(f"assert_directional(direction): 'increase' or 'decrease' is expected, got {direction!r}")
    _number("assert_directional", "at_least", at_least, least=-math.inf)
    sign = 1.0 if direction == "increase" else -1.0
    before = answers(model, inputs, "inputs")
    one = one_score(before, output)
    for name, changed in _changed(inputs, change):
        after = _like(before, answers(model, changed, f"what {name} gives", allow_nan=True), name)
        moved = sign * _step(one, one_score(after, output))
        broken = ~(moved >= at_least - _rounding(one, one_score(after, output)))
        least = f" by {at_least:g} at least" if at_least else ""
        _repeated(model, inputs, before, broken)
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
    courses = np.stack(table, axis=1)
    rises = _step(courses[:, :-1], courses[:, 1:]) * (1.0 if increasing else -1.0)
    slack = _rounding(courses[:, :-1], courses[:, 1:])
    broken = np.asarray((rises <= 0 if strict else ~(rises >= -slack)).any(1), np.bool_)
    if not broken.any():
        return
    _repeated(model, inputs, answers(model, inputs, "inputs"), broken)
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
            _reject()
            raise UsageError(f"{name}: what it returns equals the inputs, so that nothing would be tested")
        out.append((name, found))
    return out


def _reject() -> None:
    """Drop an example of hypothesis whose change is none: it draws such ones too, and shrinks towards them."""
    hypothesis = loaded("hypothesis")
    if hypothesis is not None and hypothesis.currently_in_test_context():
        hypothesis.reject()


def _like(before: Answers, after: Answers, name: str) -> Answers:
    if before.values.shape != after.values.shape:
        raise UsageError(
            f"{name}: the model's outputs for {len(before.values)} samples have shape {before.values.shape} before and "
            f"{after.values.shape} after; a change has to return as many samples as it was given"
        )
    return after


def _near(before: NDArray[Any], after: NDArray[Any], rtol: float | None, atol: float | None) -> NDArray[np.bool_]:
    apart = np.abs(_step(before, after))
    if rtol is None and atol is None:
        return np.asarray(apart <= _rounding(before, after), np.bool_)
    return np.asarray(apart <= (atol or 0.0) + (rtol or 0.0) * np.abs(before), np.bool_)


def _step(before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
    """Return the difference; infinities equal themselves, though theirs is NaN."""
    with np.errstate(invalid="ignore"):
        return np.where(after == before, 0.0, after - before)


def _rounding(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.float64]:
    """Return what rounding may make of each output; by each, since one huge output must not excuse the others."""
    size = np.fmax(np.abs(before), np.abs(after))
    return np.asarray(_ROUNDING * np.fmax(size, np.median(np.abs(before))), np.float64)


def _repeated(model: Any, inputs: Any, before: Answers, broken: NDArray[np.bool_], *, by_label: bool = False) -> None:
    """Refuse to blame a change for what the model does by itself."""
    __tracebackhide__ = True
    if not broken.any():
        return
    again = answers(model, inputs, "inputs", allow_nan=True)
    if by_label and before.labels is not None:
        parted = np.asarray(before.labels != again.labels, np.bool_)
    elif before.values.shape == again.values.shape:
        parted = np.asarray(~_near(before.values, again.values, None, None).all(1), np.bool_)
    else:
        parted = np.ones(len(before.values), np.bool_)
    if parted.any():
        raise UsageError(
            f"model: it gives other outputs for the same inputs ({int(parted.sum())} of {len(parted)} samples), so that no "
            "change can be blamed; seed it, or switch its randomness off"
        )


def _number(function: str, name: str, given: Any, *, least: float) -> None:
    fine = isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)
    if given is not None and not (fine and least <= given < math.inf and given > -math.inf):
        raise UsageError(
            f"{function}({name}): a finite number{f' from {least:g} on' if least == 0 else ''} is expected, got {given!r}"
        )


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
