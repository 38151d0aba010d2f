"""Every line of the project's code that sets or changes a local variable, with a digest of what it then holds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Final

from ..._lazy import loaded
from .code import LineCode, lines_of, names_on
from .global_state import GlobalState
from .stream import Kind, Place, Stream
from .threads import Streams
from .values import Values

__all__ = ["Lines"]

LARGE: Final = 1 << 26
"""Arrays of more bytes are looked at where they are set, and not again where a line only reads them."""


class _Frame:
    """What is known of one call of a function."""

    __slots__ = ("code", "digests", "last", "stream")

    def __init__(self, code: dict[int, LineCode], stream: Stream) -> None:
        self.code, self.stream = code, stream
        self.last = 0
        self.digests: dict[str, int] = {}


class Lines:
    """Follows the project's functions line by line, in all threads."""

    def __init__(self, streams: Streams, holds: Callable[[str], bool]) -> None:
        self._streams, self._holds = streams, holds
        self._code: dict[int, dict[int, LineCode] | None] = {}
        """By the id of a code object: its hash is computed anew each time, from all that is in it."""
        self._seen: list[CodeType] = []
        self._told: set[tuple[int, int]] = set()
        self._users: dict[int, tuple[object, int]] = {}
        """Generators by id, with the thread that first drew."""
        self._values = Values(holds)
        self._global = GlobalState()
        self._watch: Any = None
        self._tensors: Any = getattr(loaded("torch"), "Tensor", None)

    def install(self) -> None:
        """Begin, also in functions that are running."""
        self._watch = _Monitored(self) if sys.version_info >= (3, 12) else _Traced(self)
        self._watch.install()

    def remove(self) -> None:
        """End, and put back what was there."""
        if self._watch is not None:
            self._watch.remove()
            self._watch = None

    def lines(self, code: CodeType) -> dict[int, LineCode] | None:
        """Return what the lines of a function do; None if it isn't the project's."""
        try:
            return self._code[id(code)]
        except KeyError:
            self._seen.append(code)
            found = self._code[id(code)] = lines_of(code) if self._holds(code.co_filename) else None
            return found

    def begun(self, frame: FrameType) -> _Frame | None:
        """Take in that a function of the project begins, and note what it was given."""
        code = self.lines(frame.f_code)
        if code is None:
            return None
        known = _Frame(code, self._streams.current())
        moved = self._global.moved()
        caller = None if moved is None else self._caller(frame)
        if moved is not None and caller is not None:
            known.stream.event(Kind.DRAW, moved.name, _place(caller, caller.f_lineno), moved.digest)
        if frame.f_code.co_flags & 0x02:  # a function: modules and classes have no arguments
            count = frame.f_code.co_argcount + frame.f_code.co_kwonlyargcount
            self._note(known, frame, frame.f_code.co_varnames[:count], frame.f_code.co_firstlineno)
        return known

    def _caller(self, frame: FrameType) -> FrameType | None:
        """Return the function of the project whose line is under way; in a worker, none of those that started it."""
        above = frame.f_back
        while above is not None and above.f_globals.get("__name__") != "multiprocessing.process":
            if self.lines(above.f_code) is not None:
                return above
            above = above.f_back
        return None

    def line(self, known: _Frame, frame: FrameType, number: int) -> None:
        """Take in that a line begins, so that the one before has ended."""
        if known.last:
            self._ended(known, frame)
        known.last = number
        here = known.code.get(number)
        if here is not None and (id(known.code), number) not in self._told:
            self._told.add((id(known.code), number))
            try:
                names = names_on(here, frame)
            except Exception:  # noqa: BLE001  # somebody's object that can't be looked at must not fail what is traced
                names = []
            self._streams.table.line(
                _place(frame, number), calls=names, reads=list(here.reads), writes=list(here.writes)
            )

    def returned(self, known: _Frame, frame: FrameType, value: object) -> None:
        """Take in that a function returns."""
        if known.last:
            self._ended(known, frame)
            digest = None if value is None else self._values.digest(value)
            if digest is not None:
                self._put(known, "return", _place(frame, known.last), digest, value)
        known.last = 0

    def _ended(self, known: _Frame, frame: FrameType) -> None:
        number = known.last
        here = known.code.get(number)
        if here is None:
            return
        moved = self._global.moved()
        if moved is not None:
            known.stream.event(Kind.DRAW, moved.name, _place(frame, number), moved.digest)
        self._note(known, frame, here.writes, number)
        if here.mutates:
            self._note(known, frame, here.reads, number, again=True)

    def _note(self, known: _Frame, frame: FrameType, names: Any, number: int, *, again: bool = False) -> None:
        """Note those variables that hold something else than when they were last noted."""
        held = frame.f_locals
        for name in names:
            if name not in held:
                continue
            value = held[name]
            if self._tensors is not None and isinstance(value, self._tensors) and not _iterates(known, number):
                continue  # the operations that made it tell more; a batch has come from elsewhere
            if again and (isinstance(value, _PLAIN) or getattr(value, "nbytes", 0) > LARGE):
                continue
            digest = self._values.digest(value)
            if again and any(chain[0] == name and len(chain) > 1 for chain in known.code[number].chains):
                self._shared(known, frame, value, number)
            if digest is not None and known.digests.get(name) != digest:
                first_seen = again and name not in known.digests
                known.digests[name] = digest
                if not first_seen:
                    self._put(known, name, _place(frame, number), digest, value)

    def _put(self, known: _Frame, name: str, place: Place, digest: int, value: object) -> None:
        known.stream.event(Kind.LOCAL, name, place, digest)
        if 0 <= known.stream.wanted < len(known.stream):
            known.stream.keep(value)

    def _shared(self, known: _Frame, frame: FrameType, value: object, number: int) -> None:
        """Notice a generator that two threads read."""
        numpy = loaded("numpy.random")
        if numpy is None or not isinstance(value, numpy.Generator | numpy.RandomState):
            return
        _, thread = self._users.setdefault(id(value), (value, threading.get_ident()))
        if thread != threading.get_ident():
            place = _place(frame, number)
            self._streams.table.fact(f"shared {place.file}:{place.line}", True)


