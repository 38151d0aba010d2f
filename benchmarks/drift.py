"""How often drift checks alarm where there is none, and find what is there; beside scipy's tests, and Evidently if it is named.

    python benchmarks/run.py drift
    python -m benchmarks.drift [--splits 200] [--rows 1000,10000,100000] [--evidently PYTHON]

The first takes few splits, the second as many as its rates are stated for. `--evidently`, or MLREPRO_DATA_PEERS (several, as
in PATH), names the Python of an environment of its own that has Evidently: it holds back pandas, and is no dependency here.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats

from pytest_mlrepro.drift import Profile, drift_report

LEVELS = (5, 8, 12, 50, 200)
PEER = """
import json, sys, time
import pandas as pd
from evidently import Dataset, DataDefinition, Report
from evidently.presets import DataDriftPreset
then, now = (pd.read_pickle(path) for path in sys.argv[1:3])
start = time.perf_counter()
found = Report([DataDriftPreset()]).run(Dataset.from_pandas(now), Dataset.from_pandas(then)).dict()
share = next(m["value"] for m in found["metrics"] if "DriftedColumnsCount" in str(m.get("metric_name", m.get("metric_id"))))
print(json.dumps({"columns": share["count"], "seconds": time.perf_counter() - start}))
"""


def table(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return 20 columns: 14 of numbers, 6 of categories."""
    columns: dict[str, Any] = {f"normal{at}": rng.normal(size=rows) for at in range(7)}
    columns |= {
        "lognormal": rng.lognormal(size=rows), "gamma": rng.gamma(2, size=rows), "uniform": rng.random(rows),
        "t3": rng.standard_t(3, rows), "poisson": rng.poisson(3, rows),
        "zero_inflated": np.where(rng.random(rows) < 0.3, 0.0, rng.exponential(size=rows)),
        "bimodal": rng.normal(size=rows) + 4 * (rng.random(rows) < 0.5),
    }  # fmt: skip
    for levels in LEVELS:
        shares = 1 / np.arange(1, levels + 1) ** 1.1
        names = np.array([f"v{at}" for at in range(levels)])
        columns[f"category{levels}"] = names[rng.choice(levels, rows, p=shares / shares.sum())]
    columns["label"] = rng.random(rows) < 0.3
    return pd.DataFrame(columns)


