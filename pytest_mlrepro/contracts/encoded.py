"""A column of any library in one of two forms, in which columns of different parts can be held against each other.

Equal values have one form whatever the engine, the width of the number or the code of the category, so that a verdict
depends on neither.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from .. import _lazy
from ..errors import UsageError

__all__ = ["Encoded", "Family", "Items", "Numbers", "encoded"]

Family: TypeAlias = Literal["number", "boolean", "text", "time", "duration", "mixed", "empty"]
EPOCH: Final = dt.datetime(1970, 1, 1)
MICROSECOND: Final = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Numbers:
    """Numbers: as they are, times and durations as microseconds (times since 1970, in UTC if they know their zone)."""

    family: Literal["number", "boolean", "time", "duration", "empty"]
    values: Any
    """Shape (rows,): int64, uint64, or a float of the column's own precision."""
    null: Any
    """Shape (rows,), bool; NaN is null."""
    zone: str = ""
    """Of times: the zone, "" for naive ones."""


@dataclass(frozen=True)
class Items:
    """Texts, or values of any type: each by the number of one of the different ones."""

    family: Literal["text", "mixed"]
    codes: Any
    """Shape (rows,), int64; -1 for a null."""
    values: Sequence[Any]
    """The different values; some may have no row."""
    zones: tuple[str, ...] = ()
    """Of times in a column of objects: the zones that they have."""

    @property
    def null(self) -> Any:
        """Return which rows have no value."""
        return self.codes < 0


Encoded: TypeAlias = Numbers | Items


def encoded(column: Any, where: str) -> Encoded:
    """Return a column's form; UsageError for values that can't be compared. `where` is what messages call it."""
    return _of_array(column, where) if isinstance(column, np.ndarray) else _of_series(column, where)


def _of_array(array: Any, where: str) -> Encoded:
    kind = array.dtype.kind
    if kind == "b":
        return Numbers("boolean", array.astype(np.int64), np.zeros(len(array), bool))
    if kind in "iu":
        return Numbers("number", _wide(array), np.zeros(len(array), bool))
    if kind == "f":
        return Numbers("number", array, np.isnan(array))
    if kind in "mM":
        form = "datetime64[us]" if kind == "M" else "timedelta64[us]"
        return Numbers("time" if kind == "M" else "duration", array.astype(form).astype(np.int64), np.isnat(array))
    if kind in "USO":
        return _of_objects(array.tolist(), where)
    raise UsageError(f"data: {where} is of dtype {array.dtype}, which can't be compared")


def _wide(array: Any) -> Any:
    return array if array.dtype == np.uint64 else array.astype(np.int64, copy=False)


def _of_series(series: Any, where: str) -> Encoded:
    nw = _lazy.require("narwhals.stable.v2", extra="data")
    dtype, native = series.dtype, series.to_native()
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        return _texts(nw, series)
    if dtype == nw.Boolean or dtype.is_integer() or dtype.is_float() or dtype in (nw.Datetime, nw.Date, nw.Duration):
        null = np.asarray(series.is_null().to_numpy(), bool)
        if dtype in (nw.Datetime, nw.Date, nw.Duration):
            return _moments(nw, series, dtype, null)
        if dtype == nw.Boolean:
            return Numbers("boolean", np.asarray(series.fill_null(False).to_numpy()).astype(np.int64), null)
        if dtype.is_integer():
            return Numbers(
                "number", _wide(np.asarray((series.fill_null(0) if null.any() else series).to_numpy())), null
            )
        values = np.asarray(series.to_numpy())
        values = values if values.dtype.kind == "f" else values.astype(np.float64)
        return Numbers("number", values, null | np.isnan(values))
    if dtype == nw.Unknown and series.null_count() == len(series):
        return Numbers("empty", np.zeros(len(series)), np.ones(len(series), bool))
    return _of_objects(native.to_pylist() if hasattr(native, "to_pylist") else series.to_list(), where)


def _moments(nw: Any, series: Any, dtype: Any, null: Any) -> Numbers:
    if dtype == nw.Duration:
        counts = series.dt.total_microseconds()
        family: Literal["time", "duration"] = "duration"
    else:
        counts = (series.cast(nw.Datetime("us")) if dtype == nw.Date else series).dt.timestamp("us")
        family = "time"
    values = np.asarray((counts.fill_null(0) if null.any() else counts).to_numpy())
    values = np.where(null, 0, values).astype(np.int64)
    return Numbers(family, values, null, str(getattr(dtype, "time_zone", None) or ""))


