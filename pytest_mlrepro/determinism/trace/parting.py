"""Where two traced runs part: the first difference that counts, its cause, and the way from there to the checked value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .causes import Cause, Look, cause_of, is_clock
from .reading import Event, Line, Pair, Trace, differing
from .stream import Kind, Place

__all__ = ["Parting", "parting"]

SHOWN: Final = 5
"""So many links of a chain are shown."""
FAR: Final = 200_000
"""So many differing events are followed from the first one on."""
NOWHERE: Final = Place("", 0, "")


@dataclass(frozen=True)
class Parting:
    """Where two runs part."""

    operation: str
    place: Place
    cause: str = ""
    evidence: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    size: str = ""
    settled: bool = True
    """Whether a closer look can't tell more."""
    wanted: int = -1
    """The event whose value is what differs, in the first thread; -1 if it is in another."""

    @property
    def function(self) -> str:
        """The function that holds the line."""
        return self.place.function

    @property
    def headline(self) -> str:
        """One sentence: the operation, its line, and the cause if it is known."""
        words = self.cause or "is the first that differs; the cause is not known"
        return f"{self.operation}{_at(self.place)} {words}"

    def lines(self) -> list[str]:
        """Return the headline, how far the runs are apart there, the evidence, and the way to what was checked."""
        found = [self.headline]
        if self.size:
            found.append(f"  first difference: {self.size}")
        found += [f"  {sentence}" for sentence in self.evidence]
        if self.chain:
            found.append("  from there: " + " → ".join(self.chain))
        return found


def parting(first: Path, second: Path, *, varied: str | None) -> Parting | None:
    """Return where the runs of two traces part; None if they don't, as far as was traced.

    varied: what was varied between them; None if nothing was.
    """
    one, two = Trace.load(first), Trace.load(second)
    found = _Finder(one, two, "", varied).find()
    others = sorted({*one.streams, *two.streams} - {""})
    if found is None or not (found.cause and found.settled):
        for suffix in others:
            elsewhere = _Finder(one, two, suffix, varied).find()
            if elsewhere is not None and elsewhere.cause:
                return elsewhere
    return found


