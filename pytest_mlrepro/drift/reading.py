"""Frames of any library as columns: through narwhals, so that no library is imported that the frame did not bring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .. import _frames, _lazy
from ..errors import UsageError
from . import packed
from .columns import Column, Labels, Values, from_array, from_objects, null
from .remote import Remote, remote_labels

__all__ = ["Table", "is_frame", "table"]


@dataclass(frozen=True)
class Table:
    """A frame: names of columns in order, and each column when it is asked for."""

    names: tuple[str, ...]
    rows: int
    source: Mapping[str, Any]
    """Numpy arrays, narwhals series, or columns that were read."""

    def column(self, name: str) -> Column:
        """Return a column; UsageError for one of a type that can't be compared."""
        if name not in self._read:
            self._read[name] = _column(name, self.source[name])
        return self._read[name]

    @cached_property
    def _read(self) -> dict[str, Column]:
        return {}

    @property
    def in_memory(self) -> bool:
        """Tell whether columns can be read by several threads."""
        return isinstance(self.source, dict)

    def raw(self, name: str) -> Any:
        """Return a column as the user's library has it, or as a numpy array: what an encoder is given."""
        column = self.source[name]
        if isinstance(column, Values | Labels):
            return column.numbers if isinstance(column, Values) else np.array(column.labels, object)
        return column.to_native() if hasattr(column, "to_native") else column

    def but(self, names: Iterable[str]) -> Table:
        """Return the table without these columns."""
        gone = set(names)
        left = tuple(name for name in self.names if name not in gone)
        source = {name: self.source[name] for name in left} if self.in_memory else self.source
        return Table(left, self.rows, source)

    def with_columns(self, more: Mapping[str, Any]) -> Table:
        """Return the table with these columns behind its own, each of as many rows."""
        both = {**self.source, **more} if self.in_memory else _Both(self.source, more)
        return Table((*self.names, *more), self.rows, both)


def is_frame(value: object) -> bool:
    """Tell whether a value is a frame of some library, a mapping of columns, or a matrix."""
    if isinstance(value, Mapping):
        return True
    if isinstance(value, np.ndarray):
        return value.ndim == 2 and value.dtype.kind in "iufb"
    nw = _narwhals()
    return bool(nw.dependencies.is_into_dataframe(value) or _is_lazy(nw, value))


def table(frame: Any, what: str) -> Table:
    """Return a frame's columns. `what` is what messages call it.

    A lazy frame (polars, DuckDB) is read column by column, when a column is asked for. UsageError for a frame without
    rows or columns, for duplicate names, and for what is no frame.
    """
    if isinstance(frame, Mapping):
        return _of_mapping(frame, what)
    if isinstance(frame, np.ndarray):
        return _of_matrix(frame, what)
    nw = _narwhals()
    _require_unique(_native_names(frame), what)
    try:
        wrapped = _frames.wrapped(frame)
    except TypeError:
        raise UsageError(
            f"drift: {what} must be a frame (pandas, polars, pyarrow, DuckDB, …), a mapping of names to arrays or an "
            f"array of shape (rows, columns), got {type(frame).__name__}; for other data give encoder=function"
        ) from None
    if isinstance(wrapped, nw.LazyFrame):
        return _of_lazy(nw, wrapped, what)
    names = [str(name) for name in wrapped.columns]
    _require_rows(len(wrapped), names, what)
    return Table(tuple(names), len(wrapped), {str(name): wrapped.get_column(name) for name in wrapped.columns})


def _narwhals() -> Any:
    return _lazy.require("narwhals.stable.v2", extra="data")


def _is_lazy(nw: Any, value: object) -> bool:
    try:
        return isinstance(_frames.wrapped(value), nw.LazyFrame)
    except TypeError:
        return False


