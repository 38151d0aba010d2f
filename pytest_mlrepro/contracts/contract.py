"""A contract: what good data looks like, as a value that is read from text which a person edits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from .finding import Finding

__all__ = ["ColumnContract", "Contract", "Sort"]

Sort: TypeAlias = Literal["whole", "number", "boolean", "text", "time", "date", "duration", "other"]
Value: TypeAlias = "int | float | str | bool | dt.datetime | dt.date"


@dataclass(frozen=True)
class ColumnContract:
    """What one column has to be; a field that is None is not checked.

    Attributes:
        name: Of the column.
        type: "whole", "number", "boolean", "text" (categories too), "time", "date", "duration" or "other".
        zone: Of times: the time zone, "none" for naive ones.
        nulls: The greatest share of rows without a value (NaN counts).
        min: The least value that is allowed; -infinity allows that too.
        max: The greatest; infinity allows that too.
        values: All values that are allowed: categories.
        format: What every text looks like: a name of `formats.FORMATS`.
        other_formats: The greatest share of texts that look otherwise.
        stripped: Whether texts have no space at their ends.
        unique: Whether no value comes twice.
        constant: The only value.
        varies: Whether there must be more than one value.
    """

    name: str
    type: Sort | None = None
    zone: str | None = None
    nulls: float | None = None
    min: Any = None
    max: Any = None
    values: tuple[Any, ...] | None = None
    format: str | None = None
    other_formats: float | None = None
    stripped: bool | None = None
    unique: bool | None = None
    constant: Any = None
    varies: bool | None = None


@dataclass(frozen=True)
class Contract:
    """What a table has to be.

    `Contract.infer(train)` makes one from data that is known to be good, `str(contract)` is its TOML, and
    `Contract.read(path)` reads what a person made of that.

    Attributes:
        columns: Each column that there has to be.
        ordered: Whether they have to stand in this order.
        extra: Whether there may be other columns.
        key: The columns that name a row together; no two rows have the same.
        label: The column that is to be predicted.
        duplicates: The greatest share of rows that repeat another in every column.
        near_duplicates: The greatest share of rows that repeat another but for the key, case and spaces of texts and
            1e-4 robust standard deviations of numbers.
        contradictions: The greatest share of rows whose features another row has with another label.
    """

    columns: tuple[ColumnContract, ...]
    ordered: bool | None = None
    extra: bool | None = None
    key: tuple[str, ...] = ()
    label: str | None = None
    duplicates: float | None = None
    near_duplicates: float | None = None
    contradictions: float | None = None

    @staticmethod
    def infer(
        frame: Any, *, label: str | None = None, key: str | Sequence[str] | None = None, slack: float = 0.25
    ) -> Contract:
        """Return the contract that a table keeps, loosened so far that other data of the same origin keeps it too.

        Args:
            frame: pandas, polars, pyarrow, or lazily polars, DuckDB, Dask or PySpark; data that is known to be good.
            label: the column that is to be predicted.
            key: the columns that name a row; by itself a column of whole numbers or texts in which no value comes twice,
                if its name is or ends with "id" or "key".
            slack: how far beyond the least and the greatest value a range goes, as a share of its width, times
                1 + 10 / sqrt(rows); where values lie far out (heavy tails), three times as far from the median as the
                outermost. Times go on for once their width. A range without negative values stays so.

        Shares (of nulls, other formats, duplicates, contradictions) are half as much again as they were, and three
        standard deviations of a count of that size.

        Raises:
            UsageError: no frame, no rows, two columns of one name, a label or key that there isn't.
        """
        from .infer import infer

        return infer(frame, label=label, key=key, slack=slack)

    @staticmethod
    def read(source: str | Path) -> Contract:
        """Return the contract in a TOML file, or in text that has a line break.

        Raises:
            UsageError: no such file, or no contract in it; the message has the line or the field.
        """
        from .toml import read

        return read(source)

    def check(self, frame: Any) -> list[Finding]:
        """Return what a table does not keep: each fault with its column, exact count and first rows.

        Raises:
            UsageError: no frame, no rows, two columns of one name.
        """
        from .check import check

        return check(frame, self)

    def updated(self, text: str) -> str:
        """Return TOML with this contract's values in place of those in the text: comments and struck fields stay.

        New columns are added, columns that are gone are taken out. A field that a column of the text doesn't have is not
        brought back.
        """
        from .toml import updated

        return updated(text, self)

    def __str__(self) -> str:
        """Return the contract as TOML."""
        from .toml import written

        return written(self)
