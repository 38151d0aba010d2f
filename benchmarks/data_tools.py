"""One check of a table after another, each by the Python that has it: `python data_tools.py TOOL CLEAN DIRTY ROUNDS`.

CLEAN and DIRTY are Parquet files of `reference_table`. Prints a line of JSON: which faults the tool names, with the count that
it gives (null if it gives none), what it reports that was not planted, the fastest round in seconds, and the memory that the
check took above the loaded tables, learning included. Great Expectations, Evidently and pandera hold back libraries that this
project needs newer.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

Found = tuple[dict[str, int | None], list[str]]
"""Faults with their counts, and what else is reported."""
IDENTIFIER = "id"
DECIMAL, DATE = r"^\d+\.\d+$", r"^\d{4}-\d{2}-\d{2}$"
LEVELS = (5, 8, 12, 50, 200)
PLACES = {"normal": "nulls", "price": "range", "category12": "values", "amount": "decimal comma", "date": "day first"}
"""The column of each planted fault."""


def ours(clean: Any, dirty: Any) -> Callable[[], Found]:
    """Learn a contract, and hold the other table to it."""
    from pytest_mlrepro import Contract

    contract = Contract.infer(clean, label="label")
    whole = {"duplicates": "duplicates", "near-duplicates": "near duplicates", "contradictions": "contradictions"}
    kinds = {"nulls": "nulls", "range": "range", "values": "values", "format": ""}
    implied = {("spaces", ("category12",)), ("not-unique", (IDENTIFIER,))}  # the same faults by other names

    def run() -> Found:
        found: dict[str, int | None] = {}
        invented = []
        for finding in contract.check(dirty):
            fault = whole.get(finding.kind)
            if finding.kind in kinds and finding.columns:
                fault = PLACES.get(finding.columns[0])
                fault = fault if kinds[finding.kind] in ("", fault) else None
            if fault is not None:
                found[fault] = finding.count
            elif (finding.kind, finding.columns) not in implied:
                invented.append(finding.words)
        return found, invented

    return run


def polars_by_hand(_: Any, dirty: Any) -> Callable[[], Found]:
    """Ask by expressions of somebody who knows what to look for."""
    import polars as pl

    known = [f"V{at}" for at in range(200)]
    numbers = [name for name, kind in dirty.schema.items() if kind.is_numeric()]
    categories = [name for name in dirty.columns if name.startswith("category")]
    features = [name for name in dirty.columns if name != IDENTIFIER]

    def run() -> Found:
        counts = dirty.lazy().select(
            *(pl.col(name).null_count().alias(f"nulls {name}") for name in dirty.columns),
            *(pl.col(name).min().alias(f"least {name}") for name in dirty.columns),
            *(pl.col(name).max().alias(f"most {name}") for name in dirty.columns),
            *(((pl.col(name) < least(name)) | (pl.col(name) > 1e13)).sum().alias(f"range {name}") for name in numbers),
            *((~pl.col(name).is_in(known)).sum().alias(f"values {name}") for name in categories),
            (~pl.col("amount").str.contains(DECIMAL)).sum().alias("format amount"),
            (~pl.col("date").str.contains(DATE)).sum().alias("format date"),
            pl.col(IDENTIFIER).n_unique().alias("distinct"),
        ).collect().to_dicts()[0]  # fmt: skip
        same = int(dirty.is_duplicated().sum())
        rounded = dirty.select(pl.col(pl.Float64).round(4), pl.exclude(pl.Float64)).select(features)
        near = int(rounded.is_duplicated().sum())
        against = int(rounded.select(pl.exclude("label")).is_duplicated().sum())
        return by_hand(counts, same, near, against)

    return run


def pandas_by_hand(_: Any, dirty: Any) -> Callable[[], Found]:
    """Ask the same of pandas."""
    known = [f"V{at}" for at in range(200)]

    def run() -> Found:
        counts: dict[str, Any] = {f"nulls {name}": int(dirty[name].isna().sum()) for name in dirty.columns}
        for name in dirty.select_dtypes("number").columns:
            counts[f"range {name}"] = int(((dirty[name] < least(name)) | (dirty[name] > 1e13)).sum())
            counts[f"ends {name}"] = dirty[name].max() - dirty[name].min()
        for name in dirty.columns:
            if name.startswith("category"):
                counts[f"values {name}"] = int((~dirty[name].isin(known)).sum())
        counts["format amount"] = int((~dirty["amount"].str.match(DECIMAL)).sum())
        counts["format date"] = int((~dirty["date"].str.match(DATE)).sum())
        same = int(dirty.duplicated(keep=False).sum())
        rounded = dirty.drop(columns=IDENTIFIER).round(4)
        near = int(rounded.duplicated(keep=False).sum())
        return by_hand(counts, same, near, int(rounded.drop(columns="label").duplicated(keep=False).sum()))

    return run


def least(name: str) -> float:
    """Return what somebody who knows the table takes for the end of a column."""
    return 0 if name == "price" else -1e3


def by_hand(counts: dict[str, Any], same: int, near: int, against: int) -> Found:
    """Return what the counts say; of rows that are alike, one of each two is planted."""
    found = {
        "nulls": counts["nulls normal"], "range": counts["range price"], "values": counts["values category12"],
        "decimal comma": counts["format amount"], "day first": counts["format date"], "duplicates": same // 2,
        "near duplicates": (near - same) // 2, "contradictions": (against - near) // 2,
    }  # fmt: skip
    return {fault: count for fault, count in found.items() if count}, []


def pandera_inferred(clean: Any, dirty: Any) -> Callable[[], Found]:
    """Let pandera infer a schema, and validate the other table."""
    import pandera.pandas as pa

    schema = pa.infer_schema(clean)

    def run() -> Found:
        try:
            schema.validate(dirty, lazy=True)
        except pa.errors.SchemaErrors as error:
            cases = error.failure_cases.groupby(["column", "check"]).size()
            return by_column([(str(column), str(check), int(count)) for (column, check), count in cases.items()])
        return {}, []

    return run


def pandera_by_hand(clean: Any, dirty: Any) -> Callable[[], Found]:
    """Write pandera's schema for polars by hand, with the ends of each column a quarter wider."""
    import pandera.polars as pa
    import polars as pl

    columns = {}
    for name, kind in clean.schema.items():
        check: Any = None
        if name.startswith("category"):
            check = pa.Check.isin(sorted(clean[name].unique()))
        elif name in ("amount", "date"):
            check = pa.Check.str_matches(DECIMAL if name == "amount" else DATE)
        elif name != IDENTIFIER:
            check = pa.Check.in_range(*wider(clean[name].min(), clean[name].max()))
        columns[name] = pa.Column(kind, check, nullable=False)
    schema = pa.DataFrameSchema(columns, unique=list(clean.columns))

    def run() -> Found:
        try:
            schema.validate(dirty, lazy=True)
        except pa.errors.SchemaErrors as error:
            cases = error.failure_cases.group_by("column", "check").agg(pl.len()).rows()
            return by_column([(str(column), str(check), int(count)) for column, check, count in cases])
        return {}, []

    return run


