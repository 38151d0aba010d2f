"""The frames of the drift tests: a table of numbers and categories, and each library's form of it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = 8


def table(rows: int, seed: int, **changes: Any) -> pd.DataFrame:
    """Return five columns of numbers and three of categories; `changes` replace columns by functions of the frame."""
    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(1, 13) ** 1.1
    frame = pd.DataFrame(
        {
            "price": rng.lognormal(1.2, 0.4, rows),
            "normal": rng.normal(size=rows),
            "other": rng.normal(size=rows),
            "count": rng.poisson(3, rows),
            "zeros": np.where(rng.random(rows) < 0.3, 0.0, rng.exponential(size=rows)),
            "city": np.array([f"city{at}" for at in range(12)])[rng.choice(12, rows, p=shares / shares.sum())],
            "plan": pd.Categorical(np.array(["free", "pro", "team"])[rng.integers(0, 3, rows)]),
            "churned": rng.random(rows) < 0.2,
        }
    )
    return frame.assign(**changes)


def engines() -> Mapping[str, Callable[[pd.DataFrame], Any]]:
    """Return how a pandas frame becomes that of each library that is installed."""
    made: dict[str, Callable[[pd.DataFrame], Any]] = {
        "pandas": lambda frame: frame,
        "mapping": lambda frame: {name: frame[name].to_numpy() for name in frame},
    }
    if has("polars") and has("pyarrow"):
        import polars as pl

        made |= {"polars": pl.from_pandas, "polars lazy": lambda frame: pl.from_pandas(frame).lazy()}
    if has("pyarrow"):
        import pyarrow as pa

        made["pyarrow"] = lambda frame: pa.Table.from_pandas(frame, preserve_index=False)
    if has("duckdb") and has("pyarrow"):
        import duckdb

        made["duckdb"] = lambda frame: duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False))
    if has("dask") and has("pyarrow"):
        import dask.dataframe as dd

        made["dask"] = lambda frame: dd.from_pandas(frame, npartitions=3)
    return made


def has(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
