"""A contract on the reference table: which planted faults are found, what is invented, the time beside expressions by hand."""

from __future__ import annotations

import resource
from collections.abc import Callable
from functools import partial

import pandas as pd
import polars as pl
from measuring import Sample, interleaved, timed
from reference_table import Planted, clean, planted
from showing import Row, Target, show

from pytest_mlrepro import Contract

_KINDS = {
    "nulls": "nulls", "range": "range", "values": "values", "decimal comma": "format", "day first": "format",
    "duplicates": "duplicates", "near duplicates": "near-duplicates", "contradictions": "contradictions",
}  # fmt: skip
_COLUMNS = {"nulls": "normal", "range": "price", "values": "category12", "decimal comma": "amount", "day first": "date"}


def measure(*, quick: bool) -> list[Row]:
    """Print what is found, and return the times of a check on polars and on pandas."""
    rows = 20_000 if quick else 1_000_000
    contract = Contract.infer(clean(rows, 1), label="label")
    fresh = contract.check(clean(rows, 2))
    print(f"\n## A contract inferred from {rows:,} rows")
    print(f"invented on another table without faults: {[finding.words for finding in fresh] or 'none'}")
    case = planted(rows, 3)
    _found(contract, case)
    frames = {"polars": case.table, "pandas": case.table.to_pandas()}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    contract.check(frames["polars"])
    extra = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    ways: dict[str, Callable[[], Sample]] = {
        "ours, polars": partial(timed, partial(contract.check, frames["polars"])),
        "by hand, polars": partial(timed, partial(_by_polars, frames["polars"])),
        "ours, pandas": partial(timed, partial(contract.check, frames["pandas"])),
        "by hand, pandas": partial(timed, partial(_by_pandas, frames["pandas"])),
    }
    cost = interleaved(ways, rounds=2 if quick else 7)
    made = [
        Row(f"{rows:,} x 20 on {kind}", cost[f"ours, {kind}"], f"{kind} expressions by hand", cost[f"by hand, {kind}"],
            unit="s", target=Target(limit, "ratio", "wall"))
        for kind, limit in (("polars", 2.0), ("pandas", 1.5))
    ]  # fmt: skip
    return show("Contract of the reference table", made, f"Extra memory of a check on polars: {extra:.0f} MiB.")


def _found(contract: Contract, case: Planted) -> None:
    findings = contract.check(case.table)
    expected = set()
    print(f"{'fault':<18}{'planted':>9}{'found':>9}")
    for fault, count in case.counts.items():
        column = (_COLUMNS[fault],) if fault in _COLUMNS else ()
        expected.add((_KINDS[fault], column))
        found = sum(finding.count for finding in findings if (finding.kind, finding.columns) == (_KINDS[fault], column))
        print(f"{fault:<18}{count:>9,}{found:>9,}")
    implied = {("spaces", ("category12",)), ("not-unique", ("id",))}  # the same faults by other names
    invented = [finding.words for finding in findings if (finding.kind, finding.columns) not in expected | implied]
    print(f"invented: {invented or 'none'}")


def _by_polars(table: pl.DataFrame) -> object:
    """Ask the same by expressions that know what to look for."""
    known = [f"V{at}" for at in range(200)]
    numbers = [name for name, kind in table.schema.items() if kind.is_numeric()]
    categories = [name for name in table.columns if name.startswith("category")]
    counts = table.lazy().select(
        *(pl.col(name).null_count().alias(f"nulls {name}") for name in table.columns),
        *((pl.col(name).min()).alias(f"least {name}") for name in table.columns),
        *((pl.col(name).max()).alias(f"most {name}") for name in table.columns),
        *(((pl.col(name) < -1e3) | (pl.col(name) > 1e6)).sum().alias(f"range {name}") for name in numbers),
        *((~pl.col(name).is_in(known)).sum().alias(f"values {name}") for name in categories),
        (~pl.col("amount").str.contains(r"^\d+\.\d+$")).sum().alias("format amount"),
        (~pl.col("date").str.contains(r"^\d{4}-\d{2}-\d{2}$")).sum().alias("format date"),
        pl.col("id").n_unique().alias("distinct"),
    ).collect()  # fmt: skip
    features = [name for name in table.columns if name != "id"]
    duplicates = table.is_duplicated().sum()
    rounded = table.select(pl.col(pl.Float64).round(4), pl.exclude(pl.Float64)).select(features)
    near = rounded.is_duplicated().sum()
    against = rounded.select(pl.exclude("label")).is_duplicated().sum()
    return counts, duplicates, near, against


def _by_pandas(table: pd.DataFrame) -> object:
    """Ask the same of pandas."""
    known = [f"V{at}" for at in range(200)]
    counts = {name: int(table[name].isna().sum()) for name in table.columns}
    for name in table.select_dtypes("number").columns:
        counts[f"range {name}"] = int(((table[name] < -1e3) | (table[name] > 1e6)).sum())
        counts[f"ends {name}"] = table[name].max() - table[name].min()
    for name in table.columns:
        if name.startswith("category"):
            counts[f"values {name}"] = int((~table[name].isin(known)).sum())
    counts["amount"] = int((~table["amount"].str.match(r"^\d+\.\d+$")).sum())
    counts["date"] = int((~table["date"].str.match(r"^\d{4}-\d{2}-\d{2}$")).sum())
    duplicates = table.duplicated().sum()
    rounded = table.drop(columns="id").round(4)
    return counts, duplicates, rounded.duplicated().sum(), rounded.drop(columns="label").duplicated().sum()
