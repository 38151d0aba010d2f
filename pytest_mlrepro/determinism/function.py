"""`assert_reproducible`: a function is called again, plainly and varied, and must give the same each time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from ..compare.difference import Comparison
from ..compare.tolerance import Tolerance, Tolerances, tolerances
from ..errors import FingerprintError, UsageError
from ..fingerprints import Fingerprint
from ..fingerprints.values import fingerprint
from ..seeding.stack import innermost
from ..seeding.stream import Settings
from ..values.describe import describe
from ..values.node import is_empty
from .call import Call, call_in_child, called
from .kept import EXACT, Kept
from .spread import spread_text
from .traces import part_lines, traced
from .vary import VARIATIONS, Variation, child_environment, hashes_at_random, valid, varied
from .words import not_reproducible

__all__ = ["Repeated", "assert_reproducible"]

WHERE = "assert_reproducible"
PLAIN_CHILD = VARIATIONS["process"]


@dataclass(frozen=True)
class Repeated:
    """What a function did that repeats: how often it was called, and the spread that was no failure."""

    runs: int
    """Calls in all, varied ones and those in other processes included."""
    spread: Mapping[str, str] = field(default_factory=dict)
    """By variation (`threads`, `isa`): the greatest difference, in ulp and relative to the first run."""

    def __str__(self) -> str:
        spread = "".join(f"; under {name}: {text}" for name, text in self.spread.items())
        return f"the same in {self.runs} runs{spread}"


def assert_reproducible(
    fn: Callable[..., object],
    *args: object,
    runs: int = 2,
    vary: str | tuple[str, ...] = (),
    seed: int | None = None,
    tolerance: Tolerance | Mapping[str, Tolerance] | None = None,
    **kwargs: object,
) -> Repeated:
    """Assert that `fn(*args, **kwargs)` gives the same in `runs` calls, and once more under each variation of `vary`.

    Args:
        fn: any callable whose result has a fingerprint; a coroutine function is run to its end.
        runs: calls in this process, 1 or more; 1 needs a variation.
        vary: names, cheapest first: "threads" (of torch, BLAS and OpenMP: one if there are more, else two), "folders"
            (files listed backwards), and in a process of its own "process", "hashseed" (another `PYTHONHASHSEED`),
            "malloc" (memory filled with a pattern; glibc) and "isa" (AVX2 at most). Those in a process of their own need
            a function that can be imported, and arguments that can be pickled.
        seed: each call starts from this seed, as a test marked `@repro(seed)` does. None: inside a seeded test or
            `seed_everything` each call starts from that seed; elsewhere nothing is seeded, and a draw from a
            generator without a seed is what this finds.
        tolerance: what may differ, relative to the first call. None: nothing at all in plain calls and under
            "folders", "process", "hashseed" and "malloc"; under "threads" the default tolerance of the dtype. "isa"
            never fails: what it gives is the spread that other machines will show.

    Returns how often the function was called, and the spread under "threads" and "isa".

    Raises:
        AssertionError: two calls differ (the message says where they part, and under what), one of them raised, or the
            result holds nothing that could differ.
        UsageError: an argument can't be right, or the function can't go to another process.
        FingerprintError: the result has no stable form.
    """
    __tracebackhide__ = True
    variations = _valid(fn, runs, vary)
    call = Call(fn, args, kwargs, _settings(seed))
    asked = None if tolerance is None else tolerances(tolerance=tolerance)
    with ExitStack() as stack:
        return _Ladder(call, asked, stack).climb(runs, variations)


def _valid(fn: object, runs: object, vary: object) -> tuple[Variation, ...]:
    if not callable(fn):
        raise UsageError(f"{WHERE}: fn must be callable, got {fn!r}")
    if isinstance(runs, bool) or not isinstance(runs, int) or runs < 1:
        raise UsageError(f"{WHERE}: runs must be a whole number, 1 or more, got {runs!r}")
    variations = valid(vary, WHERE)
    if any(one.name == "order" for one in variations):
        raise UsageError(f"{WHERE}: vary='order' is about tests: use @pytest.mark.repro(vary='order')")
    if runs == 1 and not variations:
        raise UsageError(f"{WHERE}: runs=1 without vary compares nothing: give runs=2 or more, or a variation")
    return variations


def _settings(seed: int | None) -> Settings | None:
    if seed is not None:
        from ..seeding.scope import SeedScope

        return SeedScope(seed).stream.settings
    scope = innermost()
    return None if scope is None else scope.stream.settings


class _Ladder:
    """One function on its way from the cheapest way of calling it again to the dearest."""

    def __init__(self, call: Call, asked: Tolerances | None, stack: ExitStack) -> None:
        self.call, self.asked, self.stack = call, asked, stack
        self.made_from = list(_arguments(call))
        self.spread: dict[str, str] = {}
        self.calls = 0
        self.first = self._first()

    def climb(self, runs: int, variations: tuple[Variation, ...]) -> Repeated:
        """Call the function again in every way that was asked for; raise AssertionError where two calls part."""
        __tracebackhide__ = True
        for _ in range(runs - 1):
            self._hold(self._again(), None)
        for variation in (one for one in variations if not one.child):
            self._hold(self._again(variation), variation)
        children = tuple(one for one in variations if one.child)
        self._together(tuple(one for one in children if one.fails))
        for variation in (one for one in children if not one.fails):
            self._hold(self._child((variation,)), variation)
        return Repeated(self.calls, dict(self.spread))

    def _first(self) -> Kept:
        __tracebackhide__ = True
        self.calls += 1
        value = called(self.call)
        if value is None or is_empty(describe(value)):
            raise AssertionError(
                f"{WHERE}: {self.call.name} returned {'None' if value is None else 'nothing but empty values'}: "
                "there is nothing to compare. Return what must repeat"
            )
        return self._kept(value)

    def _kept(self, value: object) -> Kept:
        kept = Kept.of(value)
        self.stack.callback(kept.discard)
        return kept

    def _again(self, variation: Variation | None = None) -> Kept | str:
        """Return what another call gives in this process, or how it failed."""
        self.calls += 1
        try:
            with varied(variation.name) if variation else nullcontext():
                return self._kept(called(self.call))
        except FingerprintError:
            raise
        except Exception as error:  # noqa: BLE001  # the first call gave a result: whatever this one raises is a difference
            return f"it raised {type(error).__name__}: {error}"

    def _child(self, variations: tuple[Variation, ...]) -> Kept | str:
        self.calls += 1
        return call_in_child(self.call, self._folder(), child_environment(variations))

    def _folder(self) -> Path:
        return Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="mlrepro-")))

    def _together(self, variations: tuple[Variation, ...]) -> None:
        """Try several variations in one child; only if that one parts, one by one, so that the cause is named."""
        __tracebackhide__ = True
        if not variations or self._difference(self.first, self._child(variations), variations[0]) is None:
            return
        plain = self._child(())
        for variation in _suspected(variations):
            self._compare(plain, self._child((variation,)), variation)
        self._compare(self.first, plain, VARIATIONS["process"])
        self._fail(
            f"in a process {' and '.join(one.words for one in variations)} it differs, with one of them alone not"
        )

    def _hold(self, later: Kept | str, variation: Variation | None) -> None:
        __tracebackhide__ = True
        if variation is not None and not variation.exact and isinstance(later, Kept):
            self._note_spread(later, variation)
        self._compare(self.first, later, variation)

    def _compare(self, first: Kept | str, later: Kept | str, variation: Variation | None) -> None:
        __tracebackhide__ = True
        difference = self._difference(first, later, variation)
        if difference is not None and (variation is None or variation.fails or isinstance(difference, str)):
            self._fail(difference, variation)

    def _difference(self, first: Kept | str, later: Kept | str, variation: Variation | None) -> Comparison | str | None:
        if isinstance(first, str) or isinstance(later, str):
            return None if first == later else f"one call: {_told(first)}; the other: {_told(later)}"
        exact = variation is None or variation.exact
        return first.differs(later, self.asked or (EXACT if exact else tolerances()))

    def _note_spread(self, later: Kept, variation: Variation) -> None:
        found = self.first.differs(later)
        if isinstance(found, Comparison):
            self.spread[variation.name] = spread_text(found)

    def _fail(self, difference: Comparison | str, variation: Variation | None = None) -> None:
        __tracebackhide__ = True
        raise AssertionError(
            not_reproducible(
                f"the result of {self.call.name}",
                difference,
                variation=variation,
                parting=[*self._changed_arguments(), *self._parting(variation)],
            )
        )

    def _changed_arguments(self) -> Iterator[str]:
        """Yield which arguments are no longer what they were: the later call started from something else."""
        for (name, before), (_, now) in zip(self.made_from, _arguments(self.call), strict=True):
            if before is not None and now is not None and before.digest != now.digest:
                yield f"{self.call.name} changed its argument {name} in place: later calls started from something else"

    def _parting(self, variation: Variation | None) -> list[str]:
        """Return where two traced runs part: a plain one, and one that is varied."""
        files = [self._folder() / "trace" for _ in range(2)]
        apart = variation is not None and variation.child
        try:
            self._traced(files[0], PLAIN_CHILD if apart and variation is not VARIATIONS["process"] else None)
            self._traced(files[1], variation)
        except Exception as error:  # noqa: BLE001  # what can't be traced must not hide the difference that was found
            return [f"the runs could not be traced: {type(error).__name__}: {error}"]
        found = part_lines(files[0], files[1], variation)
        return found or [
            "made again under a trace, the two runs agreed: they part by chance, or what parts is not traced"
        ]

    def _traced(self, file: Path, variation: Variation | None) -> None:
        if variation is not None and variation.child:
            call_in_child(self.call, self._folder(), child_environment((variation,)), trace=file)
            return
        with varied(variation.name) if variation else nullcontext(), traced(file, Path.cwd()) as recorder:
            result = called(self.call)
            if recorder is not None:
                recorder.checked("the result", result)


def _suspected(variations: tuple[Variation, ...]) -> Iterator[Variation]:
    """Yield what may make two children part; the hash seed always where no child can have that of this process."""
    names = [one.name for one in variations]
    return (VARIATIONS[name] for name in ("hashseed", "malloc") if name in names or _unasked(name))


def _unasked(name: str) -> bool:
    return name == "hashseed" and hashes_at_random()


def _told(outcome: Kept | str) -> str:
    return outcome if isinstance(outcome, str) else "it returned a value"


def _arguments(call: Call) -> Iterator[tuple[str, Fingerprint | None]]:
    """Yield the arguments and their fingerprints, None for one that has none."""
    for name, value in [*enumerate(call.args, 1), *call.kwargs.items()]:
        try:
            yield str(name), fingerprint(value)
        except FingerprintError:
            yield str(name), None
