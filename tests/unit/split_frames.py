"""The splits of the tests: real data of scikit-learn, with faults that are planted, and each library's form of them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import train_test_split

REAL = ("breast_cancer", "digits", "wine", "diabetes")


def real(name: str, seed: int = 0, *, stratify: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a split of one of scikit-learn's data sets: features, and the column `target`."""
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    train, test = train_test_split(
        frame, test_size=0.25, random_state=seed, stratify=frame["target"] if stratify else None
    )
    return train.reset_index(drop=True), test.reset_index(drop=True)


def engines() -> Mapping[str, Callable[[pd.DataFrame], Any]]:
    """Return how a pandas frame becomes that of each library that is installed."""
    made: dict[str, Callable[[pd.DataFrame], Any]] = {
        "pandas": lambda frame: frame,
        "mapping": lambda frame: {name: frame[name].to_numpy() for name in frame},
    }
    if has("pyarrow"):
        import pyarrow as pa

        made["pyarrow"] = lambda frame: pa.Table.from_pandas(frame, preserve_index=False)
    if has("polars") and has("pyarrow"):
        import polars as pl

        made |= {"polars": pl.from_pandas, "polars lazy": lambda frame: pl.from_pandas(frame).lazy()}
    return made


def has(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def people(rows: int, seed: int) -> pd.DataFrame:
    """Return rows of mixed types: a key, a group, a time, numbers, texts, a boolean, and a label that they tell in part."""
    rng = np.random.default_rng(seed)
    age = rng.normal(50, 12, rows)
    return pd.DataFrame(
        {
            "id": rng.permutation(rows) + 1_000_000 * (seed + 1),
            "patient": [f"P{at:05d}" for at in rng.integers(0, rows, rows) + 100_000 * (seed + 1)],
            "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(seed * 400 + rng.integers(0, 365, rows), unit="D"),
            "age": age,
            "pressure": 90 + 0.6 * age + rng.normal(0, 8, rows),
            "visits": rng.poisson(3, rows),
            "city": np.array(["Köln", "Bonn", "Aachen", "Trier"])[rng.integers(0, 4, rows)],
            "smoker": rng.random(rows) < 0.3,
            "ill": (age + rng.normal(0, 12, rows) > 52).astype(int),
        }
    )
