"""A table of twenty columns, and the same with faults whose number is known: what checks of data are measured on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

__all__ = ["Planted", "clean", "planted"]

_START = dt.date(2024, 1, 1)


@dataclass(frozen=True)
class Planted:
    """A table with faults, and how many rows have each."""

    table: pl.DataFrame
    counts: dict[str, int]


def clean(rows: int, seed: int) -> pl.DataFrame:
    """Return the table without any fault; ids of two seeds have nothing in common."""
    rng = np.random.default_rng([rows, seed])
    first = rng.normal(size=rows)
    columns: dict[str, object] = {
        "id": np.arange(rows) + seed * 10**9,
        "normal": rng.normal(size=rows),
        "pair_a": first,
        "pair_b": 0.8 * first + 0.6 * rng.normal(size=rows),
        "lognormal": rng.lognormal(size=rows),
        "gamma": rng.gamma(2, size=rows),
        "uniform": rng.random(rows),
        "bimodal": rng.normal(size=rows) + 4 * (rng.random(rows) < 0.5),
        "t3": rng.standard_t(3, rows),
        "poisson": rng.poisson(3, rows),
        "zero_inflated": np.where(rng.random(rows) < 0.3, 0.0, rng.exponential(size=rows)),
        "price": np.round(rng.gamma(3, 20, rows), 2),
    }
    for levels in (5, 8, 12, 50, 200):
        names = np.array([f"V{at}" for at in range(levels)])
        shares = 1 / np.arange(1, levels + 1) ** 1.1
        columns[f"category{levels}"] = names[rng.choice(levels, rows, p=shares / shares.sum())]
    days = np.array([str(_START + dt.timedelta(days=at)) for at in range(365)])
    columns["amount"] = np.char.mod("%.2f", rng.gamma(2, 50, rows))
    columns["date"] = days[rng.integers(0, 365, rows)]
    columns["label"] = (rng.random(rows) < 0.3).astype(np.int64)
    return pl.DataFrame(columns)


def planted(rows: int, seed: int) -> Planted:
    """Return the table with eight kinds of faults, in shares of those of a table of a million rows."""
    rng = np.random.default_rng([rows, seed, 1])
    table = clean(rows, seed)
    many = {
        "nulls": 5000, "range": 2000, "values": 1500, "decimal comma": 800, "day first": 3000, "duplicates": 4000,
        "near duplicates": 4000, "contradictions": 1000,
    }  # fmt: skip
    counts = {fault: max(3, count * rows // 1_000_000) for fault, count in many.items()}
    order = iter(np.split(rng.permutation(rows), np.cumsum(list(counts.values()))))
    places = {fault: next(order) for fault in counts}

    def put(name: str, fault: str, values: object) -> None:
        nonlocal table
        column = table[name].to_list()
        for at, value in zip(places[fault], values, strict=True):  # type: ignore[call-overload]  # an iterable
            column[at] = value
        table = table.with_columns(pl.Series(name, column, table.schema[name]))

    put("normal", "nulls", [None] * counts["nulls"])
    put("price", "range", (-rng.random(counts["range"]) - 1).tolist())
    put("category12", "values", [f"{table['category12'][int(at)]} " for at in places["values"]])
    put("amount", "decimal comma", [table["amount"][int(at)].replace(".", ",") for at in places["decimal comma"]])
    turned = [table["date"][int(at)].split("-") for at in places["day first"]]
    put("date", "day first", ["/".join(reversed(parts)) for parts in turned])
    again = table[places["duplicates"].tolist()]
    near = table[places["near duplicates"].tolist()]
    fresh = pl.Series("id", np.arange(len(near)) + 10**12)
    near = near.with_columns(fresh, pl.col("uniform") + 1e-6)
    against = table[places["contradictions"].tolist()]
    fresh = pl.Series("id", np.arange(len(against)) + 2 * 10**12)
    against = against.with_columns(fresh, (1 - pl.col("label")).alias("label"))
    return Planted(pl.concat([table, again, near, against]), counts)