def _texts(nw: Any, series: Any) -> Items:
    """Return texts by the numbers of the different ones, in the way that is fast in the library that has them."""
    native = series.to_native()
    if hasattr(native, "factorize"):  # pandas, modin
        codes, values = native.factorize()
        return Items("text", np.asarray(codes, np.int64), [str(value) for value in values])
    if series.dtype != nw.String:
        series = series.cast(nw.String)
        native = series.to_native()
    if hasattr(native, "dictionary_encode"):  # Arrow
        packed = native.dictionary_encode()
        packed = packed.combine_chunks() if hasattr(packed, "combine_chunks") else packed
        codes = packed.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return Items("text", np.asarray(codes, np.int64), packed.dictionary.to_pylist())
    if hasattr(native, "replace_strict"):  # polars
        different = native.unique().drop_nulls()
        codes = native.replace_strict(different, list(range(len(different))), default=-1) if len(different) else None
        return Items("text", _codes(codes, len(native)), different.to_list())
    return _counted(series.to_list())


def _codes(codes: Any, rows: int) -> Any:
    return np.full(rows, -1) if codes is None else np.asarray(codes.fill_null(-1).to_numpy(), np.int64)


def _counted(values: list[Any]) -> Items:
    """Return texts by the numbers of the different ones; None for a null."""
    number = {value: at for at, value in enumerate(dict.fromkeys(values)) if value is not None}
    different = list(number)
    number = {value: at for at, value in enumerate(different)}
    codes = np.fromiter((number.get(value, -1) for value in values), np.int64, len(values))
    return Items("text", codes, different)


def _of_objects(values: list[Any], where: str) -> Encoded:
    """Return the form of Python objects: that of a column of their type, if they are of one."""
    present = [value for value in values if not _null(value)]
    if not present:
        return Numbers("empty", np.zeros(len(values)), np.ones(len(values), bool))
    kinds = {type(value) for value in present}
    null = np.array([_null(value) for value in values], bool) if len(present) < len(values) else None
    if all(issubclass(kind, str) for kind in kinds):
        return _counted([None if _null(value) else str(value) for value in values])
    if all(issubclass(kind, bool | np.bool_) for kind in kinds):
        return Numbers(
            "boolean", np.array([bool(v) if not _null(v) else 0 for v in values], np.int64), _some(null, values)
        )
    if all(issubclass(kind, int | float | np.integer | np.floating | decimal.Decimal) for kind in kinds):
        return _numbers(values, _some(null, values), kinds)
    zones = {str(value.tzinfo or "") for value in present if isinstance(value, dt.datetime)}
    if all(issubclass(kind, dt.date) for kind in kinds) and len(zones) <= 1:
        counts = np.array([0 if _null(value) else _microseconds(value) for value in values], np.int64)
        return Numbers("time", counts, _some(null, values), next(iter(zones), ""))
    return _mixed(values, where, tuple(sorted(zones)))


def _some(null: Any, values: list[Any]) -> Any:
    return np.zeros(len(values), bool) if null is None else null


def _numbers(values: list[Any], null: Any, kinds: set[type]) -> Numbers:
    if all(issubclass(kind, int | np.integer) and kind is not bool for kind in kinds):
        whole = [0 if _null(value) else int(value) for value in values]
        if all(-(2**63) <= value < 2**63 for value in whole):
            return Numbers("number", np.array(whole, np.int64), null)
    return Numbers("number", np.array([np.nan if _null(value) else float(value) for value in values]), null)


def _microseconds(value: dt.date) -> int:
    if not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)
    if value.tzinfo is not None:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    return (value - EPOCH) // MICROSECOND


def _mixed(values: list[Any], where: str, zones: tuple[str, ...]) -> Items:
    number: dict[Any, int] = {}
    codes = np.empty(len(values), np.int64)
    for at, value in enumerate(values):
        try:
            codes[at] = -1 if _null(value) else number.setdefault(_plain(value), len(number))
        except TypeError:
            raise UsageError(
                f"data: {where} holds a {type(value).__name__} in row {at}, which can't be compared; leave the "
                "column out"
            ) from None
    return Items("mixed", codes, list(number), zones)


def _null(value: Any) -> bool:
    """Tell whether a value is missing: None, NaN, NaT, pandas' NA."""
    if value is None:
        return True
    if type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating | np.datetime64 | decimal.Decimal) and bool(value != value)


def _plain(value: Any) -> Any:
    """Return a value by which equal ones are found in a dict, apart from others of another type."""
    if isinstance(value, np.ndarray | list | tuple):
        return ("list", *map(_plain, value.tolist() if isinstance(value, np.ndarray) else value))
    if isinstance(value, Mapping):
        return ("mapping", *((str(key), _plain(value[key])) for key in sorted(value, key=str)))
    if isinstance(value, str | bytes | dt.date | dt.timedelta | dt.time):
        return (type(value).__name__, value)
    if isinstance(value, bool | np.bool_):
        return ("bool", bool(value))
    if isinstance(value, int | float | np.integer | np.floating | decimal.Decimal):
        return ("number", float(value) if float(value) == value else int(value))
    hash(value)
    return (type(value).__name__, value)
