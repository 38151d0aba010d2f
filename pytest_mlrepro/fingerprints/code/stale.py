"""Whether a file still holds the code that runs: it may have been edited after it was imported."""

from __future__ import annotations

import os
import time
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

from ...values.code_objects import substance
from ...values.located import SourceFile

__all__ = ["changed_since_import"]

_LOADED_AT = time.time()


def changed_since_import(file: SourceFile, code: CodeType, namespace: dict[str, Any]) -> bool:
    """Tell whether a file was edited so that a function in it is no longer what was imported.

    Only files that are younger than this process are compiled again to find out. A module that was rewritten when it
    was imported, as pytest does with tests, can't be compared and counts as unchanged.
    """
    try:
        if os.stat(file.filename).st_mtime < _started():  # noqa: PTH116  # done for every function
            return False
    except OSError:
        return False
    loader = namespace.get("__loader__")
    if loader is not None and type(loader) is not SourceFileLoader:
        return False
    now = file.substances.get(code.co_qualname, [])
    return bool(file.substances) and substance(code) not in now


@cache
def _started() -> float:
    """Return when this process started, or at least when this module was imported."""
    try:
        ticks = int(Path("/proc/self/stat").read_text("ascii").rpartition(")")[2].split()[19])
        running = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
        return time.time() - running
    except (OSError, ValueError, AttributeError, IndexError):  # not Linux
        return _LOADED_AT
