"""Run the benchmarks: `python benchmarks/run.py [--quick] [NAME ...]`.

Each compares with its peers in one run, interleaved, and prints ratios: on a shared machine times alone mean little.
`--quick` only shows that everything runs; what it prints is noise.
"""

from __future__ import annotations

import argparse
import importlib

from showing import machine

NAMES = (
    "startup",
    "contracts",
    "drift",
    "per_test",
    "arrays",
    "frames",
    "files",
    "fingerprints",
    "seeding",
    "pipelines",
    "reruns",
    "robustness",
    "tracing",
)


def main() -> None:
    """Measure what was asked for, and say which targets this run missed."""
    parser = argparse.ArgumentParser(description="Measure pytest-mlrepro against its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds, to see that everything runs")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(NAMES):
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    print(machine(), flush=True)
    rows = [row for name in asked.names or NAMES for row in importlib.import_module(name).measure(quick=asked.quick)]
    missed = [row for row in rows if row.met is False]
    print(f"\n{sum(row.met is True for row in rows)} targets met, {len(missed)} missed")
    for row in missed:
        print(f"  missed: {row.what}")


if __name__ == "__main__":
    main()
