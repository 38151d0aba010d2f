"""The command `mlrepro`: look at goldens, decide on proposals, ask for reasons, verify what is stored."""

from __future__ import annotations

from . import decisions, differences, goldens, housekeeping, lineage, log, reasons, review, status
from .entry import main

__all__ = [
    "decisions",
    "differences",
    "goldens",
    "housekeeping",
    "lineage",
    "log",
    "main",
    "reasons",
    "review",
    "status",
]
