"""Columns of Python objects in pandas that are all of one kind, as columns of that kind: so a contract reads them alike.

pandas keeps booleans with gaps, dates, decimals and large whole numbers as objects; other libraries have types for them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from .. import _lazy

__all__ = ["settled"]

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "boolean": ("boolean",), "integer": ("Int64", "float64"), "floating": ("float64",), "decimal": ("float64",),
    "mixed-integer-float": ("float64",), "date": ("date32[day][pyarrow]", "datetime64[ns]"),
}  # fmt: skip
"""By pandas' name of what objects are: the types that hold them, the first that can."""
EARLIEST: Final = dt.date(1678, 1, 1)
LATEST: Final = dt.date(2262, 1, 1)
"""Dates that pandas can hold in nanoseconds, whatever its version."""


def settled(frame: Any) -> Any:
    """Return a frame of pandas whose columns of objects have a type, where all their values have one; else the same frame."""
    objects = [name for name, dtype in frame.dtypes.items() if dtype.kind == "O" and str(dtype) == "object"]
    made = {name: column for name in objects if (column := _typed(frame[name])) is not None}
    return frame.assign(**made) if made else frame


def _typed(column: Any) -> Any:
    kind = _lazy.require("pandas", extra="data").api.types.infer_dtype(column, skipna=True)
    if kind == "date" and not all(EARLIEST < day < LATEST for day in column.dropna()):
        return None
    for wanted in KINDS.get(kind, ()):
        try:
            return column.astype(wanted)
        except (ImportError, TypeError, ValueError, OverflowError):
            continue
    return None
