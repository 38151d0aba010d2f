"""Tables of pandas, polars and Arrow taken apart and put together again; columns that can't come back the same are refused."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from .._json import Json
from .._lazy import loaded
from .stored import CannotStoreError, Shelf, put_together, take_apart

__all__ = ["TABLES", "table_name"]


def table_name(value: Any) -> str | None:
    """Return what a table is called in a plan; None for what is no table that is known."""
    for library, names in _KINDS.items():
        module: Any = loaded(library)
        for name in names if module is not None else ():
            if type(value) is getattr(module, name, None):
                return f"{library}.{name}"
    pandas: Any = loaded("pandas")
    return "pandas.Index" if pandas is not None and isinstance(value, pandas.Index) else None


# pandas: column by column, so that every dtype is kept


def _take_frame(frame: Any, shelf: Shelf, place: str) -> Json:
    if type(frame).__name__ == "Series":
        names = take_apart(frame.name, shelf, f"{place}.name")
        return {
            **_part("pandas.Series", frame.index, frame.attrs, shelf, place),
            "name": names,
            "column": _take_column(frame, shelf, place),
        }
    columns = [_take_column(frame.iloc[:, at], shelf, f"{place}[{name!r}]") for at, name in enumerate(frame.columns)]
    names = _take_index(frame.columns, shelf, f"{place}.columns")
    return {**_part("pandas.DataFrame", frame.index, frame.attrs, shelf, place), "names": names, "columns": columns}


def _part(name: str, index: Any, attrs: Any, shelf: Shelf, place: str) -> dict[str, Json]:
    return {
        "is": name,
        "index": _take_index(index, shelf, f"{place}.index"),
        "attrs": take_apart(dict(attrs), shelf, f"{place}.attrs"),
    }


def _make_frame(plan: Json, shelf: Shelf) -> Any:
    pd = importlib.import_module("pandas")
    index = _make_index(plan["index"], shelf)
    if plan["is"] == "pandas.Series":
        made = pd.Series(_make_column(plan["column"], shelf), index=index, name=put_together(plan["name"], shelf))
    else:
        columns = {at: _make_column(column, shelf) for at, column in enumerate(plan["columns"])}
        made = pd.DataFrame(columns, index=index)
        made.columns = _make_index(plan["names"], shelf)
    made.attrs.update(put_together(plan["attrs"], shelf))
    return made


def _take_index(index: Any, shelf: Shelf, place: str) -> Json:
    pd: Any = loaded("pandas")
    names = take_apart(list(index.names), shelf, f"{place}.names")
    if isinstance(index, pd.MultiIndex):
        levels = [
            _take_column(index.get_level_values(at).to_series(), shelf, f"{place} level {at}")
            for at in range(index.nlevels)
        ]
        return {"is": "pandas.Index", "names": names, "levels": levels}
    if type(index) is pd.RangeIndex:
        return {"is": "pandas.Index", "names": names, "range": [index.start, index.stop, index.step]}
    plan = {"is": "pandas.Index", "names": names, "values": _take_column(index.to_series(), shelf, place)}
    freq = getattr(index, "freq", None)
    return plan if freq is None else {**plan, "freq": freq.freqstr}


def _make_index(plan: Json, shelf: Shelf) -> Any:
    pd = importlib.import_module("pandas")
    names = put_together(plan["names"], shelf)
    if "levels" in plan:
        return pd.MultiIndex.from_arrays([_make_column(level, shelf) for level in plan["levels"]], names=names)
    if "range" in plan:
        return pd.RangeIndex(*plan["range"], name=names[0])
    index = pd.Index(_make_column(plan["values"], shelf), name=names[0])
    if "freq" in plan:
        index.freq = plan["freq"]
    return index


def _take_column(series: Any, shelf: Shelf, place: str) -> Json:
    pd: Any = loaded("pandas")
    dtype, values = series.dtype, series.array
    if isinstance(dtype, np.dtype):
        array = series.to_numpy()
        if array.dtype == object:
            return {"form": "objects", "items": take_apart(array.tolist(), shelf, place)}
        return {"form": "numpy", "in": shelf.put_array(array)}
    if isinstance(dtype, pd.CategoricalDtype):
        return {
            "form": "categories",
            "codes": shelf.put_array(values.codes),
            "categories": _take_index(values.categories, shelf, place),
            "ordered": bool(dtype.ordered),
        }
    if isinstance(dtype, pd.DatetimeTZDtype):
        return {"form": "instants", "in": shelf.put_array(np.asarray(values.asi8)), "dtype": str(dtype)}
    if isinstance(dtype, pd.StringDtype):
        items = [None if missing else item for item, missing in zip(values, values.isna(), strict=True)]
        na = "NA" if dtype.na_value is pd.NA else "nan"
        return {"form": "strings", "items": take_apart(items, shelf, place), "storage": dtype.storage, "na": na}
    if isinstance(dtype, pd.ArrowDtype):
        return {"form": "arrow", "in": _put_arrow(values.__arrow_array__(), shelf)}
    if isinstance(dtype, pd.PeriodDtype):
        return {"form": "periods", "in": shelf.put_array(np.asarray(values.asi8)), "dtype": str(dtype)}
    if hasattr(values, "_mask") and hasattr(values, "_data"):
        data, mask = shelf.put_array(values._data), shelf.put_array(values._mask)
        return {"form": "masked", "data": data, "mask": mask, "dtype": str(dtype)}
    raise CannotStoreError(place, series, f"its dtype {dtype} is not stored")


def _make_column(plan: Json, shelf: Shelf) -> Any:
    pd = importlib.import_module("pandas")
    match plan["form"]:
        case "numpy":
            return shelf.array(plan["in"])
        case "objects":
            items = put_together(plan["items"], shelf)
            array = np.empty(len(items), dtype=object)
            array[:] = items
            return pd.Series(array, dtype=object).array
        case "categories":
            dtype = pd.CategoricalDtype(_make_index(plan["categories"], shelf), plan["ordered"])
            return pd.Categorical.from_codes(shelf.array(plan["codes"]), dtype=dtype)
        case "instants":
            dtype = pd.api.types.pandas_dtype(plan["dtype"])
            plain = shelf.array(plan["in"]).view(f"datetime64[{dtype.unit}]")
            return pd.Series(plain).dt.tz_localize("UTC").dt.tz_convert(dtype.tz).array
        case "strings":
            na = pd.NA if plan["na"] == "NA" else np.nan
            return pd.array(put_together(plan["items"], shelf), dtype=_string_dtype(pd, plan["storage"], na))
        case "arrow":
            return pd.arrays.ArrowExtensionArray(_arrow(plan["in"], shelf))
        case "periods":
            return pd.arrays.PeriodArray(shelf.array(plan["in"]), dtype=pd.api.types.pandas_dtype(plan["dtype"]))
        case _:
            kind = pd.api.types.pandas_dtype(plan["dtype"]).construct_array_type()
            return kind(shelf.array(plan["data"]), shelf.array(plan["mask"]))


def _string_dtype(pd: Any, storage: str, na: Any) -> Any:
    try:
        return pd.StringDtype(storage, na_value=na)
    except TypeError:  # pandas before 2.3 has one kind of missing value
        return pd.StringDtype(storage)


# polars and Arrow: their own format, which says everything


def _take_polars(value: Any, shelf: Shelf, place: str) -> Json:
    frame = value if type(value).__name__ == "DataFrame" else value.to_frame()
    if any(str(dtype) == "Object" for dtype in frame.dtypes):
        raise CannotStoreError(place, value, "a column of Python objects is not stored")
    buffer = io.BytesIO()
    frame.write_ipc(buffer)
    return {"is": f"polars.{type(value).__name__}", "in": shelf.put_bytes(buffer.getvalue())}


def _make_polars(plan: Json, shelf: Shelf) -> Any:
    pl = importlib.import_module("polars")
    frame = pl.read_ipc(io.BytesIO(shelf.data(plan["in"])))
    return frame if plan["is"] == "polars.DataFrame" else frame.to_series()


def _take_arrow(value: Any, shelf: Shelf, place: str) -> Json:
    return {"is": f"pyarrow.{type(value).__name__}", "in": _put_arrow(value, shelf)}


def _put_arrow(value: Any, shelf: Shelf) -> int:
    pa = importlib.import_module("pyarrow")
    importlib.import_module("pyarrow.ipc")
    kind = type(value).__name__
    if kind == "RecordBatch":
        value = pa.Table.from_batches([value])
    elif kind != "Table":
        value = pa.table({"": value})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, value.schema) as writer:
        writer.write_table(value)
    return shelf.put_bytes(sink.getvalue())


def _arrow(number: int, shelf: Shelf) -> Any:
    """Return the one column of a table that an array was kept in."""
    return _read_arrow(number, shelf).column(0)


def _read_arrow(number: int, shelf: Shelf) -> Any:
    pa = importlib.import_module("pyarrow")
    importlib.import_module("pyarrow.ipc")
    with pa.ipc.open_stream(shelf.data(number)) as reader:
        return reader.read_all()


def _make_arrow(plan: Json, shelf: Shelf) -> Any:
    if plan["is"] == "pyarrow.ChunkedArray":
        return _arrow(plan["in"], shelf)
    table = _read_arrow(plan["in"], shelf)
    if plan["is"] == "pyarrow.Table":
        return table
    batches = table.combine_chunks().to_batches()
    pa = importlib.import_module("pyarrow")
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


_KINDS: Final = {
    "pandas": ("DataFrame", "Series"),
    "polars": ("DataFrame", "Series"),
    "pyarrow": ("Table", "RecordBatch", "ChunkedArray"),
}
_Forms = tuple[Callable[[Any, Shelf, str], Json], Callable[[Json, Shelf], Any]]


def _tables() -> Iterator[tuple[str, _Forms]]:
    forms: dict[str, _Forms] = {
        "pandas": (_take_frame, _make_frame),
        "polars": (_take_polars, _make_polars),
        "pyarrow": (_take_arrow, _make_arrow),
    }
    for library, names in _KINDS.items():
        yield from ((f"{library}.{name}", forms[library]) for name in names)
    yield "pandas.Index", (_take_index, _make_index)


TABLES: Final[dict[str, _Forms]] = dict(_tables())
