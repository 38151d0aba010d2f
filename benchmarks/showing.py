"""Tables of what was measured: ours, the peer, their ratio, the target and whether this run met it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from measuring import Sample

__all__ = ["Row", "Target", "machine", "show"]

LIBRARIES = ("numpy", "pandas", "torch", "pytest", "pytest-randomly", "syrupy", "pytest-regressions", "pytest-mlrepro")
SCALES = {"µs": 1e6, "ms": 1e3, "s": 1.0}
HEADINGS = ("", "ours", "CPU", "peer", "CPU", "against", "ratio", "CPU", "target", "met")


@dataclass(frozen=True, slots=True)
class Target:
    """The greatest value allowed, of our cost in the row's unit or of the ratio to the peer's."""

    limit: float
    of: Literal["ours", "ratio"] = "ours"
    by: Literal["wall", "cpu"] = "wall"


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. In the unit `MiB` a sample's `peak` counts, and in the others its times."""

    what: str
    ours: Sample
    against: str = ""
    peer: Sample | None = None
    unit: Literal["µs", "ms", "s", "MiB"] = "µs"
    target: Target | None = None

    def value(self, sample: Sample | None, by: Literal["wall", "cpu"]) -> float | None:
        """Return what a sample comes to in the row's unit; None for what was not measured."""
        if sample is None or (self.unit == "MiB" and by == "cpu"):
            return None
        if self.unit == "MiB":
            return sample.peak / 2**20
        return getattr(sample, by) * SCALES[self.unit]

    def ratio(self, by: Literal["wall", "cpu"]) -> float | None:
        """Return our cost as a share of the peer's; None where the peer's is nothing."""
        ours, peer = self.value(self.ours, by), self.value(self.peer, by)
        return None if ours is None or peer is None or peer <= 0 else ours / peer

    @property
    def met(self) -> bool | None:
        """Whether the target was met in this run; None without one."""
        if self.target is None:
            return None
        by = self.target.by
        got = self.value(self.ours, by) if self.target.of == "ours" else self.ratio(by)
        return got is not None and got <= self.target.limit

    def cells(self) -> list[str]:
        """Return the row as it is printed."""
        costs = [self.value(sample, by) for sample in (self.ours, self.peer) for by in ("wall", "cpu")]
        ratios = [self.ratio("wall"), self.ratio("cpu")]
        shown = [f"{cost:,.1f} {self.unit}" if cost is not None else "" for cost in costs]
        parts = [f"{ratio:.2f}" if ratio is not None else "" for ratio in ratios]
        return [self.what, *shown, self.against, *parts, self._target(), {None: "", True: "yes", False: "NO"}[self.met]]

    def _target(self) -> str:
        if self.target is None:
            return ""
        unit = "x" if self.target.of == "ratio" else self.unit
        return f"≤ {self.target.limit:g} {unit}" + (" CPU" if self.target.by == "cpu" else "")


def show(title: str, rows: Iterable[Row], note: str = "") -> list[Row]:
    """Print a table, and return its rows."""
    shown = list(rows)
    table = [list(HEADINGS), *(row.cells() for row in shown)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADINGS))]
    print(f"\n## {title}")
    if note:
        print(note)
    for line in table:
        cells = [
            cell.ljust(width) if column in (0, 5) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip(), flush=True)
    return shown


def machine() -> str:
    """Say where and with what this run measures."""
    versions = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores ({platform.machine()}{busy}), Python {platform.python_version()}\n{versions}"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
