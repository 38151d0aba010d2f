"""How often drift checks alarm where there is none, and find what is there; beside scipy's tests, and Evidently if it is named.

    python -m benchmarks.drift [--splits 200] [--rows 1000,10000,100000] [--evidently PYTHON]

`--evidently` names the Python of an environment of its own that has Evidently: it holds back pandas, and is no dependency here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
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


def speed(peer: str | None, rows: int = 1_000_000) -> None:
    """Print the time of a check against a stored profile, beside scipy's tests on both frames."""
    rng = np.random.default_rng(1)
    then, now = table(rows, rng), table(rows, rng)
    start = time.perf_counter()
    profile = Profile.of(then)
    built = time.perf_counter() - start
    times: dict[str, list[float]] = {"ours": [], "scipy": []}
    for _ in range(3):
        for name, work in (("ours", lambda: drift_report(now, profile)), ("scipy", lambda: scipy_tails(then, now))):
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    mine, theirs = min(times["ours"]), min(times["scipy"])
    print(
        f"{rows:,} rows of 20 columns: profile {built:.2f} s; check {mine:.3f} s, scipy {theirs:.2f} s, ratio {mine / theirs:.3f}"
    )
    if peer:
        evidently(peer, then, now, f"{rows:,} rows without drift")


def evidently(python: str, then: pd.DataFrame, now: pd.DataFrame, title: str) -> None:
    """Print what Evidently's preset says, run by the Python of its own environment."""
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
        return
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"Evidently, {title}: {found['columns']:.0f} columns drifted, {found['seconds']:.1f} s", flush=True)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--rows", default="1000,10000,100000")
    parser.add_argument("--evidently", metavar="PYTHON")
    asked = parser.parse_args()
    for rows in map(int, asked.rows.split(",")):
        shares(f"no drift, {rows:,} rows of 20 columns", asked.splits, halves(rows))
        if rows >= 10_000:
            shares(
                f"0.2 standard deviations in one column, {rows:,} rows",
                asked.splits // 2,
                changed(rows, shifted(0.2, 1)),
            )
            shares(f"a correlation alone, {rows:,} rows", asked.splits // 4, changed(rows, tied))
            shares(f"no drift but days, {rows:,} rows, groups=", asked.splits // 2, days(rows), groups="day")
    tiny = changed(1_000_000, shifted(0.01, 14))
    shares("0.01 standard deviations in all columns, 1,000,000 rows", max(asked.splits // 20, 2), tiny)
    if asked.evidently:
        rng = np.random.default_rng(3)
        evidently(asked.evidently, table(1_000, rng), table(1_000, rng), "1,000 rows without drift")
        evidently(
            asked.evidently, table(10_000, rng), shifted(0.2, 1)(table(10_000, rng)), "one column moved, 10,000 rows"
        )
    speed(asked.evidently)


if __name__ == "__main__":
    main()