def wider(low: float, high: float) -> tuple[float, float]:
    """Return a range with a quarter of its width more on each side; what is never negative stays so."""
    more = (high - low) / 4
    return (0 if low >= 0 else low - more), high + more


def by_column(cases: list[tuple[str, str, int]]) -> Found:
    """Return which of pandera's failures are planted: by the column, and nulls by their check."""
    found: dict[str, int | None] = {}
    invented = []
    for column, check, count in cases:
        fault = "duplicates" if check == "multiple_fields_uniqueness" else PLACES.get(column)
        if (fault == "nulls") != (check == "not_nullable"):
            fault = None
        if fault is None:
            invented.append(f"{column}: {check[:40]} ({count})")
        else:
            found[fault] = (found.get(fault) or 0) + (count // 2 if fault == "duplicates" else count)
    return found, invented


def great_expectations(clean: Any, dirty: Any) -> Callable[[], Found]:
    """Write a suite by hand."""
    import logging

    import great_expectations as gx

    logging.disable(logging.CRITICAL)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = (
        context.data_sources.add_pandas("data")
        .add_dataframe_asset("table")
        .add_batch_definition_whole_dataframe("whole")
    )
    batch = source.get_batch(batch_parameters={"dataframe": dirty})
    expect = gx.expectations
    wanted: list[Any] = [expect.ExpectColumnValuesToNotBeNull(column=name) for name in clean.columns]
    for name in clean.columns:
        if name.startswith("category"):
            wanted.append(expect.ExpectColumnValuesToBeInSet(column=name, value_set=sorted(clean[name].unique())))
        elif name in ("amount", "date"):
            wanted.append(
                expect.ExpectColumnValuesToMatchRegex(column=name, regex=DECIMAL if name == "amount" else DATE)
            )
        elif name != IDENTIFIER:
            low, high = wider(float(clean[name].min()), float(clean[name].max()))
            wanted.append(expect.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high))
    features = [name for name in clean.columns if name not in (IDENTIFIER, "label")]
    wanted.append(expect.ExpectCompoundColumnsToBeUnique(column_list=list(clean.columns)))
    wanted.append(expect.ExpectCompoundColumnsToBeUnique(column_list=features))
    suite = gx.ExpectationSuite(name="suite", expectations=wanted)

    def run() -> Found:
        found: dict[str, int | None] = {}
        invented = []
        for result in batch.validate(suite).results:
            if result.success:
                continue
            kind, asked = result.expectation_config.type, result.expectation_config.kwargs
            column, count = asked.get("column"), int(result.result.get("unexpected_count", 0))
            fault = PLACES.get(column)
            if kind == "expect_compound_columns_to_be_unique":
                fault = "contradictions" if len(asked["column_list"]) < len(clean.columns) else "duplicates"
                count //= 2
            elif (fault == "nulls") != (kind == "expect_column_values_to_not_be_null"):
                fault = None
            if fault is None:
                invented.append(f"{column}: {kind}")
            else:
                found[fault] = count
        if "contradictions" in found:  # rows of the same features: with the same label, or another
            found["contradictions"] = (found["contradictions"] or 0) - (found.get("duplicates") or 0)
        return found, invented

    return run


