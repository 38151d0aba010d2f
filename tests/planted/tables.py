"""Sources in polars and Arrow, whose own threads decide on the order of rows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import polars as pl
import pyarrow as pa

from tests.planted import Planted

__all__ = ["SOURCES"]

ROWS, GROUPS = 400_000, 5_000


@lru_cache(maxsize=1)
def frame():
    rng = np.random.default_rng(0)
    return pl.DataFrame({"key": rng.integers(0, GROUPS, ROWS), "value": rng.normal(size=ROWS).astype("float32")})


@lru_cache(maxsize=1)
def table():
    rng = np.random.default_rng(0)
    whole = pa.table({"key": rng.integers(0, GROUPS, ROWS), "value": rng.normal(size=ROWS).astype("float32")})
    return pa.concat_tables([whole.slice(start, 10_000) for start in range(0, ROWS, 10_000)])


def polars_groups():
    sales = frame()
    sums = sales.group_by("key").agg(pl.col("value").sum())  # parts: polars_groups
    return sums


def ordered_polars_groups():
    sales = frame()
    sums = sales.group_by("key", maintain_order=True).agg(pl.col("value").cast(pl.Float64).max())
    return sums


def arrow_groups():
    sales = table()
    sums = sales.group_by("key").aggregate([("value", "sum")])  # parts: arrow_groups
    return sums


def ordered_arrow_groups():
    sales = table()
    sums = sales.group_by("key", use_threads=False).aggregate([("value", "sum")])
    return sums


SOURCES = (
    Planted(polars_groups, ordered_polars_groups, "polars.DataFrame.group_by", "threads", sometimes=True, before=frame),
    Planted(arrow_groups, ordered_arrow_groups, "pyarrow.Table.group_by", "threads", sometimes=True, before=table),
)
