"""Two scalars of one kind, by the rules that their arrays would follow."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from ..values.node import Array
from ..values.sources import FlatSource
from .numeric import compare_arrays
from .tolerance import Limits

__all__ = ["scalar_within"]


def scalar_within(expected: Any, actual: Any, kind: str, limits: Limits) -> bool:  # values of `kind`
    """Tell whether `actual` is within `limits` of `expected`; integers of any size are compared exactly."""
    if kind == "float" and type(expected) is float and type(actual) is float:
        return _floats_within(expected, actual, limits)
    if kind == "complex" and type(expected) is complex and type(actual) is complex:
        return _close_arrays(np.array([expected]), np.array([actual]), "complex128", limits)
    if kind == "int" and type(expected) is int and type(actual) is int:
        if expected == actual:
            return True
        allowed = Fraction(limits.atol or 0) + Fraction(limits.rtol or 0) * abs(expected)
        return abs(actual - expected) <= allowed
    return type(expected) is type(actual) and bool(expected == actual)


def _floats_within(expected: float, actual: float, limits: Limits) -> bool:
    if limits.max_ulp or limits.exact or not math.isfinite(actual - expected):
        return _close_arrays(np.array([expected]), np.array([actual]), "float64", limits)
    return abs(actual - expected) <= (limits.atol or 0.0) + (limits.rtol or 0.0) * abs(expected)


def _close_arrays(expected: Any, actual: Any, dtype: str, limits: Limits) -> bool:
    e, a = (Array("numpy.ndarray", dtype, (1,), FlatSource(side)) for side in (expected, actual))
    return compare_arrays(e, a, limits).difference is None
