"""The fixture `pipeline`: each step is run, and what went in, what came out and what it was made of is noted.

It knows nothing of goldens: what becomes of a step is decided by the book that it is entered in.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..compare.tolerance import Tolerance
from ..errors import FingerprintError, UsageError
from ..fingerprints import Fingerprint
from .after import After, Book, Check, Surroundings, made
from .cache import Entry
from .call import Call, read_call
from .facts import Input, Step, Tie
from .measure import Meter
from .prints import print_of_input
from .ties import Products

__all__ = ["Pipeline"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Running:
    """A step that has begun."""

    name: str
    cached: bool


class Pipeline:
    """Steps of a computation, each a call; the graph of them draws itself, since inputs are tied to earlier outputs."""

    def __init__(self, book: Book, surroundings: Surroundings | None = None) -> None:
        self._book = book
        self._around = surroundings or Surroundings()
        self._products = Products()
        self._written: dict[Path, str] = {}
        self._meter = Meter(memory=self._around.memory)
        self._now: ContextVar[_Running | None] = ContextVar("step", default=None)
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return "<pipeline>"

    def step(
        self,
        name: str,
        fn: Callable[..., R],
        /,
        *args: Any,
        cache: bool = False,
        check: Check = False,
        **kwargs: Any,
    ) -> R:
        """Return `fn(*args, **kwargs)`, and record the step.

        name: what it is called; once in a test.
        fn: a function, method, class, partial, lambda or callable object. Arguments are its inputs, and so are the
            object of a method and what a lambda captures. (A parameter of `fn` that is itself called `cache` or `check`
            is given by a `functools.partial`.)
        cache: reuse a stored output if inputs, code and environment are the same. Then the step is seeded by itself,
            from the seed of the test and its name, and can't change its arguments or write files.
        check: keep the value as a golden too: True, a `Tolerance`, a mapping of globs over keys to one each, or
            "calibrate" as in `golden.check`. Without it the step is compared by its digest alone, to the last bit.

        Raises UsageError for arguments that can't be right, FingerprintError (naming the step) for an input or an
        output without a fingerprint, and what `fn` raises, with a note that names the step. A step that differs from
        the golden fails the test at its end, when it is known what follows from it.
        """
        __tracebackhide__ = True
        _require(name, fn, cache, check)
        outer = self._now.get()
        if outer is not None and outer.cached:
            raise UsageError(
                f"pipeline.step({outer.name!r}, cache=True) calls pipeline.step({name!r}), which would not run when "
                "the stored output is used: cache the inner step instead"
            )
        with self._lock:
            self._book.claim(name)
        token = self._now.set(_Running(name, cache))
        try:
            return self._run(name, outer.name if outer else None, read_call(fn, args, kwargs), cache, check)  # type: ignore[no-any-return]
        finally:
            self._now.reset(token)

    def _run(self, name: str, inside: str | None, call: Call, cache: bool, check: Check) -> Any:
        __tracebackhide__ = True
        values, prints = _inputs(call, name)
        with self._lock:
            inputs = [
                Input(label, found.digest, found.kind, self._ties(found, values[label]))
                for label, found in prints.items()
            ]
        facts = Step(name, "", "", tuple(inputs), inside=inside)
        entry = self._entry(call, name, values, prints) if cache else None
        if entry is not None and entry.found:
            after = After(facts, call, values, prints, entry.value, None, entry, (entry.seconds, None))
        else:
            with entry.seeded() if entry is not None else nullcontext():
                after = self._called(facts, call, values, prints)
        self._enter(after, check)
        if after.error is not None:
            raise after.error
        if entry is not None and not entry.found:
            entry.keep(after)
        return after.value

    def _ties(self, found: Fingerprint, value: Any) -> tuple[Tie, ...]:
        """Return the outputs that an input is; a file that a step wrote is tied to that step."""
        writer = self._written.get(value.absolute()) if isinstance(value, Path) else None
        return self._products.ties(found, value) or ((Tie(writer, place=value.name),) if writer else ())

    def _entry(
        self, call: Call, name: str, values: Mapping[str, Any], prints: Mapping[str, Fingerprint]
    ) -> Entry | None:
        cache = self._around.cache
        return None if cache is None else cache.entry(call, name, values, prints, self._around.project)

    def _called(self, facts: Step, call: Call, values: Mapping[str, Any], prints: Mapping[str, Fingerprint]) -> After:
        """Call the function; what it raises is a part of what is found."""
        __tracebackhide__ = True
        value: Any = None
        error: Exception | None = None
        around = self._around.tracking
        started = self._meter.start()
        try:
            with around() if around is not None else nullcontext() as files:
                value = call.function(*call.args, **call.kwargs)
        except Exception as raised:  # noqa: BLE001  # raised again as soon as the step is entered
            error = raised
            error.add_note(_raised_in(facts))
        finally:
            spent = self._meter.stop(started)
        if inspect.isawaitable(value):
            _refuse_awaitable(value, facts.name)
        return After(facts, call, values, prints, value, error, files, spent)

    def _enter(self, after: After, check: Check) -> None:
        """Note what a step gave, and enter it in the book."""
        __tracebackhide__ = True
        name = after.facts.name
        with self._lock:
            for label, changed in after.effects.items():
                self._products.add(name, label, changed, after.values[label])
            if after.error is None:
                self._products.add(name, "", after.returned, after.value)
            wanted = self._book.wants(after.step)
            found = made(after, self._around, self._written, wanted=wanted)
            for path in after.files.written if after.files is not None else ():
                self._written[path] = name
            self._book.take(found, after.kept, check if after.error is None else False)


def _inputs(call: Call, step: str) -> tuple[dict[str, Any], dict[str, Fingerprint]]:
    """Return the inputs by name; what a function carries and has no fingerprint stays a part of its code."""
    values = dict(call.inputs)
    prints = {label: print_of_input(label, value, step) for label, value in values.items()}
    for label, value in call.carried:
        try:
            prints[label] = print_of_input(label, value, step)
        except FingerprintError:
            continue
        values[label] = value
    return values, prints


def _require(name: object, fn: object, cache: object, check: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"pipeline.step: name must be a text that is not empty, got {name!r}")
    if not callable(fn):
        raise UsageError(
            f"pipeline.step({name!r}): fn must be something to call, got a value of type {type(fn).__name__}: give the "
            "function itself, and its arguments after it, as in pipeline.step('clean', clean, raw)"
        )
    if not isinstance(cache, bool):
        raise UsageError(f"pipeline.step({name!r}): cache must be True or False, got {cache!r}")
    if isinstance(check, Mapping) and all(isinstance(item, Tolerance) for item in check.values()):
        return
    if not isinstance(check, bool | Tolerance) and check != "calibrate":
        raise UsageError(
            f"pipeline.step({name!r}): check must be True, False, a Tolerance, a mapping of globs to one each, or "
            f'"calibrate", got {check!r}'
        )


def _refuse_awaitable(value: Any, step: str) -> None:
    close = getattr(value, "close", None)
    if close is not None:
        close()  # else Python warns that nobody awaited it
    raise UsageError(
        f"pipeline step {step!r}: fn gave something to be awaited. Give a function that runs it, as in "
        "lambda: asyncio.run(fn(...)), or await it first and hand on what it gives"
    )


def _raised_in(facts: Step) -> str:
    given = ", ".join(
        f"{given.name} from {given.ties[0].step}" if given.ties else given.name for given in facts.inputs[:8]
    )
    return f"raised in pipeline step {facts.name!r}" + (f", whose inputs were: {given}" if given else "")
