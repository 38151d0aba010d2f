"""How far two recorded checks are apart: by tolerances, or as distributions."""

from __future__ import annotations

from pathlib import Path

from ..compare.explain import explain
from ..compare.walk import compare
from .alike import Alike, is_distribution
from .record import RATE, Recorded
from .store import verify_arrays

__all__ = ["recorded_apart"]


def recorded_apart(one: Recorded, two: Recorded, folders: tuple[Path, Path], *, width: int) -> str:
    """Return how the second differs from the first by more than the first allowed; "" if it doesn't.

    Distributions share their false-alarm rate with nobody here: two goldens are looked at, not a suite. Raises GoldenError
    if an array is missing or isn't the one recorded.
    """
    for check, folder in zip((one, two), folders, strict=True):
        verify_arrays(check, folder)
    if is_distribution(one) and is_distribution(two):
        rule = Alike(one.tolerance[RATE], others=0)
        return rule.judge(one, folders[0], two.node(folders[1])).details
    comparison = compare(one.node(folders[0]), two.node(folders[1]), one.tolerances)
    return "" if comparison.ok else explain(comparison, width=width)
