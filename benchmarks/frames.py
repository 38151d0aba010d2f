"""A frame of a million rows and ten columns with its golden on disk, against the ways that people check one today."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import Sample, interleaved, timed
from showing import Row, show
from stores import Stored, regression, tolerant

COLUMNS = 10
KINDS = ("equal", "within", "different")
PEERS = {"npz": "npz + assert_allclose", "parquet": "parquet + assert_frame_equal"}
FIXTURES = ("ndarrays_regression", "dataframe_regression")


def frame(kind: str, rows: int) -> pd.DataFrame:
    """Return eight columns of random floats and two of integers; the floats recorded, within the tolerance, or beyond."""
    rng = np.random.default_rng(11)
    floats = rng.random((COLUMNS - 2, rows))
    if kind == "within":
        floats *= 1 + 1e-9
    if kind == "different":
        floats += 1.0
    columns = {f"x{number}": column for number, column in enumerate(floats)}
    return pd.DataFrame(columns | {name: rng.integers(0, 1000, rows) for name in ("count", "label")})


def measure(*, quick: bool) -> list[Row]:
    """Print and return the cost of checking one large frame."""
    rows, rounds = (2_000, 1) if quick else (1_000_000, 5)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        recorded = frame("equal", rows)
        stored = Stored(root / "ours").record(recorded)
        np.savez(root / "peer.npz", **{str(name): column.to_numpy() for name, column in recorded.items()})
        recorded.to_parquet(root / "peer.parquet")
        cost = _times(root, stored, rows, rounds)
        for fixture in FIXTURES:
            table = f"frames.frame('equal', {rows})"
            given = table if fixture.startswith("dataframe") else f"{{n: c.to_numpy() for n, c in {table}.items()}}"
            run = regression(root / fixture, fixture=fixture, given=given)
            cost |= interleaved({fixture: run}, 1)
    note = f"{rows:,} rows, {COLUMNS} columns; medians of {rounds} interleaved rounds (pytest-regressions: one)."
    return show("A large frame", _rows(cost), note)


def _times(root: Path, stored: Stored, rows: int, rounds: int) -> dict[str, Sample]:
    works: dict[str, Callable[[], Sample]] = {}
    for kind in KINDS:
        value = frame(kind, rows)
        works[f"ours {kind}"] = partial(timed, partial(stored.check, value))
        works[f"npz {kind}"] = partial(timed, partial(by_npz, root / "peer.npz", value))
        works[f"parquet {kind}"] = partial(timed, partial(by_parquet, root / "peer.parquet", value))
    return interleaved(works, rounds)


def by_npz(path: Path, value: pd.DataFrame) -> None:
    """Check each column with np.testing; the first that differs ends it."""

    def check() -> None:
        with np.load(path) as expected:
            for name, column in value.items():
                np.testing.assert_allclose(column.to_numpy(), expected[str(name)])

    tolerant(check)


def by_parquet(path: Path, value: pd.DataFrame) -> None:
    """Check with pandas.testing; the first column that differs ends it."""
    tolerant(lambda: pd.testing.assert_frame_equal(value, pd.read_parquet(path), rtol=1e-7))


def _rows(cost: dict[str, Sample]) -> Iterable[Row]:
    for kind in KINDS:
        name = f"golden.check, {kind}" + (", proposal written" if kind == "different" else "")
        for peer, against in PEERS.items():
            yield Row(name, cost[f"ours {kind}"], against, cost[f"{peer} {kind}"], unit="ms")
    for fixture in FIXTURES:
        yield Row("golden.check, equal", cost["ours equal"], fixture, cost[fixture], unit="ms")
