"""The command `mlrepro`: look at goldens, decide on proposals, ask for reasons, verify what is stored."""

from __future__ import annotations

from . import decisions, differences, goldens, lineage, log, objects, reasons
from .entry import main

__all__ = ["decisions", "differences", "goldens", "lineage", "log", "main", "objects", "reasons"]
