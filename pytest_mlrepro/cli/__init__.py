"""The command `mlrepro`: look at goldens, decide on proposals, ask for reasons, verify what is stored."""

from __future__ import annotations

from . import (
    decisions,
    differences,
    exports,
    goldens,
    housekeeping,
    lineage,
    log,
    objects,
    reasons,
    review,
    signing,
    status,
    verification,
)
from .entry import main

__all__ = [
    "decisions",
    "differences",
    "exports",
    "goldens",
    "housekeeping",
    "lineage",
    "log",
    "main",
    "objects",
    "reasons",
    "review",
    "signing",
    "status",
    "verification",
]
