"""The parts of a split as columns by name: pandas, polars, Arrow, matrices and (X, y), with what can't be right refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from .. import _lazy
from .._frames import is_dask
from ..errors import UsageError
from .encoded import Encoded, encoded

__all__ = ["LABEL", "Part", "part"]

LABEL: Final = "label"
"""The column that y of (X, y) becomes, unless `label` gives a name."""


@dataclass(frozen=True)
class Part:
    """One part of a split: its name, the names of its columns in order, and each column when it is asked for."""

    name: str
    names: tuple[str, ...]
    rows: int
    source: Mapping[str, Any]
    """Numpy arrays of shape (rows,), or narwhals series."""

    def column(self, name: str) -> Encoded:
        """Return a column; UsageError for values that can't be compared."""
        if name not in self._read:
            self._read[name] = encoded(self.source[name], f"column {name!r} of {self.name}")
        return self._read[name]

    @cached_property
    def _read(self) -> dict[str, Encoded]:
        return {}


def part(name: str, value: Any, label: str | None) -> Part:
    """Return a part of the split.

    value: a frame (pandas, polars, pyarrow; lazy ones are collected, once and as a whole), a mapping of names to arrays
    of shape (rows,), an array of shape (rows, columns) whose columns are named "0", "1", …, or (X, y) of one of these
    and labels of shape (rows,).

    Raises:
        UsageError: no frame; no rows or columns; duplicate names; X and y of different lengths.
    """
    if isinstance(value, tuple):
        return _with_labels(name, value, label or LABEL)
    if isinstance(value, Mapping):
        columns = {str(key): np.asarray(column) for key, column in value.items()}
        _require_unique(name, map(str, value))
        return _checked(Part(name, tuple(columns), _length(name, columns), columns))
    if isinstance(value, np.ndarray) or _is_tensor(value):
        return _matrix(name, np.asarray(value))
    return _frame(name, value)


def _with_labels(name: str, value: tuple[Any, ...], label: str) -> Part:
    if len(value) != 2:
        raise UsageError(f"data: {name} is a tuple of {len(value)}, (X, y) is expected")
    features = part(name, value[0], None)
    labels = np.asarray(value[1])
    if labels.shape != (features.rows,):
        raise UsageError(
            f"data: {name} has {features.rows} rows and y of shape {labels.shape}, ({features.rows},) is expected"
        )
    if label in features.names:
        raise UsageError(f"data: {name} has a column {label!r} and y besides: give label= another name")
    return Part(name, (*features.names, label), features.rows, {**features.source, label: labels})


def _matrix(name: str, array: Any) -> Part:
    if array.dtype.names:
        return part(name, {field: array[field] for field in array.dtype.names}, None)
    if array.ndim != 2:
        raise UsageError(
            f"data: {name} is an array of shape {array.shape}, (rows, columns) is expected: for images, "
            "array.reshape(len(array), -1)"
        )
    columns = {str(at): array[:, at] for at in range(array.shape[1])}
    return _checked(Part(name, tuple(columns), array.shape[0], columns))


def _frame(name: str, value: Any) -> Part:
    nw = _lazy.require("narwhals.stable.v2", extra="data")
    if is_dask(value):  # as a whole, and not column by column
        value = value.compute()
    _require_unique(name, _native_names(value))
    try:
        wrapped = nw.from_native(value)
    except TypeError:
        raise UsageError(
            f"data: {name} must be a frame (pandas, polars, pyarrow, …), a mapping of names to arrays, an array of "
            f"shape (rows, columns) or (X, y), got {type(value).__name__}"
        ) from None
    if isinstance(wrapped, nw.LazyFrame):
        wrapped = wrapped.collect()
    columns = {str(key): wrapped.get_column(key) for key in wrapped.columns}
    return _checked(Part(name, tuple(columns), len(wrapped), columns))


def _is_tensor(value: object) -> bool:
    torch = _lazy.loaded("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _native_names(frame: Any) -> list[str]:
    """Return the names of columns as the library has them: narwhals refuses duplicates in words of its own."""
    if type(frame).__name__ == "LazyFrame":  # its names can't be twice the same
        return []
    names = getattr(frame, "column_names", None)
    names = getattr(frame, "columns", None) if names is None else names
    return [] if names is None or callable(names) else [str(name) for name in names]


def _require_unique(name: str, names: Iterable[str]) -> None:
    twice = sorted(key for key, count in Counter(names).items() if count > 1)
    if twice:
        raise UsageError(f"data: {name} has several columns of one name: {', '.join(map(repr, twice[:5]))}")


def _length(name: str, columns: Mapping[str, Any]) -> int:
    sizes = {key: column.shape for key, column in columns.items()}
    if any(len(shape) != 1 for shape in sizes.values()) or len(set(sizes.values())) > 1:
        raise UsageError(f"data: the columns of {name} must be of one shape (rows,), got {sizes}")
    return next(iter(sizes.values()), (0,))[0]


def _checked(made: Part) -> Part:
    if not made.names:
        raise UsageError(f"data: {made.name} has no columns")
    if not made.rows:
        raise UsageError(f"data: {made.name} has no rows (columns: {', '.join(made.names[:8])})")
    return made