def _native_names(frame: Any) -> list[str]:
    """Return the names of columns as the library has them: narwhals refuses duplicates in words of its own."""
    if type(frame).__name__ == "LazyFrame":  # its names cost a resolved plan, and can't be twice the same
        return []
    names = getattr(frame, "column_names", None)
    names = getattr(frame, "columns", None) if names is None else names
    if names is None or callable(names):
        return []
    return [str(name) for name in names]


def _require_unique(names: Iterable[str], what: str) -> None:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise UsageError(
            f"drift: {what} has several columns of one name: {', '.join(map(repr, twice[:5]))}. Rename them"
        )


def _require_rows(rows: int, names: Iterable[str], what: str) -> None:
    columns = list(names)
    if not columns:
        raise UsageError(f"drift: {what} has no columns")
    if not rows:
        raise UsageError(f"drift: {what} has no rows (columns: {', '.join(columns[:8])}): nothing can be compared")


def _of_mapping(frame: Mapping[Any, Any], what: str) -> Table:
    columns = {
        str(name): column if isinstance(column, Values | Labels) else np.asarray(column)
        for name, column in frame.items()
    }
    _require_unique(map(str, frame), what)
    sizes = {
        name: column.shape[0] if column.ndim else -1
        for name, column in columns.items()
        if isinstance(column, np.ndarray)
    }
    if len(set(sizes.values())) > 1:
        raise UsageError(f"drift: the columns of {what} have other numbers of rows: {sizes}")
    rows = next(iter(sizes.values()), 0)
    _require_rows(rows, columns, what)
    return Table(tuple(columns), rows, columns)


def _of_matrix(frame: Any, what: str) -> Table:
    if frame.ndim != 2:
        raise UsageError(
            f"drift: {what} is an array of shape {frame.shape}, (rows, columns) is expected; for images, texts and other "
            "values give encoder=function, which returns such an array"
        )
    _require_rows(frame.shape[0], map(str, range(frame.shape[1])), what)
    return Table(
        tuple(map(str, range(frame.shape[1]))), frame.shape[0], {str(at): frame[:, at] for at in range(frame.shape[1])}
    )


def _of_lazy(nw: Any, wrapped: Any, what: str) -> Table:
    names = [str(name) for name in wrapped.collect_schema().names()]
    _require_unique(names, what)
    rows = int(wrapped.select(nw.len().alias("rows")).collect().item()) if names else 0
    _require_rows(rows, names, what)
    if wrapped.implementation in (nw.Implementation.POLARS, nw.Implementation.DASK):
        # one column at a time: polars reads it alone, and Dask takes a minute for the expressions that DuckDB takes a second for
        return Table(tuple(names), rows, _Collected(wrapped, names))
    return Table(tuple(names), rows, _Engine(nw, wrapped, rows))


class _Collected(Mapping[str, Any]):
    """The columns of a lazy frame, each collected when it is asked for and then let go."""

    def __init__(self, frame: Any, names: list[str]) -> None:
        self._frame, self._names = frame, names

    def __getitem__(self, name: str) -> Any:
        return self._frame.select(name).collect().get_column(name)

    def __iter__(self) -> Any:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _Engine(_Collected):
    """The columns of a frame that lives in an engine: numbers and texts stay there, others are collected."""

    def __init__(self, nw: Any, frame: Any, rows: int) -> None:
        schema = frame.collect_schema()
        super().__init__(frame, [str(name) for name in schema.names()])
        self._nw, self._schema, self._rows = nw, schema, rows

    def __getitem__(self, name: str) -> Any:
        nw, dtype = self._nw, self._schema[name]
        if dtype.is_integer() or dtype.is_float() or dtype.is_decimal():
            return Remote(nw, self._frame, name, self._rows)
        if dtype in (nw.String, nw.Boolean, nw.Categorical, nw.Enum):
            return remote_labels(nw, self._frame, name, self._rows)
        return super().__getitem__(name)