def _iterates(known: _Frame, number: int) -> bool:
    here = known.code.get(number)
    return here is not None and here.iterates


_PLAIN: Final = (bool, int, float, complex, str, bytes, type(None))


def _place(frame: FrameType, line: int) -> Place:
    return Place(frame.f_code.co_filename, line, frame.f_code.co_qualname)


class _Traced:
    """By `sys.settrace`: the functions of others cost a call of Python each."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._before: Any = None
        self._running: list[tuple[FrameType, Any]] = []

    def install(self) -> None:
        self._before = sys.gettrace()
        threading.settrace(self._call)
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            if self._lines.lines(frame.f_code) is not None:
                self._running.append((frame, frame.f_trace))
                known = _Frame(self._lines.lines(frame.f_code) or {}, self._lines._streams.current())
                frame.f_trace = self._local(known)
            frame = frame.f_back
        sys.settrace(self._call)

    def remove(self) -> None:
        sys.settrace(self._before)
        threading.settrace(self._before)
        for frame, before in self._running:
            frame.f_trace = before

    def _call(self, frame: FrameType, event: str, arg: Any) -> Any:
        known = self._lines.begun(frame) if self._lines.lines(frame.f_code) is not None else None
        return None if known is None else self._local(known)

    def _local(self, known: _Frame) -> Any:
        lines = self._lines

        def trace(frame: FrameType, event: str, arg: Any) -> Any:
            if event == "line":
                lines.line(known, frame, frame.f_lineno)
            elif event == "return":
                lines.returned(known, frame, arg)
            return trace

        return trace


class _Monitored:
    """By `sys.monitoring`: the functions of others cost nothing after their first call."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._frames: dict[FrameType, _Frame] = {}
        self._tool = -1

    def install(self) -> None:
        monitoring = sys.monitoring  # type: ignore[attr-defined,unused-ignore]  # from 3.12 on
        events = monitoring.events
        self._tool = next(number for number in (4, 3, 5, 2, 1, 0) if monitoring.get_tool(number) is None)
        monitoring.use_tool_id(self._tool, "pytest-mlrepro")
        for event, callback in (
            (events.PY_START, self._start),
            (events.LINE, self._line),
            (events.PY_RETURN, self._return),
            (events.PY_UNWIND, self._unwind),
        ):
            monitoring.register_callback(self._tool, event, callback)
        monitoring.set_events(self._tool, events.PY_START | events.PY_UNWIND)
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            if self._lines.lines(frame.f_code) is not None:
                self._frames[frame] = _Frame(self._lines.lines(frame.f_code) or {}, self._lines._streams.current())
                monitoring.set_local_events(self._tool, frame.f_code, events.LINE | events.PY_RETURN)
            frame = frame.f_back

    def remove(self) -> None:
        monitoring = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        monitoring.set_events(self._tool, 0)
        for code in self._lines._seen:
            if self._lines.lines(code) is not None:
                monitoring.set_local_events(self._tool, code, 0)
        for event in (
            monitoring.events.PY_START,
            monitoring.events.LINE,
            monitoring.events.PY_RETURN,
            monitoring.events.PY_UNWIND,
        ):
            monitoring.register_callback(self._tool, event, None)
        monitoring.free_tool_id(self._tool)
        monitoring.restart_events()
        self._frames.clear()

    def _start(self, code: CodeType, offset: int) -> Any:
        monitoring = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        if self._lines.lines(code) is None:
            return monitoring.DISABLE
        monitoring.set_local_events(self._tool, code, monitoring.events.LINE | monitoring.events.PY_RETURN)
        frame = sys._getframe(1)
        known = self._lines.begun(frame)
        if known is not None:
            self._frames[frame] = known
        return None

    def _line(self, code: CodeType, number: int) -> Any:
        frame = sys._getframe(1)
        known = self._frames.get(frame)
        if known is not None:
            self._lines.line(known, frame, number)

    def _return(self, code: CodeType, offset: int, value: object) -> Any:
        frame = sys._getframe(1)
        known = self._frames.pop(frame, None)
        if known is not None:
            self._lines.returned(known, frame, value)

    def _unwind(self, code: CodeType, offset: int, error: BaseException) -> Any:
        self._frames.pop(sys._getframe(1), None)
