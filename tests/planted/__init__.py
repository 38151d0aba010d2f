"""Planted sources of nondeterminism, each with a twin that repeats: what finds or names them is tested on these.

Each module holds the sources of the libraries that it imports, in `SOURCES`; `planted("plain", "tensors")` gathers them.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

__all__ = ["Planted", "planted"]

Varied = Literal["threads", "hashseed", "malloc", "folders"]
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Planted:
    """One source: `broken()` gives other bits in two runs, `fixed()` the same."""

    broken: Callable[..., Any]
    fixed: Callable[..., Any]
    operation: str
    """What must be named, or a part of it."""
    cause: str
    """Words that the cause must have."""
    varied: Varied | None = None
    """What has to differ between the two runs; None: nothing, a plain rerun differs."""
    runs: tuple[Mapping[str, Any], Mapping[str, Any]] = (_NOTHING, _NOTHING)
    """Keyword arguments of the first and the second run."""
    sometimes: bool = False
    """Two runs may agree by luck: run until they don't."""
    mended: str = ""
    """The default of `@repro` that takes it away: "entropy" or "deterministic"."""
    before: Callable[[], object] = field(default=_nothing)
    """Called before each run and not part of it: warms caches, or litters the memory that a run may find."""
    marker: str = ""
    """The comment on the line that must be named is `# parts: MARKER`, by default the function's name."""

    @property
    def name(self) -> str:
        """The name of the broken function."""
        return self.broken.__name__

    @property
    def file(self) -> Path:
        """The file that the broken function stands in."""
        return Path(inspect.getsourcefile(self.broken) or "")

    @property
    def line(self) -> int:
        """The line that must be named."""
        wanted = f"# parts: {self.marker or self.name}"
        lines = self.file.read_text("utf-8").splitlines()
        (found,) = [number for number, line in enumerate(lines, 1) if line.endswith(wanted)]
        return found


def planted(*modules: str) -> tuple[Planted, ...]:
    """Return the sources of the named modules (plain, arrays, estimators, tables, tensors), which import their libraries."""
    found = [importlib.import_module(f"{__name__}.{module}").SOURCES for module in modules]
    return tuple(source for sources in found for source in sources)
