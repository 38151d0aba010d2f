"""The reference of drift checks: what is kept of a frame, at most a megabyte for a million rows, and none of its rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ..errors import UsageError
from .categories import CategoryProfile
from .columns import Kind
from .embeddings import Directions, Encoder
from .grouped import Allowances
from .numeric import NumberProfile
from .texts import Vocabulary
from .together import Correlations

__all__ = ["PREDICTIONS", "Entry", "Profile"]

PREDICTIONS: Final = "(predictions)"
Encoders: TypeAlias = Encoder | Mapping[str, Encoder]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of one column."""

    kind: Kind
    numbers: NumberProfile | None = None
    """Of numbers and dates."""
    categories: CategoryProfile | None = None
    """Of categories, texts and mixed columns; of texts without names."""
    zone: str = ""
    """Of dates: "" for naive ones, "UTC" for those that know their zone, "several" for more than one, "mixed" for both kinds."""
    made: bool = False
    """Whether it stands for a column of texts or for an encoder's output, and not for itself."""

    @property
    def rows(self) -> int:
        """Return how many rows were looked at."""
        return int(self._counts.rows)

    @property
    def nulls(self) -> int:
        """Return how many of them are null."""
        return int(self._counts.nulls)

    @property
    def _counts(self) -> Any:
        return self.numbers.counts if self.numbers is not None else self.categories


@dataclass(frozen=True, slots=True)
class Profile:
    """A compact reference: for each column quantiles or counts, nulls and moments; correlations; no row of the frame.

    `Profile.of(frame)` makes one, `to_plain` and `from_plain` turn it into plain arrays and back. It holds real values
    all the same: quantiles, extremes, and the names of categories. `redact` leaves out what few rows have.
    """

    rows: int
    date: str
    """When it was made, UTC, as `2026-11-25`."""
    columns: Mapping[str, Entry]
    correlations: Correlations | None = None
    texts: Mapping[str, Vocabulary] = field(default_factory=dict)
    embeddings: Mapping[str, Directions] = field(default_factory=dict)
    allowances: Allowances | None = None
    redacted: int = 0
    """Rows that a quantile or a category stands for at least; 0 where nothing was left out."""
    ignored: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        frame: Any,
        *,
        predictions: Any = None,
        encoder: Encoders | None = None,
        groups: Any = None,
        kinds: Mapping[str, Kind] | None = None,
        ignore: Collection[str] = (),
        redact: int | bool = False,
        date: str | None = None,
    ) -> Profile:
        """Return the profile of a frame: pandas, polars (also lazy), pyarrow, DuckDB, a mapping of arrays, a matrix.

        predictions: a model's output for these rows, shape (rows,) or (rows, outputs), or the function that gives it.
        encoder: gives numbers of shape (rows, width) for columns that have none, by name; one function for a `frame` that
            is no frame, such as a list of images.
        groups: a column's name, or a label for each row: days, customers, batches whose rows are alike.
        kinds: "numeric", "category" or "text" for columns that would be taken for something else.
        ignore: columns that are left out: identifiers, times of recording.
        redact: quantiles and categories that stand for fewer rows than this are left out, and no extremes are kept;
            True is 10. What is left still holds real values.

        Raises UsageError for a frame without rows, for duplicate names, and for columns of values that can't be compared.
        """
        from .making import profile_of

        least = 10 if redact is True else int(redact)
        if least < 0:
            raise UsageError(f"drift: redact must be a number of rows, or False, got {redact!r}")
        day = date or dt.datetime.now(dt.UTC).date().isoformat()
        return profile_of(frame, predictions, encoder, groups, kinds or {}, tuple(ignore), least, day)

    def to_plain(self) -> dict[str, Any]:
        """Return the profile as nested dicts of texts, numbers and numpy arrays."""
        from .plain import to_plain

        return to_plain(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Profile:
        """Return the profile that `to_plain` gave; UsageError for anything else."""
        from .plain import from_plain

        return from_plain(plain)

    def __repr__(self) -> str:
        return f"<profile of {self.rows:,} rows in {len(self.columns)} columns, {self.date}>"
