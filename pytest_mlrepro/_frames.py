"""A library's frame as narwhals sees it, lazy ones of Dask too."""

from __future__ import annotations

import warnings
from typing import Any

from . import _lazy

__all__ = ["is_dask", "wrapped"]


def is_dask(frame: object) -> bool:
    """Tell whether a frame is one of Dask, without importing it."""
    return type(frame).__module__.startswith(("dask.dataframe", "dask_expr"))


def wrapped(frame: Any) -> Any:
    """Return the frame of narwhals, eager or lazy; TypeError for what it takes for none.

    narwhals warns that Dask will need a package of its own, which nobody can do anything about who has it working. Where
    that has happened, the frame is collected.
    """
    nw = _lazy.require("narwhals.stable.v2", extra="data")
    if not is_dask(frame):
        return nw.from_native(frame)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Dask support is moving", category=FutureWarning)
        try:
            return nw.from_native(frame)
        except (ImportError, TypeError):
            return nw.from_native(frame.compute())
