"""A contract on the reference table, beside expressions by hand, pandera, Great Expectations and Evidently.

Those three run in environments of their own: MLREPRO_DATA_PEERS names their Pythons, separated as in PATH (pandas and
Evidently don't go together with each other's newest versions). What none of them has is said to be missing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from data_tools import TOOLS
from measuring import Sample, interleaved, timed
from reference_table import Planted, clean, planted
from showing import Row, Target, show

HERE = Path(__file__).parent


def measure(*, quick: bool) -> list[Row]:
    """Print what each tool finds, and return the times of ours on polars and on pandas beside expressions by hand."""
    rows = 20_000 if quick else 1_000_000
    print(f"\n## What is found on {rows:,} rows of 20 columns")
    good, case = clean(rows, 1), planted(rows, 3)
    _fresh(good, rows)
    found = dict(_found(good, case, rounds=1 if quick else 3))
    _table(case, found)
    frames = {"polars": (good, case.table), "pandas": (good.to_pandas(), case.table.to_pandas())}
    ways: dict[str, Callable[[], Sample]] = {
        f"{who}, {kind}": partial(timed, TOOLS[f"{who}, {kind}"][2](*frames[kind]))
        for kind in frames
        for who in ("ours", "by hand")
    }
    cost = interleaved(ways, rounds=2 if quick else 7)
    made = [
        Row(f"{rows:,} x 20 on {kind}", cost[f"ours, {kind}"], f"{kind} expressions by hand", cost[f"by hand, {kind}"],
            unit="s", target=Target(limit, "ratio", "wall"))
        for kind, limit in (("polars", 2.0), ("pandas", 1.5))
    ]  # fmt: skip
    most = max(found[name]["extra"] for name in ("ours, polars", "ours, pandas"))
    memory = Row("memory above the tables", Sample(0, 0, most), unit="MiB", target=Target(1024))
    return show("Contract of the reference table", [*made, memory])


def _fresh(good: Any, rows: int) -> None:
    from pytest_mlrepro import Contract

    fresh = Contract.infer(good, label="label").check(clean(rows, 2))
    print(f"ours on another table without faults: {[finding.words for finding in fresh] or 'nothing'}")


def _found(good: Any, case: Planted, rounds: int) -> Iterator[tuple[str, Any]]:
    """Yield what each tool finds, in a process of its own; the first Python that has it runs it."""
    pythons = [sys.executable, *filter(None, os.environ.get("MLREPRO_DATA_PEERS", "").split(os.pathsep))]
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder, name)) for name in ("clean.parquet", "dirty.parquet")]
        for frame, file in zip((good, case.table), files, strict=True):
            frame.write_parquet(file)
        for name in TOOLS:
            for python in pythons:
                said = _said([python, str(HERE / "data_tools.py"), name, *files, str(rounds)])
                if "missing" not in said:
                    break
            yield name, said


def _said(command: list[str]) -> Any:
    paths = [str(HERE.parent), os.environ.get("PYTHONPATH", "")]
    own = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "TQDM_DISABLE": "1"}
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"missing": f"failed: {(done.stderr.strip().splitlines() or ['no word'])[-1]}"}
    return json.loads(done.stdout.splitlines()[-1])


def _table(case: Planted, found: dict[str, Any]) -> None:
    """Print what was found: a row for each fault, a column for each tool, numbered below."""
    there = [name for name, said in found.items() if "missing" not in said]
    for at, name in enumerate(there):
        print(f"({at + 1}) {name}")
    for name in found.keys() - {*there}:
        print(f"missing: {name}: {found[name]['missing'][:120]}")
    print(f"{'':<24}{'planted':>9}" + "".join(f"{f'({at + 1})':>9}" for at in range(len(there))))
    for fault, count in case.counts.items():
        print(f"{fault:<24}{count:>9,}" + "".join(f"{_cell(found[name], fault):>9}" for name in there))
    print(f"{'of 8 faults found':<33}" + "".join(f"{len(found[name]['found']):>9}" for name in there))
    print(f"{'invented':<33}" + "".join(f"{len(found[name]['invented']):>9}" for name in there))
    print(f"{'seconds':<33}" + "".join(f"{found[name]['wall']:>9.2f}" for name in there))
    fastest = found["ours, polars"]["wall"]
    print(f"{'times ours on polars':<33}" + "".join(f"{found[name]['wall'] / fastest:>9.2f}" for name in there))
    print(f"{'MiB above the tables':<33}" + "".join(f"{found[name]['extra'] / 2**20:>9.0f}" for name in there))
    for name in there:
        if found[name]["invented"]:
            print(f"invented by {name}: {'; '.join(found[name]['invented'][:3])}")


def _cell(said: Any, fault: str) -> str:
    if fault not in said["found"]:
        return "-"
    count = said["found"][fault]
    return "yes" if count is None else f"{count:,}"
