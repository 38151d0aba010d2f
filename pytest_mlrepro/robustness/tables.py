"""Tables as arrays of numbers and back: a model gets the kind, columns and dtypes that it knows, and searches get floats.

Numbers are themselves, categories the number of their level, missing cells NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._lazy import loaded
from ..errors import UsageError
from .inputs import Floats, Form

__all__ = ["AnyForm", "Column", "TableForm", "read_table", "read_texts"]

Sort: TypeAlias = Literal["number", "whole", "category", "fixed"]
_KINDS = "a pandas or polars frame, or an array or tensor (samples, features)"


@dataclass(slots=True, eq=False)
class Column:
    """One column: what its numbers stand for."""

    name: Any
    dtype: Any
    sort: Sort
    levels: list[Any] = field(default_factory=list)
    """Of a category, in the order in which they were met."""
    missable: bool = True
    """Whether the dtype has a missing value."""
    spread: float = 0.0
    """The standard deviation of a number, once a reference has given it."""
    places: dict[Any, int] = field(default_factory=dict)

    def code(self, value: Any) -> float:
        """Return the number of a level; one that is new becomes the last."""
        if value is None or value != value:
            return float("nan")
        place = self.places.get(value)
        if place is None:
            place = self.places[value] = len(self.levels)
            self.levels.append(value)
        return float(place)

    def values(self, numbers: NDArray[np.float64]) -> list[Any]:
        """Return what the numbers stand for, None where a cell is missing."""
        if self.sort in ("category", "fixed"):
            return [None if number != number else self.levels[int(number)] for number in numbers.tolist()]
        if self.sort == "whole":
            return [None if number != number else int(number) for number in numbers.tolist()]
        return [None if number != number else number for number in numbers.tolist()]

    def word(self, number: float) -> str:
        """Return one cell for people to read."""
        value = self.values(np.array([number]))[0]
        return "missing" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True, eq=False)
class TableForm:
    """How to give rows to a model: the kind of object and its columns."""

    kind: Literal["numpy", "torch", "pandas", "polars", "list", "array", "series"]
    """The last three are of texts: a list, an array and a pandas series of them."""
    columns: tuple[Column, ...]
    device: Any = None

    @property
    def dtypes(self) -> tuple[Any, ...]:
        """The dtype of each column."""
        return tuple(column.dtype for column in self.columns)

    @property
    def names(self) -> tuple[Any, ...]:
        """The name of each column."""
        return tuple(column.name for column in self.columns)

    def rounded(self, x: Floats) -> Floats:
        """Return the numbers as they are in the dtypes of the columns."""
        short = [at for at, own in enumerate(self.columns) if own.sort == "number" and "32" in str(own.dtype)]
        if short:
            x = x.copy()
            x[:, short] = x[:, short].astype(np.float32)
        return x

    def restore(self, x: Floats) -> Any:
        """Return the array (samples, columns) as an object of this form; frames get a fresh index."""
        match self.kind:
            case "pandas":
                pandas: Any = loaded("pandas")
                series = {at: _pandas(pandas, own, x[:, at]) for at, own in enumerate(self.columns)}
                return pandas.DataFrame(series).set_axis(pandas.Index(self.names), axis=1)
            case "polars":
                polars: Any = loaded("polars")
                made = [polars.Series(own.name, own.values(x[:, at]), own.dtype) for at, own in enumerate(self.columns)]
                return polars.DataFrame(made)
            case "torch":
                torch: Any = loaded("torch")
                return torch.from_numpy(np.array(x)).to(device=self.device, dtype=self.columns[0].dtype)
            case "list":
                return self.columns[0].values(x[:, 0])
            case "array":
                return np.array(
                    self.columns[0].values(x[:, 0]), dtype=object if self.columns[0].dtype == object else str
                )
            case "series":
                pandas = loaded("pandas")
                return pandas.Series(
                    self.columns[0].values(x[:, 0]), name=self.columns[0].name, dtype=self.columns[0].dtype
                )
            case _:
                if self.columns[0].dtype != object:
                    return np.ascontiguousarray(x, self.columns[0].dtype)
                cells = [own.values(x[:, at]) for at, own in enumerate(self.columns)]
                out = np.empty(x.shape, object)
                for at, column in enumerate(cells):
                    out[:, at] = column
                return out


def _pandas(pandas: Any, column: Column, numbers: NDArray[np.float64]) -> Any:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu":
        return pandas.Series(numbers).astype(column.dtype)
    values = column.values(numbers)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "O":
        return pandas.Series(values, dtype=object)
    return pandas.Series(values, dtype=column.dtype)


AnyForm: TypeAlias = Form | TableForm
"""How samples are given back to a model, whatever they are."""


def read_table(inputs: object, categorical: Sequence[Any] = ()) -> tuple[NDArray[np.float64], TableForm]:
    """Return a table as numbers (samples, columns), and the form to give rows back in.

    `categorical` are columns to be taken as categories though they hold numbers.

    Raises:
        UsageError: another kind of object, no rows, two columns of one name, infinities.
    """
    torch, pandas, polars = loaded("torch"), loaded("pandas"), loaded("polars")
    if pandas is not None and isinstance(inputs, pandas.DataFrame):
        kind: Any = "pandas"
        series = [(name, inputs.iloc[:, at]) for at, name in enumerate(inputs.columns)]
        columns = [_of_pandas(name, own, name in categorical) for name, own in series]
    elif polars is not None and isinstance(inputs, polars.DataFrame):
        kind = "polars"
        columns = [_of_polars(own, own.name in categorical) for own in inputs.get_columns()]
    elif torch is not None and isinstance(inputs, torch.Tensor) and inputs.ndim == 2 and not categorical:
        kind, array = "torch", inputs.detach().double().cpu().numpy()
        sort: Sort = "number" if inputs.is_floating_point() else "whole"
        columns = [
            (Column(at, inputs.dtype, sort, missable=sort == "number"), array[:, at]) for at in range(array.shape[1])
        ]
    elif isinstance(inputs, np.ndarray) and inputs.ndim == 2:
        kind = "numpy"
        columns = [_of_numpy(at, inputs[:, at], at in categorical) for at in range(inputs.shape[1])]
    else:
        shape = f" of shape {tuple(inputs.shape)}" if hasattr(inputs, "shape") else ""
        raise UsageError(f"inputs: {_KINDS} is expected, got {type(inputs).__qualname__}{shape}")
    names = [column.name for column, _ in columns]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"inputs: two columns are named {twice[0]!r}; give each a name of its own")
    if not columns or not len(columns[0][1]):
        raise UsageError("inputs: the table has no rows or no columns, so that nothing would be attacked")
    table = np.stack([numbers for _, numbers in columns], axis=1).astype(np.float64)
    for at, (column, _) in enumerate(columns):
        rows = np.flatnonzero(np.isinf(table[:, at]))
        if len(rows):
            raise UsageError(f"inputs: column {column.name!r} holds infinity, the first in row {rows[0]}")
    return table, TableForm(kind, tuple(own for own, _ in columns), getattr(inputs, "device", None))


def read_texts(inputs: object) -> tuple[NDArray[np.float64], TableForm]:
    """Return texts as codes (samples, 1), and the form to give them back in.

    Raises:
        UsageError: something else than texts, or none.
    """
    pandas = loaded("pandas")
    values: list[Any]
    if pandas is not None and isinstance(inputs, pandas.Series):
        kind: Any = "series"
        values, name, dtype = inputs.tolist(), inputs.name, inputs.dtype
    elif isinstance(inputs, np.ndarray) and inputs.ndim == 1:
        kind, values, name, dtype = "array", inputs.tolist(), "text", inputs.dtype
    elif isinstance(inputs, list | tuple):
        kind, values, name, dtype = "list", list(inputs), "text", object
    else:
        raise UsageError(f"inputs: a list, an array or a series of texts is expected, got {type(inputs).__qualname__}")
    strange = [at for at, value in enumerate(values) if not isinstance(value, str)]
    if strange or not values:
        what = f"got {values[strange[0]]!r} as sample {strange[0]}" if strange else "there are none"
        raise UsageError(f"inputs: texts are expected, {what}")
    column = Column(name, dtype, "category")
    return np.array([[column.code(value)] for value in values]), TableForm(kind, (column,))


def _of_pandas(name: Any, series: Any, categorical: bool) -> tuple[Column, NDArray[np.float64]]:
    dtype = series.dtype
    kind = getattr(dtype, "kind", "O")
    if kind in "fiu" and not categorical:
        whole = kind in "iu"
        column = Column(
            name, dtype, "whole" if whole else "number", missable=not (whole and isinstance(dtype, np.dtype))
        )
        return column, series.to_numpy(np.float64, na_value=np.nan)
    values = [
        None if missing else value for value, missing in zip(series.tolist(), series.isna().tolist(), strict=True)
    ]
    return _coded(name, dtype, values, missable=not (isinstance(dtype, np.dtype) and kind in "biu"), fixed=kind in "mM")


def _of_polars(series: Any, categorical: bool) -> tuple[Column, NDArray[np.float64]]:
    dtype = series.dtype
    if dtype.is_numeric() and not categorical:
        column = Column(series.name, dtype, "whole" if dtype.is_integer() else "number")
        return column, series.cast(float).to_numpy()
    return _coded(series.name, dtype, series.to_list(), missable=True, fixed=dtype.is_temporal())


def _of_numpy(at: int, array: NDArray[Any], categorical: bool) -> tuple[Column, NDArray[np.float64]]:
    if array.dtype.kind in "fiu" and not categorical:
        whole = array.dtype.kind in "iu"
        return Column(at, array.dtype, "whole" if whole else "number", missable=not whole), array.astype(np.float64)
    values = array.tolist()
    numbers = [value for value in values if value is not None]
    if (
        not categorical
        and numbers
        and all(isinstance(value, int | float) and not isinstance(value, bool) for value in numbers)
    ):
        whole = all(isinstance(value, int) for value in numbers)
        return Column(at, array.dtype, "whole" if whole else "number"), np.array(
            [np.nan if value is None else value for value in values], np.float64
        )
    return _coded(at, array.dtype, values, missable=array.dtype.kind == "O", fixed=array.dtype.kind in "mMVS")


def _coded(
    name: Any, dtype: Any, values: list[Any], *, missable: bool, fixed: bool
) -> tuple[Column, NDArray[np.float64]]:
    column = Column(name, dtype, "fixed" if fixed else "category", missable=missable)
    try:
        return column, np.array([column.code(value) for value in values], np.float64)
    except TypeError:  # lists and the like, which nothing may become
        rows = list(range(len(values)))
        column = Column(name, dtype, "fixed", levels=values, places=dict(zip(rows, rows, strict=True)))
        return column, np.array(rows, np.float64)
