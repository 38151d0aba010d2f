"""The threat for tables as people have them: noise in units of each column's spread, other categories, cells gone missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from ..errors import UsageError

__all__ = ["Tabular"]


@dataclass(frozen=True, slots=True)
class Tabular:
    """Rows near the given one, in the raw table: `Tabular(noise=0.25, categorical=1, immutable=["sex"])`.

    Args:
        noise: how far each number may move, in standard deviations of its column; a mapping gives each column its own,
            and columns that it leaves out stay. 0 leaves all numbers alone.
        categorical: how many categorical cells of a row may become another category at once.
        missing: how many cells of a row may go missing at once, in columns that have missing cells in the reference,
            since a model that has never met one in a column often refuses it; `missing_in` names others.
        missing_in: the columns whose cells may go missing.
        immutable: columns that never change.
        reference: the frame that spreads, ranges and categories are taken from, with the columns of the inputs: the
            training data. Without one they are those of the inputs themselves.
        bounds: for each column its least and greatest value, or a contract with them. Columns that it leaves out stay
            in the range of the reference; a value that is outside already may stay there.
        categories: for each column the values that it may have; this also makes a column of numbers categorical.

    Columns of texts, booleans and categories are categorical; whole numbers stay whole; dates and everything else
    never change. Numbers are searched in the raw table, never behind an encoder.

    Raises:
        UsageError: an argument that can't be right, or a threat that allows nothing.
    """

    noise: float | Mapping[Any, float] = 0.1
    categorical: int = field(default=0, kw_only=True)
    missing: int = field(default=0, kw_only=True)
    missing_in: Sequence[Any] | None = field(default=None, kw_only=True)
    immutable: Sequence[Any] = field(default=(), kw_only=True)
    reference: Any = field(default=None, kw_only=True, compare=False, repr=False)
    bounds: Any = field(default=None, kw_only=True)
    categories: Mapping[Any, Sequence[Any]] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        amounts: list[Any] = [*self.noise.values()] if isinstance(self.noise, Mapping) else [self.noise]
        for amount in amounts:
            if isinstance(amount, bool) or not isinstance(amount, Real) or not math.isfinite(amount) or amount < 0:
                raise UsageError(f"Tabular(noise): standard deviations from 0 on are expected, got {amount!r}")
        for name in ("categorical", "missing"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise UsageError(f"Tabular({name}): a whole number of cells from 0 on is expected, got {value!r}")
        for name in ("immutable", "missing_in"):
            value = getattr(self, name)
            if isinstance(value, str) or not (value is None or isinstance(value, Sequence)):
                raise UsageError(f"Tabular({name}): a list of columns is expected, got {value!r}")
            object.__setattr__(self, name, None if value is None else tuple(value))
        if self.missing_in and not self.missing:
            raise UsageError("Tabular(missing_in): say how many cells may go missing at once: missing=1")
        if not any(amounts) and not self.categorical and not self.missing:
            raise UsageError("Tabular: nothing may change; give noise=, categorical= or missing=")

    def __str__(self) -> str:
        """Return what makes this threat again, but for its reference."""
        noise = dict(self.noise) if isinstance(self.noise, Mapping) else self.noise
        parts = [f"{noise!r}" if isinstance(noise, dict) else f"{noise:g}"]
        parts += [f"{name}={getattr(self, name)}" for name in ("categorical", "missing") if getattr(self, name)]
        parts += [f"missing_in={list(self.missing_in)!r}"] if self.missing_in else []
        parts += [f"immutable={list(self.immutable)!r}"] if self.immutable else []
        return f"Tabular({', '.join(parts)})"
