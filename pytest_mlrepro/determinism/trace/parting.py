"""Where two traced runs part: the first difference that counts, its cause, and the way from there to the checked value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from .causes import Cause, Look, cause_of, clocks_on, harmless
from .reading import Event, Line, Pair, Trace, differing
from .stream import KIND_SHIFT, Kind, Place

__all__ = ["Parting", "parting"]

SHOWN: Final = 5
"""So many links of a chain are shown."""
LONG: Final = 10_000
"""So many harmless differences are kept for a chain."""
FEW: Final = 1_000
"""So many draws are looked back on."""
NEAR: Final = 3
"""After so few events a returned value is held by whoever asked for it."""
FAR: Final = 100_000
"""So many differing events are followed from the first one on."""
NOTHING_BEFORE: Final = (
    "is the first that differs: nothing that was traced parts before it. It may come from what lives on between runs, such as "
    "a global, an attribute of a class, a cache or a file"
)
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
    """Follows one stream of two traces."""

    one: Trace
    two: Trace
    suffix: str
    varied: str | None
    tainted: dict[tuple[str, str], tuple[int, str, str]] = field(default_factory=dict)
    """Variables that hold what differs in each run and does no harm by itself: (function, name) to event, origin, words."""
    _returned: tuple[int, tuple[int, str, str]] | None = None
    """The last tainted value that a function returned: who called it holds it next."""

    _passed: list[Pair] = field(default_factory=list)
    """Differences that do no harm, unless the checked value turns out to be made of them."""

    def find(self) -> Parting | None:
        """Return the first difference that counts."""
        pairs = differing(self.one, self.two, self.suffix)
        for pair in pairs:
            if self._is_harmless(pair):
                if len(self._passed) < LONG:
                    self._passed.append(pair)
                continue
            roots = [pair, *self._roots(pair, pairs)]
            return self._parting(roots)
        return None

    def _event(self, number: int) -> Event:
        trace = self.one if number < len(self.one.streams.get(self.suffix, ())) else self.two
        return trace.event(self.suffix, number)

    def _is_harmless(self, pair: Pair) -> bool:
        """Tell whether a difference comes from a clock, from memory that is not yet filled, or their like."""
        event = self._event(pair.number)
        if not pair.same_head or event.kind is not Kind.LOCAL:
            return False
        line = self._line(event.place)
        origin = self._origin(event, line, pair.number)
        if origin is None:
            return False
        self.tainted.setdefault((event.place.function, event.name), origin)
        if event.name == "return":
            self._returned = (pair.number, origin)
        return True

    def _origin(self, event: Event, line: Line, number: int) -> tuple[int, str, str] | None:
        read = [
            self.tainted[event.place.function, name]
            for name in line.reads
            if (event.place.function, name) in self.tainted
        ]
        if read:
            return min(read)
        if self._returned is not None and number - self._returned[0] <= NEAR:
            return self._returned[1]
        given = harmless(line.calls, self.varied)
        if given is not None:
            return (number, *given)
        if self.tainted and not line.writes:  # an argument, noted where its function begins
            return min(self.tainted.values())
        return None

    def _lines(self) -> dict[Place, Line]:
        return {**self.two.lines, **self.one.lines}

    def _line(self, place: Place) -> Line:
        return self.one.lines.get(place) or self.two.line(place)

    def _roots(self, first: Pair, rest: Iterator[Pair]) -> Iterator[Pair]:
        """Yield the pairs after the first, to the checked value, so far as they are followed."""
        if not first.same_head or self._event(first.number).kind is Kind.CHECKED:
            return
        for count, pair in enumerate(rest):
            yield pair
            if count > FAR or not pair.same_head or self._event(pair.number).kind is Kind.CHECKED:
                return

    def _parting(self, pairs: list[Pair]) -> Parting:
        pair = self._live(pairs)
        event = self._event(pair.number)
        chain = self._chain([later for later in pairs if later.number > pair.number])
        if event.kind is Kind.CHECKED and self.tainted:
            return self._of_tainted(self._chain([*self._passed[1:], pair]))
        if not pair.same_head:
            return self._other_way(pair, chain)
        if event.kind is Kind.CHECKED:
            return Parting(event.name, NOWHERE, NOTHING_BEFORE, settled=bool(self.one.facts.get("close")))
        cause = cause_of(self._look(event, pair.number))
        return self._found(cause, event, pair.number, chain)

    def _live(self, pairs: list[Pair]) -> Pair:
        """Return the first difference that leads on: an operation may part and nobody use what differs.

        Where inputs were looked at, an operation that was given the same and gave something else begins a way of its own.
        """
        first = pairs[0]
        if self._event(first.number).kind is not Kind.VALUE or not self.one.facts.get("close"):
            return first
        given = {pair.number for pair in pairs if self._event(pair.number).kind is Kind.INPUT}
        begin: Pair | None = None
        for pair in pairs:
            kind = self._event(pair.number).kind
            if kind is Kind.VALUE and pair.number - 1 not in given:
                begin = pair  # of its own: what came before has led to nothing yet
            elif kind in (Kind.VALUE, Kind.LOCAL, Kind.CHECKED) and begin is not None:
                return begin
        return begin or first

    def _found(self, cause: Cause, event: Event, number: int, chain: tuple[str, ...]) -> Parting:
        place = event.place
        if cause.operation not in self._line(place).calls:
            place = self._where_called(cause.operation, place)
        wanted = number if not self.suffix and event.kind in (Kind.VALUE, Kind.LOCAL, Kind.INPUT) else -1
        return Parting(cause.operation, place, cause.words, cause.evidence, chain, "", cause.settled, wanted)

    def _where_called(self, name: str, near: Place) -> Place:
        known = self._lines()
        found = [place for place, line in known.items() if name in line.calls]
        same = [place for place in found if (place.file, place.function) == (near.file, near.function)]
        seeding = [place for place in found if clocks_on(known[place].calls)]
        return next(iter(same or seeding), near)

    def _look(self, event: Event, number: int) -> Look:
        notes = tuple(
            trace.notes(self.suffix, number) if number < len(trace.streams.get(self.suffix, ())) else {}
            for trace in (self.one, self.two)
        )
        return Look(
            event,
            self._line(event.place),
            (notes[0], notes[1]),
            self._drawn(event, number),
            tuple(name for line in self._lines().values() for name in clocks_on(line.calls)),
            self._before(event.place),
            self.varied,
            {**self.one.facts, **self.two.facts},
            close=bool(self.one.facts.get("close")),
        )

    def _drawn(self, event: Event, number: int) -> bool:
        """Tell whether the generator of a draw was drawn from before: then it has been seeded, or both went on alike."""
        if event.kind is not Kind.DRAW:
            return False
        whose = self.one.notes(self.suffix, number).get("generator")
        words = self.one.streams[self.suffix][:number, 0]
        earlier = np.flatnonzero(words >> np.uint64(KIND_SHIFT) == np.uint64(Kind.DRAW))[-FEW:]
        return any(self.one.notes(self.suffix, int(other)).get("generator") == whose for other in earlier)

    def _before(self, place: Place) -> tuple[str, ...]:
        """Return what was called where the variables that a line reads were set, in the same function."""
        wanted = set(self._line(place).reads)
        known = self._lines()
        found: dict[str, None] = {}
        for other, line in known.items():
            if (other.file, other.function) == (place.file, place.function) and wanted & set(line.writes):
                found.update(dict.fromkeys(line.calls))
        return tuple(found)

    def _other_way(self, pair: Pair, chain: tuple[str, ...]) -> Parting:
        """Word two runs that do different things from here on; what decided on that was no value that is traced."""
        event = self._event(pair.number)
        if self.tainted:
            return self._of_tainted(chain)
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
                    close = bool(self.one.facts.get("close"))
                    return Parting(operation, place, words, ("a worker has generators of its own",), settled=close)
        return None

    def _shared_place(self, here: Trace, there: Trace) -> Place | None:
        """Return a place of a worker's trace that is one of the other run's first process, if possible one that draws."""
        own = {here.event("", number).place for number in range(min(len(here.streams[""]), FAR))}
        found: dict[Place, None] = {}
        for suffix in sorted(name for name in there.streams if name.startswith("f")):
            for number in range(min(len(there.streams[suffix]), FAR)):
                event = there.event(suffix, number)
                if event.place in own and event.kind is not Kind.NOTE and event.place.line:
                    found[event.place] = None
        drawing = [place for place in found if any("random" in name for name in self._line(place).calls)]
        return next(iter(drawing or found), None)

    def _of_tainted(self, chain: tuple[str, ...]) -> Parting:
        """Blame the clock, or its like: all that differs before the checked value was made of it."""
        number, operation, words = min(self.tainted.values())
        wanted = -1 if self.suffix else number
        return Parting(operation, self._event(number).place, words, (), chain, wanted=wanted)

    def _chain(self, pairs: list[Pair]) -> tuple[str, ...]:
        """Return the way from a difference to the checked value: the places that differ, the first and the last of them."""
        links: dict[str, None] = {}
        end = ""
        for pair in pairs:
            event = self._event(pair.number)
            if not pair.same_head:
                end = f"other ways{_at(event.place)}"
            elif event.kind is Kind.CHECKED:
                end = event.name
            elif event.kind is not Kind.INPUT and event.place.line:
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
