"""How far two recorded checks are apart: by tolerances, as distributions, or as contracts."""

from __future__ import annotations

from pathlib import Path

from ..compare.explain import explain
from ..compare.walk import compare
from .alike import Alike, is_distribution
from .contracted import edits, is_contract, recorded_text
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
    if is_contract(one) and is_contract(two):
        texts = [recorded_text(check, folder) for check, folder in zip((one, two), folders, strict=True)]
        return "\n".join(edits(*texts)) or "only its comments and its layout differ"
    comparison = compare(one.node(folders[0]), two.node(folders[1]), one.tolerances)
    return "" if comparison.ok else explain(comparison, width=width)