def by_day(rows: int, days: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the table with effects of 0.1 standard deviations on each day."""
    frame = table(rows, rng)
    day = rng.integers(0, days, rows)
    for name in frame.columns[:14]:
        frame[name] = frame[name] + rng.normal(scale=0.1, size=days)[day] * frame[name].std()
    return frame.assign(day=day)


def ours(then: pd.DataFrame, now: pd.DataFrame, **more: Any) -> bool:
    """Tell whether a drift is found against a profile."""
    groups = {"groups": more["groups"]} if "groups" in more else {}
    return drift_report(now, Profile.of(then, **groups), **more).verdict == "drift"


def scipy_tails(then: pd.DataFrame, now: pd.DataFrame) -> list[float]:
    """Return the p-values of scipy's tests for each column."""
    tails = []
    for name in then.columns.drop("day", errors="ignore"):
        one, two = then[name], now[name]
        if one.dtype.kind in "fi":
            tails.append(scipy.stats.ks_2samp(one.to_numpy(), two.to_numpy()).pvalue)
            continue
        counts = pd.concat([one.value_counts(), two.value_counts()], axis=1).fillna(0)
        tails.append(scipy.stats.chi2_contingency(counts.to_numpy().T).pvalue)
    return tails


def scipy_alarms(then: pd.DataFrame, now: pd.DataFrame) -> tuple[bool, bool]:
    """Tell whether scipy's tests alarm in any column: uncorrected, and after Benjamini and Hochberg's correction."""
    tails = scipy_tails(then, now)
    return min(tails) < 0.05, bool(scipy.stats.false_discovery_control(tails).min() < 0.05)


def shares(title: str, runs: int, make: Callable[[np.random.Generator], tuple[Any, Any]], **more: Any) -> float:
    """Print and return in which share of runs a drift is found."""
    found = []
    for run in range(runs):
        then, now = make(np.random.default_rng([7, run]))
        found.append((ours(then, now, **more), *scipy_alarms(then, now)))
    mine, plain, corrected = np.mean(found, axis=0)
    print(
        f"{title:58} ours {mine:5.1%}   scipy {plain:6.1%}   scipy with BH {corrected:6.1%}   ({runs} runs)", flush=True
    )
    return float(mine)


def halves(rows: int) -> Callable[[np.random.Generator], tuple[Any, Any]]:
    """Return random splits of one table without drift."""
    whole = table(2 * rows, np.random.default_rng(rows))

    def split(rng: np.random.Generator) -> tuple[Any, Any]:
        order = rng.permutation(len(whole))
        return whole.iloc[order[:rows]], whole.iloc[order[rows:]]

    return split


def changed(
    rows: int, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> Callable[[np.random.Generator], tuple[Any, Any]]:
    """Return a table, and another of which something is changed."""
    return lambda rng: (table(rows, rng), change(table(rows, rng)))


def days(rows: int) -> Callable[[np.random.Generator], tuple[Any, Any]]:
    """Return sixty days of one process, thirty of them the reference."""

    def make(rng: np.random.Generator) -> tuple[Any, Any]:
        whole = by_day(2 * rows, 60, rng)
        then = whole["day"] < 30
        return whole[then], whole[~then]

    return make


def shifted(by: float, columns: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what moves the first columns by so many standard deviations."""
    return lambda frame: frame.assign(
        **{name: frame[name] + by * frame[name].std() for name in frame.columns[:columns]}
    )


def tied(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with a correlation of 0.5 between two columns, each distributed as before."""
    return frame.assign(normal1=0.5 * frame["normal0"] + 0.75**0.5 * frame["normal1"])


def rates(splits: int, sizes: list[int]) -> None:
    """Print how often each kind of table alarms."""
    for rows in sizes:
        shares(f"no drift, {rows:,} rows of 20 columns", splits, halves(rows))
        if rows >= 10_000:
            some = max(splits // 2, 1)
            shares(f"0.2 standard deviations in one column, {rows:,} rows", some, changed(rows, shifted(0.2, 1)))
            shares(f"a correlation alone, {rows:,} rows", max(splits // 4, 1), changed(rows, tied))
            shares(f"no drift but days, {rows:,} rows, groups=", some, days(rows), groups="day")


def tiny(runs: int, rows: int = 1_000_000) -> None:
    """Print how often a shift alarms that does not matter."""
    shares(f"0.01 standard deviations in all columns, {rows:,} rows", runs, changed(rows, shifted(0.01, 14)))


def measure(*, quick: bool) -> list[Any]:
    """Print rates and times, and return the time of a check against a stored profile, beside scipy's tests."""
    from measuring import Sample, interleaved, timed  # of the folder of `run.py`
    from showing import Row, Target, show

    print("\n## Drift: shares of runs that alarm")
    rates(2 if quick else 20, [1_000] if quick else [1_000, 10_000, 100_000])
    rows = 20_000 if quick else 1_000_000
    if not quick:
        tiny(3)
    rng = np.random.default_rng(1)
    then, now = table(rows, rng), table(rows, rng)
    profile = Profile.of(then)
    size = sum(part.nbytes for part in _arrays(profile.to_plain()))
    cost = interleaved(
        {
            "build": lambda: timed(lambda: Profile.of(then)),
            "check": lambda: timed(lambda: drift_report(now, profile)),
            "scipy": lambda: timed(lambda: scipy_tails(then, now)),
        },
        rounds=2 if quick else 7,
    )
    title, against = f"{rows:,} x 20", "scipy, both tables"
    made = [
        Row(f"{title}, check", cost["check"], against, cost["scipy"], unit="s", target=Target(0.1, "ratio", "wall")),
        Row(f"{title}, build the profile", cost["build"], against, cost["scipy"], unit="s"),
        Row(f"{title}, size of the profile", Sample(0, 0, size), unit="MiB", target=Target(1.0)),
    ]
    peer = next(filter(has_evidently, os.environ.get("MLREPRO_DATA_PEERS", "").split(os.pathsep)), None)
    if peer is not None:
        took = evidently(peer, then, now, f"{title} without drift")
        if took is not None:
            made.append(Row(f"{title}, check", cost["check"], "Evidently's preset", Sample(took, 0), unit="s"))
    return show("Drift against a stored profile", made)


def _arrays(plain: Any) -> Iterator[Any]:
    if isinstance(plain, np.ndarray):
        yield plain
    elif isinstance(plain, dict | list):
        for part in plain.values() if isinstance(plain, dict) else plain:
            yield from _arrays(part)


def has_evidently(python: str) -> bool:
    """Tell whether an environment has Evidently."""
    return (
        bool(python)
        and not subprocess.run([python, "-c", "import evidently"], capture_output=True, check=False).returncode
    )


def evidently(python: str, then: pd.DataFrame, now: pd.DataFrame, title: str) -> float | None:
    """Print what Evidently's preset says, run by the Python of its own environment; return its seconds."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("then", "now")]
        for path, frame in zip(paths, (then, now), strict=True):
            plain = frame.astype({name: object for name in frame.columns if frame[name].dtype.kind not in "fib"})
            plain.to_pickle(path)
        done = subprocess.run([python, "-c", PEER, *map(str, paths)], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"Evidently failed: {done.stderr.splitlines()[-1:]}", file=sys.stderr)
        return None
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"Evidently, {title}: {found['columns']:.0f} columns drifted, {found['seconds']:.1f} s", flush=True)
    return float(found["seconds"])


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--rows", default="1000,10000,100000")
    parser.add_argument("--evidently", metavar="PYTHON")
    asked = parser.parse_args()
    rates(asked.splits, [*map(int, asked.rows.split(","))])
    tiny(max(asked.splits // 20, 2))
    if asked.evidently:
        rng = np.random.default_rng(3)
        evidently(asked.evidently, table(1_000, rng), table(1_000, rng), "1,000 rows without drift")
        evidently(
            asked.evidently, table(10_000, rng), shifted(0.2, 1)(table(10_000, rng)), "one column moved, 10,000 rows"
        )
        evidently(asked.evidently, table(1_000_000, rng), table(1_000_000, rng), "1,000,000 rows without drift")


if __name__ == "__main__":
    main()