class _Both(Mapping[str, Any]):
    """Columns of a lazy frame, and others beside them."""

    def __init__(self, lazily: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        self._lazily, self._more = lazily, more

    def __getitem__(self, name: str) -> Any:
        return self._more[name] if name in self._more else self._lazily[name]

    def __iter__(self) -> Any:
        return iter([*self._lazily, *self._more])

    def __len__(self) -> int:
        return len(self._lazily) + len(self._more)


def _column(name: str, column: Any) -> Column:
    if isinstance(column, Values | Labels):
        return column
    if isinstance(column, np.ndarray):
        if column.ndim != 1:
            raise UsageError(
                f"drift: column {name!r} has shape {column.shape}, one value a row is expected; give "
                f"encoder={{{name!r}: function}}, which returns numbers for it"
            )
        return from_array(name, column)
    return _of_series(name, column)


def _of_series(name: str, series: Any) -> Column:
    nw = _narwhals()
    dtype = series.dtype
    if dtype == nw.Boolean:
        return _booleans(series)
    if dtype.is_integer() or dtype.is_float() or dtype.is_decimal():
        return Values("numeric", _floats(series if dtype == nw.Float64 else series.cast(nw.Float64)))
    if dtype in (nw.Datetime, nw.Date):
        zone = "UTC" if getattr(dtype, "time_zone", None) else ""
        return Values(
            "datetime",
            _floats(
                series.cast(nw.Datetime).dt.timestamp("us").cast(nw.Float64)
                if dtype == nw.Date
                else series.dt.timestamp("us").cast(nw.Float64)
            )
            / 1e6,
            zone,
        )
    if dtype == nw.Duration:
        return Values("numeric", _floats(series.dt.total_microseconds().cast(nw.Float64)) / 1e6)
    if dtype in (nw.Categorical, nw.Enum):
        native = series.to_native()
        pandas = hasattr(native, "cat") and hasattr(native.cat, "codes")
        return _coded(native.cat) if pandas else _labelled(series.cast(nw.String))
    if dtype == nw.String:
        return _labelled(series)
    if dtype == nw.Unknown and series.null_count() == len(series):
        return Values("empty", np.full(len(series), np.nan))
    return from_objects(name, series.to_list())


def _floats(series: Any) -> Any:
    return np.asarray(series.to_numpy(), dtype=np.float64)


def _booleans(series: Any) -> Column:
    nulls, yes = int(series.null_count()), int(series.sum() or 0)
    counts = {name: rows for name, rows in (("False", len(series) - nulls - yes), ("True", yes)) if rows}
    if not counts:
        return Values("empty", np.full(len(series), np.nan))
    return Labels(
        "category", counts, nulls, lambda: [None if null(item) else str(bool(item)) for item in series.to_list()]
    )


def _coded(categories: Any) -> Column:
    """Return a categorical of pandas: by its codes, since texts of whole numbers depend on whether there are nulls."""
    names = [str(name) for name in categories.categories]
    codes = np.asarray(categories.codes)
    rows = np.bincount(codes.astype(np.int64) + 1, minlength=len(names) + 1)
    if rows[0] == len(codes):
        return Values("empty", np.full(len(codes), np.nan))
    counts = {name: int(count) for name, count in zip(names, rows[1:], strict=True) if count}
    return Labels("category", counts, int(rows[0]), lambda: [names[code] if code >= 0 else None for code in codes])


def _labelled(series: Any) -> Column:
    counts = packed.counted(series.to_native())
    if counts is None:
        counted = series.value_counts(sort=False, name="rows")
        pairs = zip(counted[counted.columns[0]].to_list(), counted["rows"].to_list(), strict=True)
        counts = {text: int(rows) for text, rows in pairs if not null(text)}
    if not counts:
        return Values("empty", np.full(len(series), np.nan))
    nulls = len(series) - sum(counts.values())
    return Labels("category", counts, nulls, lambda: [None if null(text) else text for text in series.to_list()])
