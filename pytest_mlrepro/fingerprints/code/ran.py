"""Which of the project's code really ran: Python's own monitoring, which costs next to nothing after the first call."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any, Final

from .project import Project

__all__ = ["Ran"]

_TOOL_IDS: Final = (4, 3)
"""Of the six that Python has, those that it keeps for no kind of tool: debuggers, coverage and profilers have theirs."""
_NAME: Final = "pytest-mlrepro"


class Ran:
    """Notes the code objects of a project that start to run between `with Ran(project) as ran:` and its end.

    `ran.codes` holds them, each once, of every thread of this process, also of code without a version of its own
    outside of the project. `available` is False before Python 3.12 and where other tools hold both ids that are free
    for all; then `codes` is None. Each `with` starts anew. Child processes aren't seen.
    """

    def __init__(self, project: Path | str | Sequence[Path | str]) -> None:
        self._project = Project.at(project)
        self._counts: dict[str, bool] = {}
        self._codes: dict[int, CodeType] = {}
        self._tool: int | None = None

    @property
    def available(self) -> bool:
        """Whether code is noted, or could be by entering."""
        return self._tool is not None or _free_tool() is not None

    @property
    def codes(self) -> tuple[CodeType, ...] | None:
        """What ran, in the order of first calls; None if it could not be noted."""
        return tuple(self._codes.values()) if self._noted else None

    _noted = False

    def __enter__(self) -> Ran:
        self._codes = {}
        self._tool = _free_tool()
        self._noted = self._tool is not None
        if self._tool is not None:
            monitoring: Any = sys.monitoring  # type: ignore[attr-defined]  # since Python 3.12
            monitoring.use_tool_id(self._tool, _NAME)
            monitoring.register_callback(self._tool, monitoring.events.PY_START, self._started)
            monitoring.set_events(self._tool, monitoring.events.PY_START)
            monitoring.restart_events()  # what an earlier one switched off, place by place
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tool is not None:
            monitoring: Any = sys.monitoring  # type: ignore[attr-defined]  # since Python 3.12
            monitoring.set_events(self._tool, 0)
            monitoring.register_callback(self._tool, monitoring.events.PY_START, None)
            monitoring.free_tool_id(self._tool)
            self._tool = None

    def _started(self, code: CodeType, offset: int) -> object:
        filename = code.co_filename
        ours = self._counts.get(filename)
        if ours is None:
            ours = self._counts[filename] = self._project.holds_file(filename)
        if ours:
            self._codes[id(code)] = code
        return _DISABLE


def _free_tool() -> int | None:
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return None
    return next((tool for tool in _TOOL_IDS if monitoring.get_tool(tool) is None), None)


_DISABLE: Final[object] = getattr(getattr(sys, "monitoring", None), "DISABLE", None)
