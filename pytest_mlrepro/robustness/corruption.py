"""The threat of what happens to data on its way: noise, blur, lost columns, another unit, typing errors, by severity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, get_args

from ..errors import UsageError
from .corruptions.base import Kind
from .corruptions.images import IMAGES
from .corruptions.rows import ROWS
from .corruptions.series import SERIES
from .corruptions.texts import TEXTS

__all__ = ["BY_KIND", "MISSING_COLUMNS", "Corruption"]

BY_KIND = {"image": IMAGES, "series": SERIES, "table": ROWS, "text": TEXTS}
MISSING_COLUMNS = "missing_columns"


@dataclass(frozen=True, slots=True)
class Corruption:
    """What may happen to a sample by accident: `Corruption("gaussian_noise", severity=3)`.

    The corruption is drawn, not searched for: a sample stands if the model is right on each of its `draws`. So the
    verdict is exact for these draws, which the seed of the check decides and each sample has its own of.

    Args:
        name: of the corruption; `Corruption.names("image")` lists those of a kind of data.
        severity: 1 (mild) to 5 (severe); `Corruption(...).source` says where the constants are from.
        draws: how often each sample is corrupted; the worst counts.
        kind: "image", "series", "table" or "text" for data whose shape leaves it open. By itself, an array of four axes
            holds images, of three images or (where one side is below 8) series of several channels, of two a table,
            a frame is a table, and texts are texts.
        bounds: the darkest and the brightest value of an image; by itself (0, 1), or (0, 255) for whole numbers.
        columns: of a table, those that may be corrupted; by itself all.

    Raises:
        UsageError: no such name, severity or kind.
    """

    name: str
    severity: int = 3
    draws: int = field(default=1, kw_only=True)
    kind: Kind | None = field(default=None, kw_only=True)
    bounds: tuple[float, float] | None = field(default=None, kw_only=True)
    columns: Sequence[Any] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        known = self.names()
        if self.name not in known:
            import difflib  # only a mistake needs it

            name = str(self.name)
            near = difflib.get_close_matches(name, known, n=3) + [other for other in known if name and name in other]
            near = list(dict.fromkeys(near))
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"Corruption: no corruption {self.name!r}: {hint}")
        for name, least, most in (("severity", 1, 5), ("draws", 1, 10_000)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise UsageError(
                    f"Corruption({name}): a whole number from {least} to {most} is expected, got {value!r}"
                )
        if self.kind is not None and self.kind not in get_args(Kind):
            raise UsageError(
                f"Corruption(kind): one of {', '.join(map(repr, get_args(Kind)))} is expected, got {self.kind!r}"
            )
        if self.kind is not None and self.name not in self.names(self.kind):
            raise UsageError(
                f"Corruption(kind): {self.name!r} makes no sense for {self.kind!r}; that has {', '.join(self.names(self.kind))}"
            )
        if self.bounds is not None:
            pair = tuple(self.bounds) if isinstance(self.bounds, tuple | list) else ()
            if len(pair) != 2 or not all(map(_number, pair)) or not pair[0] < pair[1]:
                raise UsageError(f"Corruption(bounds): two numbers in order are expected, got {self.bounds!r}")
            object.__setattr__(self, "bounds", pair)
        if self.columns is not None:
            if isinstance(self.columns, str) or not isinstance(self.columns, Sequence) or not self.columns:
                raise UsageError(f"Corruption(columns): a list of columns is expected, got {self.columns!r}")
            object.__setattr__(self, "columns", tuple(self.columns))

    @staticmethod
    def names(kind: Kind | None = None) -> tuple[str, ...]:
        """Return the names of the corruptions of a kind of data, or of all."""
        if kind is not None and kind not in BY_KIND:
            raise UsageError(f"Corruption.names: one of {', '.join(map(repr, BY_KIND))} is expected, got {kind!r}")
        kinds = [kind] if kind is not None else list(BY_KIND)
        found = {name for one in kinds for name in BY_KIND[one]}
        return tuple(sorted(found))

    @property
    def source(self) -> str:
        """Where the method and its constants are from."""
        of = [methods for kind, methods in BY_KIND.items() if self.kind in (None, kind)]
        return "; ".join(sorted({methods[self.name].source for methods in of if self.name in methods}))

    def __str__(self) -> str:
        """Return what makes this threat again."""
        extra = f", draws={self.draws}" if self.draws > 1 else ""
        extra += f", kind={self.kind!r}" if self.kind is not None else ""
        extra += f", bounds=({self.bounds[0]:g}, {self.bounds[1]:g})" if self.bounds is not None else ""
        extra += f", columns={list(self.columns)!r}" if self.columns is not None else ""
        return f"Corruption({self.name!r}, {self.severity}{extra})"


def _number(value: Any) -> bool:
    return type(value) is not bool and isinstance(value, Real) and math.isfinite(value)
