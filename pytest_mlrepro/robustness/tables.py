"""Tables and texts as people have them, into arrays of numbers: searches get floats, whatever the cells are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._lazy import loaded
from ..errors import UsageError
from .columns import EXACT, Column
from .inputs import Form
from .table_form import TableForm

__all__ = ["AnyForm", "Column", "TableForm", "read_table", "read_texts"]

Numbers: TypeAlias = NDArray[np.float64]
Read: TypeAlias = tuple[Column, Numbers]
AnyForm: TypeAlias = Form | TableForm
"""How samples are given back to a model, whatever they are."""
_KINDS = "a pandas or polars frame, or an array or tensor (samples, features)"


def read_table(inputs: object, categorical: Sequence[Any] = ()) -> tuple[Numbers, TableForm]:
    """Return a table as numbers (samples, columns), and the form to give rows back in.

    `categorical` are columns to be taken as categories though they hold numbers. The index of a pandas frame that is not
    just whole numbers is a last, hidden column, so that each row keeps its own.

    Raises:
        UsageError: another kind of object, no rows, two columns of one name, infinities.
    """
    read, form = _read(inputs, categorical)
    names = list(form.names)
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"inputs: two columns are named {twice[0]!r}; give each a name of its own")
    if not names or not len(read[0][1]):
        raise UsageError("inputs: the table has no rows or no columns, so that nothing would be attacked")
    table = np.stack([numbers for _, numbers in read], axis=1).astype(np.float64)
    for at, (column, _) in enumerate(read):
        rows = np.flatnonzero(np.isinf(table[:, at]))
        if len(rows):
            raise UsageError(f"inputs: column {column.name!r} holds infinity, the first in row {rows[0]}")
    return table, form


def _read(inputs: Any, categorical: Sequence[Any]) -> tuple[list[Read], TableForm]:
    torch, pandas, polars = loaded("torch"), loaded("pandas"), loaded("polars")
    if pandas is not None and isinstance(inputs, pandas.DataFrame):
        read = [_of_pandas(name, inputs.iloc[:, at], name in categorical) for at, name in enumerate(inputs.columns)]
        read += _index(inputs.index)
        return read, TableForm("pandas", _columns(read), axis=inputs.columns, index=inputs.index)
    if polars is not None and isinstance(inputs, polars.DataFrame):
        read = [_of_polars(own, own.name in categorical) for own in inputs.get_columns()]
        return read, TableForm("polars", _columns(read))
    if torch is not None and isinstance(inputs, torch.Tensor) and inputs.ndim == 2:
        array = inputs.detach().cpu()
        floats = array.is_floating_point()
        plain = array.double().numpy() if floats else array.numpy()
        read = [_of_numpy(at, plain[:, at], at in categorical) for at in range(plain.shape[1])]
        for column, _ in read:
            column.dtype, column.missable = inputs.dtype, floats
        return read, TableForm("torch", _columns(read), inputs.device)
    if isinstance(inputs, np.ndarray) and inputs.ndim == 2:
        read = [_of_numpy(at, inputs[:, at], at in categorical) for at in range(inputs.shape[1])]
        return read, TableForm("numpy", _columns(read))
    shape = f" of shape {tuple(inputs.shape)}" if hasattr(inputs, "shape") else ""
    raise UsageError(f"inputs: {_KINDS} is expected, got {type(inputs).__qualname__}{shape}")


def _columns(read: list[Read]) -> tuple[Column, ...]:
    return tuple(column for column, _ in read)


def _index(index: Any) -> list[Read]:
    """Return the index as a column, if it says more than where a row is."""
    if getattr(index.dtype, "kind", "O") in "iu" and index.nlevels == 1:
        return []
    labels = index.tolist()
    return [(Column("the index", index.dtype, "fixed", labels, hidden=True), np.arange(len(labels), dtype=np.float64))]


def read_texts(inputs: object) -> tuple[Numbers, TableForm]:
    """Return texts as codes (samples, 1), and the form to give them back in.

    Raises:
        UsageError: something else than texts, or none.
    """
    values: list[Any]
    name: Any = "text"
    dtype: Any = object
    library = next((own for own in ("pandas", "polars") if _is_series(own, inputs)), "")
    if library:
        series: Any = inputs
        kind: Any = "series"
        values, name, dtype = list(series), series.name, series.dtype
    elif isinstance(inputs, np.ndarray) and inputs.ndim == 1:
        kind, values, dtype = "array", inputs.tolist(), inputs.dtype
    elif isinstance(inputs, list | tuple):
        kind, values = "list", list(inputs)
    else:
        raise UsageError(f"inputs: a list, an array or a series of texts is expected, got {type(inputs).__qualname__}")
    strange = [at for at, value in enumerate(values) if not isinstance(value, str)]
    if strange or not values:
        what = f"got {values[strange[0]]!r} as sample {strange[0]}" if strange else "there are none"
        raise UsageError(f"inputs: texts are expected, {what}")
    column = Column(name, dtype, "category")
    return column.codes(values)[:, None], TableForm(kind, (column,), library=library)


def _is_series(library: str, inputs: object) -> bool:
    module = loaded(library)
    return module is not None and isinstance(inputs, module.Series)


def _of_pandas(name: Any, series: Any, categorical: bool) -> Read:
    dtype = series.dtype
    kind, plain = getattr(dtype, "kind", "O"), isinstance(dtype, np.dtype)
    if kind in "fiu" and not categorical and not (kind in "iu" and _beyond(series.min(), series.max())):
        whole = kind in "iu"
        column = Column(name, dtype, "whole" if whole else "number", missable=not (whole and plain))
        column.gap = np.nan if plain else None
        return column, series.to_numpy(np.float64, na_value=np.nan)
    gone = series.isna().tolist()
    values = [None if missing else value for value, missing in zip(series.tolist(), gone, strict=True)]
    missable = not (plain and kind in "biu")
    column, numbers = _coded(name, dtype, values, missable=missable, fixed=kind in "mMiu" and not categorical)
    if plain and kind in "Of":  # sklearn's imputers and encoders tell None and NaN apart
        column.gap = next((value for value, missing in zip(series.tolist(), gone, strict=True) if missing), np.nan)
    return column, numbers


def _of_polars(series: Any, categorical: bool) -> Read:
    dtype = series.dtype
    beyond = dtype.is_integer() and _beyond(series.min(), series.max())
    if dtype.is_numeric() and not categorical and not beyond:
        column = Column(series.name, dtype, "whole" if dtype.is_integer() else "number")
        if dtype.is_float() and not series.null_count() and series.is_nan().any():
            column.gap = float("nan")  # polars tells NaN and null apart
        return column, series.cast(float).to_numpy().astype(np.float64)
    fixed = dtype.is_temporal() or (beyond and not categorical)
    return _coded(series.name, dtype, series.to_list(), missable=True, fixed=fixed)


def _of_numpy(at: int, array: NDArray[Any], categorical: bool) -> Read:
    values = array.tolist() if array.dtype.kind == "O" else []
    held = [value for value in values if value is not None]
    numbers = bool(held) and all(isinstance(value, int | float) and type(value) is not bool for value in held)
    if (array.dtype.kind in "fiu" or numbers) and not categorical:
        whole = array.dtype.kind in "iu" or (numbers and all(isinstance(value, int) for value in held))
        if not whole or not len(array) or not _beyond(min(held or [array.min()]), max(held or [array.max()])):
            column = Column(at, array.dtype, "whole" if whole else "number", missable=array.dtype.kind not in "iu")
            column.gap = None if values and None in values else np.nan
            gaps = [np.nan if value is None else value for value in values] if values else array
            return column, np.asarray(gaps, np.float64)
    fixed = array.dtype.kind in "mMVS" or (array.dtype.kind in "iu" and not categorical)
    column, codes = _coded(at, array.dtype, array.tolist(), missable=array.dtype.kind in "fO", fixed=fixed)
    column.gap = next((value for value in values if value is None or value != value), np.nan)
    return column, codes


def _beyond(least: Any, most: Any) -> bool:
    """Tell whether whole numbers are so large that floats leave some out: identifiers, and nothing to compute with."""
    known = [abs(int(value)) for value in (least, most) if value is not None and value == value]
    return bool(known) and max(known) >= EXACT


def _coded(name: Any, dtype: Any, values: list[Any], *, missable: bool, fixed: bool) -> Read:
    column = Column(name, dtype, "fixed" if fixed else "category", missable=missable)
    try:
        return column, column.codes(values)
    except (TypeError, ValueError):  # lists, arrays and the like, which nothing may become
        return Column(name, dtype, "fixed", levels=values), np.arange(len(values), dtype=np.float64)
