"""Which line of the project runs: found from a frame, and remembered by where in its code the frame stands."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FrameType

from .stream import Place, Table

__all__ = ["NOWHERE", "Places"]

NOWHERE = Place("", 0, "")


class Places:
    """Numbers of places in a table, for frames. Walking costs some ten nanoseconds a frame."""

    def __init__(self, table: Table, holds: Callable[[str], bool]) -> None:
        self.table, self._holds = table, holds
        self._own: dict[int, dict[int, int] | None] = {}
        """By the id of its code, the numbers of a function's instructions; None for code that is not the project's.

        By id, as the hash of a code object is computed anew each time, from all that is in it.
        """
        self._seen: list[CodeType] = []
        """Keeps the ids above from being given to other code."""
        self._nowhere = table.place(NOWHERE)

    def number(self, frame: FrameType | None) -> int:
        """Return the number of the innermost line of the project at or above a frame."""
        own = self._own
        while frame is not None:
            code = frame.f_code
            try:
                numbers = own[id(code)]
            except KeyError:
                numbers = self._learn(code)
            if numbers is not None:
                found = numbers.get(frame.f_lasti)
                return self._new(numbers, frame) if found is None else found
            frame = frame.f_back
        return self._nowhere

    def _learn(self, code: CodeType) -> dict[int, int] | None:
        self._seen.append(code)
        found: dict[int, int] | None = {} if self._holds(code.co_filename) else None
        self._own[id(code)] = found
        return found

    def _new(self, numbers: dict[int, int], frame: FrameType) -> int:
        code = frame.f_code
        found = self.table.place(Place(code.co_filename, frame.f_lineno or 0, code.co_qualname))
        numbers[frame.f_lasti] = found
        return found
