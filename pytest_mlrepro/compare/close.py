"""`assert_close`: two values of any kind, without pytest and without a golden."""

from __future__ import annotations

from collections.abc import Mapping

from ..values.describe import describe
from .explain import explain, failure_text
from .tolerance import Tolerance, tolerances
from .walk import compare

__all__ = ["assert_close"]


def assert_close(
    actual: object,
    expected: object,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    max_ulp: int | None = None,
    tolerance: Tolerance | Mapping[str, Tolerance] | None = None,
    name: str | None = None,
) -> None:
    """Assert that `actual` has the structure of `expected` and its values, within the tolerances.

    Structure (keys, kinds, dtypes, shapes, order of columns, index) must be equal. `rtol` is relative to `expected` and
    comes with `atol`; `tolerance` is a `Tolerance`, or a mapping of globs over dotted paths (`layers.0.*`) to them.
    Without any, the defaults of `Tolerance` count. NaN equals NaN at the same place. `name` is what messages call it.

    Raises:
        AssertionError: the values differ, or hold no element at all, so that nothing was compared.
        UsageError: an argument can't be right, or a glob matches nothing.
        FingerprintError: a value has no canonical form.
    """
    __tracebackhide__ = True
    allowed = tolerances(rtol=rtol, atol=atol, max_ulp=max_ulp, tolerance=tolerance)
    comparison = compare(describe(expected), describe(actual), allowed)
    if comparison.ok and not comparison.empty:
        return
    title = f"{name}: " if name else ""
    headline = f"{title}nothing was compared" if comparison.ok else f"{title}actual is not close to expected"
    raise AssertionError(failure_text(headline=headline, details=explain(comparison)))