def evidently(clean: Any, dirty: Any) -> Callable[[], Found]:
    """Run Evidently's presets with the tests that it makes of a reference."""
    from evidently import Dataset, Report
    from evidently.presets import DataDriftPreset, DataSummaryPreset

    then, now = Dataset.from_pandas(clean), Dataset.from_pandas(dirty)

    def run() -> Found:
        report = Report([DataSummaryPreset(), DataDriftPreset()], include_tests=True).run(now, then).dict()
        found: dict[str, int | None] = {}
        invented = []
        for test in report["tests"]:
            if "FAIL" not in str(test["status"]):
                continue
            asked = test["metric_config"]["params"]
            fault = {
                ("DuplicatedRowCount", None): "duplicates", ("DatasetMissingValueCount", None): "nulls",
                ("MissingValueCount", "normal"): "nulls", ("MinValue", "price"): "range",
            }.get((asked["type"].rpartition(":")[2], asked.get("column")))  # fmt: skip
            if fault is None:
                invented.append(test["name"])
            else:
                actual = test["description"].partition("Actual value ")[2].split(" ")[0]
                found.setdefault(fault, None if fault == "range" else round(float(actual or 0)))
        return found, invented

    return run


TOOLS: dict[str, tuple[str, str, Callable[[Any, Any], Callable[[], Found]]]] = {
    "ours, polars": ("pytest_mlrepro", "polars", ours),
    "ours, pandas": ("pytest_mlrepro", "pandas", ours),
    "by hand, polars": ("polars", "polars", polars_by_hand),
    "by hand, pandas": ("pandas", "pandas", pandas_by_hand),
    "pandera inferred, pandas": ("pandera", "pandas", pandera_inferred),
    "pandera by hand, polars": ("pandera", "polars", pandera_by_hand),
    "Great Expectations by hand, pandas": ("great_expectations", "pandas", great_expectations),
    "Evidently with reference, pandas": ("evidently", "pandas", evidently),
}
"""By name: the package that it takes, the library of its tables, and what makes the check."""


def read(path: str, library: str) -> Any:
    """Read a table."""
    if library == "polars":
        import polars as pl

        return pl.read_parquet(path)
    import pandas as pd

    return pd.read_parquet(path)


def memory(field: str) -> int:
    """Return a field of what Linux says of this process's memory, in bytes; 0 elsewhere."""
    status = Path("/proc/self/status")
    lines = status.read_text("utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)


def main() -> None:
    """Run one tool."""
    warnings.simplefilter("ignore")
    name, clean, dirty, rounds = sys.argv[1:5]
    package, library, make = TOOLS[name]
    try:
        __import__(package)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return
    tables = read(clean, library), read(dirty, library)
    gc.collect()
    before = memory("VmRSS")
    if before:
        Path("/proc/self/clear_refs").write_text("5", "utf-8")  # the peak starts anew
    run = make(*tables)
    start = time.perf_counter()
    found, invented = run()
    walls = [time.perf_counter() - start]
    extra = memory("VmHWM") - before
    for _ in range(int(rounds) if walls[0] < 10 else 0):  # of minutes, the first call is no small share
        start = time.perf_counter()
        run()
        walls.append(time.perf_counter() - start)
    print(json.dumps({"found": found, "invented": invented, "wall": min(walls), "extra": max(extra, 0)}))


if __name__ == "__main__":
    main()
