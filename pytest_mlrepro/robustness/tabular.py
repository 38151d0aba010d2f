"""The threat for tables as people have them: noise in units of each column's spread, other categories, cells gone missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Literal

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
            since a model that has never met one in a column often refuses it; `missing_in` names others. A model that
            raises on a row that is allowed is broken there.
        missing_in: the columns whose cells may go missing.
        max_changed: how many cells of a row may change at once, of whatever kind; by itself any number.
        columns: the columns that may change; by itself all of them.
        immutable: columns that never change.
        reference: the frame that spreads, ranges and categories are taken from, with the columns of the inputs: the
            training data. Without one they are those of the inputs themselves.
        bounds: for each column its least and greatest value (None for that of the reference), or a contract: something
            with `columns`, of which each has a `name`, and `min`, `max` and `values` or `categories` if it knows them.
            Columns that it leaves out stay in the range of the reference; a value that is outside already may stay there.
        categories: for each column the values that it may have; this also makes a column of numbers categorical.
        integer: columns of floats that hold whole numbers and have to stay whole; "auto" are those whose every value is
            whole, in the inputs and the reference. Integer dtypes stay whole in any case.

    Columns of texts, booleans and categories are categorical. Dates, identifiers of 2**53 and more, and everything else
    never change. Numbers are searched in the raw table, never behind an encoder.

    Raises:
        UsageError: an argument that can't be right, or a threat that allows nothing.
    """

    noise: float | Mapping[Any, float] = 0.1
    categorical: int = field(default=0, kw_only=True)
    missing: int = field(default=0, kw_only=True)
    missing_in: Sequence[Any] | None = field(default=None, kw_only=True)
    max_changed: int | None = field(default=None, kw_only=True)
    columns: Sequence[Any] | None = field(default=None, kw_only=True)
    immutable: Sequence[Any] = field(default=(), kw_only=True)
    reference: Any = field(default=None, kw_only=True, compare=False, repr=False)
    bounds: Any = field(default=None, kw_only=True)
    categories: Mapping[Any, Sequence[Any]] | None = field(default=None, kw_only=True)
    integer: Sequence[Any] | Literal["auto"] = field(default="auto", kw_only=True)

    def __post_init__(self) -> None:
        amounts: list[Any] = [*self.noise.values()] if isinstance(self.noise, Mapping) else [self.noise]
        for amount in amounts:
            if isinstance(amount, bool) or not isinstance(amount, Real) or not math.isfinite(amount) or amount < 0:
                raise UsageError(f"Tabular(noise): standard deviations from 0 on are expected, got {amount!r}")
        for name in ("categorical", "missing"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise UsageError(f"Tabular({name}): a whole number of cells from 0 on is expected, got {value!r}")
        if self.max_changed is not None and (type(self.max_changed) is not int or self.max_changed < 1):
            raise UsageError(
                f"Tabular(max_changed): a whole number of cells from 1 on is expected, got {self.max_changed!r}"
            )
        for name in ("immutable", "missing_in", "columns", "integer"):
            value = getattr(self, name)
            if name == "integer" and value == "auto":
                continue
            if isinstance(value, str) or not (value is None or isinstance(value, Sequence)):
                raise UsageError(f"Tabular({name}): a list of columns is expected, got {value!r}")
            object.__setattr__(self, name, None if value is None else tuple(value))
        self._check_values()
        if self.missing_in and not self.missing:
            raise UsageError("Tabular(missing_in): say how many cells may go missing at once: missing=1")
        if not any(amounts) and not self.categorical and not self.missing:
            raise UsageError("Tabular: nothing may change; give noise=, categorical= or missing=")

    def _check_values(self) -> None:
        known = isinstance(self.bounds, Mapping) or self.bounds is None or hasattr(self.bounds, "columns")
        if not known:
            raise UsageError(
                "Tabular(bounds): a mapping of columns to their least and greatest, or a contract, is expected, "
                f"got {self.bounds!r}"
            )
        for name, pair in self.bounds.items() if isinstance(self.bounds, Mapping) else ():
            if not isinstance(pair, tuple | list) or len(pair) != 2 or not all(map(_end, pair)):
                raise UsageError(f"Tabular(bounds): the least and the greatest of {name!r} are expected, got {pair!r}")
        if self.categories is not None and not isinstance(self.categories, Mapping):
            raise UsageError(
                f"Tabular(categories): a mapping of columns to their values is expected, got {self.categories!r}"
            )
        for name, values in (self.categories or {}).items():
            if isinstance(values, str) or not isinstance(values, Iterable) or not len([*values]):
                raise UsageError(f"Tabular(categories): a list of the values of {name!r} is expected, got {values!r}")

    def __str__(self) -> str:
        """Return what makes this threat again, but for its reference and a contract."""
        noise = dict(self.noise) if isinstance(self.noise, Mapping) else self.noise
        parts = [f"{noise!r}" if isinstance(noise, dict) else f"{noise:g}"]
        parts += [
            f"{name}={getattr(self, name)}" for name in ("categorical", "missing", "max_changed") if getattr(self, name)
        ]
        parts += [f"missing_in={list(self.missing_in)!r}"] if self.missing_in else []
        parts += [f"columns={list(self.columns)!r}"] if self.columns is not None else []
        parts += [f"immutable={list(self.immutable)!r}"] if self.immutable else []
        if self.bounds is not None:
            parts += [f"bounds={dict(self.bounds)!r}" if isinstance(self.bounds, Mapping) else "bounds=contract"]
        parts += [f"categories={dict(self.categories)!r}"] if self.categories is not None else []
        parts += [f"integer={list(self.integer)!r}"] if self.integer != "auto" else []
        return f"Tabular({', '.join(parts)})"


def _end(value: Any) -> bool:
    return value is None or (type(value) is not bool and isinstance(value, Real) and math.isfinite(value))
