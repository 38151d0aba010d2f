"""`assert_contract`: one table, one contract, free of pytest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .check import worded
from .contract import Contract

__all__ = ["assert_contract"]


def assert_contract(frame: Any, contract: Contract | str | Path, *, name: str = "the table") -> None:
    """Assert that a table keeps its contract.

    Args:
        frame: pandas, polars, pyarrow, or lazily polars, DuckDB, Dask or PySpark, where columns are checked inside of the engine.
        contract: a `Contract`, or the path of its TOML.
        name: what messages call the table.

    Raises:
        AssertionError: it doesn't; the message has each fault with its column, exact count and first rows, up to 4 KB of them.
        UsageError: no frame, no rows, two columns of one name, no contract.
        MissingDependencyError: narwhals is not installed.
    """
    __tracebackhide__ = True
    held = contract if isinstance(contract, Contract) else Contract.read(contract)
    findings = held.check(frame)
    if findings:
        raise AssertionError(worded(findings, name))
