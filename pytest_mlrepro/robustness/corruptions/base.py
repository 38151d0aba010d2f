"""What every corruption is: a function of one sample and a generator, with a constant for each severity and a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

__all__ = ["HENDRYCKS", "OURS", "Kind", "Method"]

Kind: TypeAlias = Literal["image", "series", "table", "text"]

HENDRYCKS = (
    "Hendrycks and Dietterich, Benchmarking Neural Network Robustness to Common Corruptions and Perturbations (2019)"
)
OURS = "our own constants"


@dataclass(frozen=True, slots=True)
class Method:
    """One corruption of one kind of data."""

    apply: Callable[..., Any]
    """(generator, sample, constant, ...) to a corrupted copy of the sample."""
    severities: tuple[Any, ...]
    """Five constants, from mild to severe."""
    source: str
    large: tuple[Any, ...] | None = None
    """The constants for images with a side of 64 pixels and more, where they are others."""
