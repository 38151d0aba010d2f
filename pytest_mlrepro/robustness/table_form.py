"""How rows of a table are given back to a model: the kind of object, columns, index and dtypes that it knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .._lazy import loaded
from .columns import Column
from .inputs import Floats

__all__ = ["TableForm"]


@dataclass(frozen=True, slots=True, eq=False)
class TableForm:
    """How to give rows to a model: the kind of object and its columns."""

    kind: Literal["numpy", "torch", "pandas", "polars", "list", "array", "series"]
    """The last three are of texts: a list, an array and a pandas or polars series of them."""
    columns: tuple[Column, ...]
    device: Any = None
    library: str = ""
    """Of a series, whose: "pandas" or "polars"."""
    axis: Any = None
    """Of a pandas frame, its columns."""
    index: Any = None
    """Of a pandas frame, its index. One of whole numbers is counted afresh; any other goes with its rows."""

    @property
    def dtypes(self) -> tuple[Any, ...]:
        """The dtype of each column."""
        return tuple(column.dtype for column in self.columns)

    @property
    def names(self) -> tuple[Any, ...]:
        """The name of each column; the index of a frame is none."""
        return tuple(column.name for column in self.columns if not column.hidden)

    def rounded(self, x: Floats) -> Floats:
        """Return the numbers as they are in the dtypes of the columns."""
        return np.stack([column.rounded(x[:, at]) for at, column in enumerate(self.columns)], axis=1)

    def portable(self, x: Floats) -> Floats:
        """Return rows that mean the same in another run, whose categories may be met in another order."""
        return np.stack([column.portable(x[:, at]) for at, column in enumerate(self.columns)], axis=1)

    def back(self, row: Floats) -> Floats | None:
        """Return the row that `portable` was made from, or None if it is of another table."""
        if row.shape != (len(self.columns),):
            return None
        found = np.array([column.back(row[at : at + 1])[0] for at, column in enumerate(self.columns)])
        lost = [column.coded and found[at] < 0 for at, column in enumerate(self.columns)]
        return None if any(lost) else found

    def restore(self, x: Floats) -> Any:
        """Return the array (samples, columns) as an object of this form."""
        match self.kind:
            case "pandas":
                return self._pandas(x)
            case "polars":
                polars: Any = loaded("polars")
                made = [polars.Series(own.name, own.values(x[:, at]), own.dtype) for at, own in enumerate(self.columns)]
                return polars.DataFrame(made)
            case "torch":
                torch: Any = loaded("torch")
                return torch.from_numpy(np.array(self._decoded(x))).to(device=self.device, dtype=self.columns[0].dtype)
            case "numpy":
                return self._numpy(x)
            case _:
                return self._texts(self.columns[0].values(x[:, 0]))

    def _pandas(self, x: Floats) -> Any:
        pandas: Any = loaded("pandas")
        series = {at: _series(pandas, own, x[:, at]) for at, own in enumerate(self.columns) if not own.hidden}
        frame = pandas.DataFrame(series).set_axis(self.axis, axis=1)
        if self.columns[-1].hidden:
            return frame.set_axis(self.index.take(x[:, -1].astype(np.intp)), axis=0)
        if isinstance(self.index, pandas.RangeIndex):
            return frame.rename_axis(index=self.index.name)
        return frame.set_axis(pandas.Index(np.arange(len(x)), dtype=self.index.dtype, name=self.index.name), axis=0)

    def _numpy(self, x: Floats) -> Any:
        dtype = self.columns[0].dtype
        if dtype.kind != "O" and not any(column.coded for column in self.columns):
            return np.ascontiguousarray(x, dtype)
        out = np.empty(x.shape, object if dtype.kind == "U" else dtype)
        for at, column in enumerate(self.columns):
            out[:, at] = column.values(x[:, at])
        return out.astype(str) if dtype.kind == "U" else out  # as wide as its longest text

    def _decoded(self, x: Floats) -> Floats:
        return np.stack(
            [
                np.array(own.values(x[:, at]), np.float64) if own.coded else x[:, at]
                for at, own in enumerate(self.columns)
            ],
            axis=1,
        )

    def _texts(self, texts: list[Any]) -> Any:
        (column,) = self.columns
        if self.kind == "list":
            return texts
        if self.kind == "array":
            return np.array(texts, dtype=object if column.dtype == object else str)
        library: Any = loaded(self.library)
        return library.Series(
            name=column.name, **{"data" if self.library == "pandas" else "values": texts}, dtype=column.dtype
        )


def _series(pandas: Any, column: Column, numbers: NDArray[np.float64]) -> Any:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu" and not column.coded:
        return pandas.Series(numbers).astype(column.dtype)
    return pandas.Series(column.values(numbers), dtype=column.dtype)
