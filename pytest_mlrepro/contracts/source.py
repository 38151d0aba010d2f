"""A table where it lives: expressions are written once over narwhals, and only counts and a few rows come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .. import _frames, _lazy
from ..errors import UsageError
from .contract import Sort
from .settled import settled

__all__ = ["FIRST", "UTC", "Source", "absent", "finite", "narwhals", "opened"]

UTC: Final = ("UTC", "Etc/UTC", "Zulu", "Etc/Zulu", "Z", "+00:00", "GMT", "Etc/GMT", "UCT", "Etc/UCT", "Universal")
QUARTILES: Final = (0.25, 0.5, 0.75)
ONCE: Final = 32
"""Columns whose quartiles are asked for in one pass: the time that polars takes goes with their square."""
FIRST: Final = 10
"""Rows that are brought back of each fault."""


def narwhals() -> Any:
    """Return narwhals, or say which extra brings it."""
    return _lazy.require("narwhals.stable.v2", extra="data")


def finite(column: Any) -> Any:
    """Return a column of numbers without those that are not finite; an engine of SQL knows no shorter column."""
    return narwhals().when(column.is_finite()).then(column)


def absent(source: Source, name: str) -> Any:
    """Return which rows of a column have no value; NaN counts."""
    own = narwhals().col(name)
    return own.is_null() | (own.is_nan() & ~own.is_null()) if source.floats(name) else own.is_null()


@dataclass(frozen=True)
class Source:
    """A table."""

    native: Any
    frame: Any
    """Of narwhals, eager or lazy."""
    names: tuple[str, ...]
    sorts: Mapping[str, Sort]
    zones: Mapping[str, str]
    """Of columns of times, their time zone as it is written there; "" for naive ones."""
    rows: int
    ordered: bool
    """Whether rows have positions."""
    engine: str = ""
    """As narwhals calls it: "PANDAS", "DUCKDB"."""
    exact: frozenset[str] = frozenset()
    """Columns of numbers that have neither NaN nor infinities: decimals."""

    def zone(self, name: str) -> str:
        """Return the zone of a column of times: "none" for naive ones, and one name for UTC, which has several."""
        zone = self.zones.get(name, "") or "none"
        return "UTC" if zone in UTC else zone

    def floats(self, name: str) -> bool:
        """Tell whether a column may hold NaN and infinities."""
        return self.sorts[name] == "number" and name not in self.exact

    def aggregates(self, expressions: Mapping[str, Any]) -> dict[str, Any]:
        """Return expressions of one value each, in one pass where the engine has such."""
        if not expressions:
            return {}
        labels = list(expressions)
        asked = [expressions[label].alias(f"{at}") for at, label in enumerate(labels)]
        frame = self.frame
        if self.ordered and frame.implementation.is_polars():
            frame = frame.lazy()
        found = frame.select(*asked)
        found = found.collect() if hasattr(found, "collect") else found
        return {label: found[f"{at}"].to_list()[0] for at, label in enumerate(labels)}

    def many(self, condition: Any) -> Any:
        """Return the expression that counts the rows that meet a condition: Spark adds up no truth values."""
        return (condition.cast(narwhals().Int64) if self.engine.startswith("PYSPARK") else condition).sum()

    def quartiles(self, columns: Mapping[str, Any]) -> dict[str, tuple[float, float, float]]:
        """Return the quartiles of columns of numbers, given as expressions; Dask has none, so each is collected there."""
        if self.engine == "DASK":
            nw = narwhals()
            read = {name: self.frame.select(own.alias("x")).collect() for name, own in columns.items()}
            at = [nw.col("x").quantile(part, interpolation="linear").alias(f"{part}") for part in QUARTILES]
            return {name: tuple(frame.select(*at).row(0)) for name, frame in read.items()}
        found: dict[str, Any] = {}
        names = list(columns)
        for start in range(0, len(names), ONCE):
            found |= self.aggregates(
                {
                    f"{part} {name}": columns[name].quantile(part, interpolation="linear")
                    for name in names[start : start + ONCE]
                    for part in QUARTILES
                }
            )
        return {name: tuple(found[f"{part} {name}"] for part in QUARTILES) for name in columns}

    def where(self, condition: Any, column: str) -> tuple[tuple[int, ...], list[Any]]:
        """Return the positions (none where rows have no order) and the values of the first rows that meet a condition."""
        nw = narwhals()
        if self.ordered:
            place = _free(self.names)
            bad = _free((*self.names, place))
            found = self.frame.select(nw.col(column), condition.alias(bad))
            found = found.with_row_index(place).filter(nw.col(bad)).head(FIRST)
            return tuple(int(at) for at in found[place].to_list()), found[column].to_list()
        found = self.frame.filter(condition).select(column).head(FIRST).collect()
        return (), found[column].to_list()

    def values(self, column: str, most: int) -> list[Any]:
        """Return the different values of a column, without null; at most so many."""
        nw = narwhals()
        frame = self.frame.select(nw.col(column)).filter(~nw.col(column).is_null()).unique().head(most)
        frame = frame.collect() if hasattr(frame, "collect") else frame
        return list(frame[column].to_list())


def _free(names: tuple[str, ...]) -> str:
    place = "row"
    while place in names:
        place += "_"
    return place


def opened(frame: Any, what: str) -> Source:
    """Return a table to ask. `what` is what messages call it.

    Raises:
        UsageError: no frame, no rows or columns, two columns of one name.
        MissingDependencyError: narwhals is not installed.
    """
    nw = narwhals()
    _require_unique(frame, what)
    try:
        wrapped = _frames.wrapped(frame)
    except TypeError:
        raise UsageError(
            f"{what}: a frame of pandas, polars, pyarrow, DuckDB, Dask or PySpark is expected, got {type(frame).__name__}"
        ) from None
    if wrapped.implementation.is_pandas():
        wrapped = nw.from_native(settled(frame))
    lazy = isinstance(wrapped, nw.LazyFrame)
    schema = wrapped.collect_schema()
    names = tuple(schema.names())
    strange = [name for name in names if not isinstance(name, str)]
    if strange:
        raise UsageError(f"{what}: names of columns must be texts, got {strange[0]!r}")
    if not names:
        raise UsageError(f"{what}: the frame has no columns")
    rows = int(wrapped.select(nw.len()).collect().item()) if lazy else len(wrapped)
    if not rows:
        raise UsageError(
            f"{what}: the frame has no rows (columns: {', '.join(names[:8])}), so that nothing would be checked"
        )
    zones = {
        name: str(getattr(dtype, "time_zone", None) or "") for name, dtype in schema.items() if dtype == nw.Datetime
    }
    exact = frozenset(name for name, dtype in schema.items() if dtype.is_decimal())
    sorts = {name: _sort(nw, dtype) for name, dtype in schema.items()}
    return Source(frame, wrapped, names, sorts, zones, rows, not lazy, wrapped.implementation.name, exact)


def _require_unique(frame: Any, what: str) -> None:
    """Look before narwhals does: it refuses duplicates in words of its own."""
    names = getattr(frame, "column_names", None)
    if names is None and type(frame).__name__ != "LazyFrame":
        names = getattr(frame, "columns", None)
    if names is None or callable(names):
        return
    twice = sorted(str(name) for name, count in Counter(list(names)).items() if count > 1)
    if twice:
        raise UsageError(
            f"{what}: several columns are named {', '.join(map(repr, twice[:5]))}; give each a name of its own"
        )


def _sort(nw: Any, dtype: Any) -> Sort:
    if dtype.is_integer():
        return "whole"
    if dtype.is_float() or dtype.is_decimal():
        return "number"
    if dtype == nw.Boolean:
        return "boolean"
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        return "text"
    if dtype == nw.Datetime:
        return "time"
    if dtype == nw.Date:
        return "date"
    return "duration" if dtype == nw.Duration else "other"