@dataclass
class _Finder:
    one: Trace
    two: Trace
    suffix: str
    varied: str | None
    sources: list[tuple[Event, int]] = field(default_factory=list)
    """What came from outside and differs: event and number."""
    from_clock: dict[tuple[str, str], int] = field(default_factory=dict)
    """Variables that hold what a clock said, or what was made of it: (function, name) to the event."""

    def find(self) -> Parting | None:
        pairs = differing(self.one, self.two, self.suffix)
        for pair in pairs:
            if not self._is_soft(pair):
                return self._parting(pair, pairs)
        return None

    def _event(self, number: int) -> Event:
        trace = self.one if number < len(self.one.streams.get(self.suffix, ())) else self.two
        return trace.event(self.suffix, number)

    def _is_soft(self, pair: Pair) -> bool:
        """Tell whether this is no difference by itself: something from outside, or what only a clock explains."""
        event = self._event(pair.number)
        if pair.same_head and event.kind is Kind.SOURCE:
            self.sources.append((event, pair.number))
            return True
        if not pair.same_head or event.kind is not Kind.LOCAL:
            return False
        line = self._line(event.place)
        if self._clock_here(event, line) or self._reads_clock(event, line):
            self.from_clock.setdefault((event.place.function, event.name), pair.number)
            return True
        return False

    def _clock_here(self, event: Event, line: Line) -> bool:
        on_line = [source.name for source, _ in self.sources if source.place == event.place]
        return is_clock(on_line) or (is_clock(line.calls) and not on_line)

    def _reads_clock(self, event: Event, line: Line) -> bool:
        return any((event.place.function, name) in self.from_clock for name in line.reads)

    def _line(self, place: Place) -> Line:
        return self.one.lines.get(place) or self.two.line(place)

    def _parting(self, pair: Pair, rest: Iterator[Pair]) -> Parting:
        event = self._event(pair.number)
        chain = self._chain(pair, rest)
        if event.kind is Kind.CHECKED and self.from_clock:
            return self._of_clock(pair.number, chain)
        if not pair.same_head:
            return self._other_way(pair, chain)
        cause = cause_of(self._look(event, pair.number))
        return self._found(cause, event, pair.number, chain)

    def _found(self, cause: Cause, event: Event, number: int, chain: tuple[str, ...]) -> Parting:
        place = event.place
        for source, _ in self.sources:
            if source.name == cause.operation:
                place = source.place
        if cause.operation not in self._line(place).calls and cause.operation in self._before(place):
            place = self._where_called(cause.operation, place)
        wanted = number if not self.suffix and event.kind in (Kind.VALUE, Kind.LOCAL, Kind.INPUT) else -1
        return Parting(cause.operation, place, cause.words, cause.evidence, chain, "", cause.settled, wanted)

    def _where_called(self, name: str, near: Place) -> Place:
        known = {**self.two.lines, **self.one.lines}
        found = [
            place
            for place, line in known.items()
            if name in line.calls and (place.file, place.function) == (near.file, near.function)
        ]
        return found[0] if found else near

    def _look(self, event: Event, number: int) -> Look:
        near = [(source, self._lines_between(at, number)) for source, at in reversed(self.sources)]
        notes = tuple(
            trace.notes(self.suffix, number) if number < len(trace.streams.get(self.suffix, ())) else {}
            for trace in (self.one, self.two)
        )
        return Look(
            event,
            self._line(event.place),
            (notes[0], notes[1]),
            tuple(near),
            self._before(event.place),
            self._here(event.place, number),
            self.varied,
            {**self.one.facts, **self.two.facts},
            close=bool(self.one.facts.get("close")),
        )

    def _before(self, place: Place) -> tuple[str, ...]:
        """Return what was called where the variables that a line reads were set, in the same function."""
        wanted = set(self._line(place).reads)
        known = {**self.two.lines, **self.one.lines}
        found: dict[str, None] = {}
        for other, line in known.items():
            if (other.file, other.function) == (place.file, place.function) and wanted & set(line.writes):
                found.update(dict.fromkeys(line.calls))
        return tuple(found)

    def _lines_between(self, start: int, stop: int) -> int:
        """Return how many lines of code lie between two events, as far as it matters: few or many."""
        if stop - start > 64:
            return 64
        return len({self._event(number).place for number in range(start, stop)})

    def _here(self, place: Place, number: int) -> frozenset[str]:
        """Return the names of the events of this line that come just before an event."""
        names = set()
        while number >= 0 and len(names) < 64:
            event = self._event(number)
            if event.kind is not Kind.NOTE and event.place != place:
                break
            names.add(event.name)
            number -= 1
        return frozenset(names)

    def _other_way(self, pair: Pair, chain: tuple[str, ...]) -> Parting:
        """Word two runs that do different things from here on; what decided on that was no value that is traced."""
        event = self._event(pair.number)
        if self.from_clock:
            return self._of_clock(pair.number, chain)
        worker = self._in_worker(event)
        if worker is not None:
            return worker
        look = self._look(event, pair.number)
        cause = cause_of(look) if event.kind is not Kind.CHECKED else Cause(event.name, settled=look.close)
        words = cause.words or "is where the two runs go different ways"
        return Parting(cause.operation, event.place, words, cause.evidence, chain, settled=cause.settled and look.close)

    def _in_worker(self, event: Event) -> Parting | None:
        """Return a parting if one run does in worker processes what the other does in that of the test."""
        for trace, other in ((self.one, self.two), (self.two, self.one)):
            if any(suffix.startswith("f") for suffix in other.streams) and not any(
                suffix.startswith("f") for suffix in trace.streams
            ):
                place = self._shared_place(trace, other)
                if place is not None:
                    calls = self._line(place).calls
                    operation = next(
                        (name for name in calls if "random" in name), calls[-1] if calls else place.function
                    )
                    words = "ran in worker processes in one run and in the process of the test in the other"
                    return Parting(operation, place, words, ("a worker has generators of its own",))
        return None

    def _shared_place(self, here: Trace, there: Trace) -> Place | None:
        """Return the first place of a worker's trace that is one of the other run's first process."""
        own = {here.event("", number).place for number in range(min(len(here.streams[""]), FAR))}
        for suffix in sorted(name for name in there.streams if name.startswith("f")):
            for number in range(len(there.streams[suffix])):
                event = there.event(suffix, number)
                if event.place in own and event.kind is not Kind.NOTE and event.place.line:
                    return event.place
        return None

    def _of_clock(self, number: int, chain: tuple[str, ...]) -> Parting:
        """Blame the clock: all that differs before the checked value was made of what it said."""
        first = min(self.from_clock.values())
        event = self._event(first)
        named = [source.name for source, _ in self.sources if source.place == event.place and is_clock([source.name])]
        named += [name for name in self._line(event.place).calls if is_clock([name])]
        operation = named[0] if named else event.name
        return Parting(operation, event.place, "read the clock, and the result depends on it", (), chain, wanted=first)

    def _chain(self, pair: Pair, rest: Iterator[Pair]) -> tuple[str, ...]:
        """Return the way from a difference to the checked value: the places that differ, the first and the last of them."""
        links: dict[str, None] = {}
        end = ""
        if not pair.same_head:
            return ()
        for count, later in enumerate(rest):
            event = self._event(later.number)
            if event.kind is Kind.CHECKED and later.same_head:
                end = event.name
                break
            if not later.same_head or count > FAR:
                end = f"other ways{_at(event.place)}" if not later.same_head else "…"
                break
            if event.kind not in (Kind.SOURCE, Kind.NOTE) and event.place.line:
                links[f"{event.name}{_at(event.place)}"] = None
        shown = list(links)
        if len(shown) > SHOWN:
            shown = [*shown[: SHOWN - 2], f"({len(shown) - SHOWN + 1} more)", *shown[-1:]]
        return (*shown, end) if end else tuple(shown)


def _at(place: Place) -> str:
    return f" at {_short(place.file)}:{place.line}" if place.line else ""


def _short(file: str) -> str:
    """Return a path as people write it: relative to the current folder where it is below."""
    try:
        return Path(file).relative_to(Path.cwd()).as_posix()
    except ValueError:
        return Path(file).name
