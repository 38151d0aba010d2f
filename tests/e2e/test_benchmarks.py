"""The benchmarks run; what they measure is no test, since times on a shared machine prove nothing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "benchmarks" / "run.py"
PEERS = (
    "pandas",
    "polars",
    "pyarrow",
    "scipy",
    "torch",
    "sklearn",
    "joblib",
    "dask",
    "datasets",
    "pytest_randomly",
    "syrupy",
    "pytest_regressions",
    "pytest_datadir",
)
missing = [name for name in PEERS if importlib.util.find_spec(name) is None]


@pytest.mark.slow
@pytest.mark.skipif(bool(missing), reason=f"the benchmarks compare with {', '.join(missing)}")
def test_every_benchmark_prints_its_table() -> None:
    ran = subprocess.run([sys.executable, str(RUN), "--quick"], capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    titles = [line for line in ran.stdout.splitlines() if line.startswith("## ")]
    assert titles == [
        "## Start of pytest, above bare pytest",
        "## What is found on 20,000 rows of 20 columns",
        "## Contract of the reference table",
        "## Drift: shares of runs that alarm",
        "## Drift against a stored profile",
        "## A test beside an unused plugin",
        "## A seeded test",
        "## A test that checks ten floats",
        "## A large array",
        "## A large frame",
        "## A large file",
        "## A folder of many files",
        "## Noticing what is opened",
        "## Fingerprints of large values",
        "## Fingerprints of tables",
        "## Fingerprints of small values",
        "## Seeding, without pytest",
        "## A step of a pipeline",
        "## Asking whether a test repeats",
        "## Robust accuracy: what is found, in evaluations per sample and seconds (lower is truer)",
        "## Early verdicts on the plain digits CNN, and evaluations",
        "## Masked gradients, planted around the plain digits CNN",
        "## Time of a whole verdict, `auto`",
        "## Tracing a training",
        "## Memory of a long trace",
    ]
    assert "targets met" in ran.stdout
