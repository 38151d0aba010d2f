"""Stored outputs of steps with `cache=True`: found by what a step is made of, and used only if the digest is right.

A step that may be skipped must leave no trace when it is not: it is seeded by itself, so that the numbers which later
steps draw don't depend on whether it ran, and it may neither change its arguments nor write files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from ..errors import FingerprintError, UsageError
from ..fingerprints import Fingerprint
from ..fingerprints import fingerprint as fingerprint_anything
from ..fingerprints.combined import combined
from ..fingerprints.values import fingerprint as fingerprint_value
from ..seeding import SeedScope
from .call import Call
from .entries import Damaged, Entries, Stored
from .madeof import made_of
from .stored import CannotStoreError

if TYPE_CHECKING:
    from .after import After

__all__ = ["Entry", "Event", "StepCache"]

Event: TypeAlias = Literal["reused", "stored", "damaged"]
_FORM: Final = "1"
"""Part of each key; another one for each change of what is stored."""


class StepCache:
    """The cache of one test: its seed, where entries lie, and whether they may be read and written.

    While goldens are recorded, or runs of a test are held against each other, nothing is read: a stored output would make
    any step look as if it repeated.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 0,
        entropy: Literal["seed", "forbid", "allow"] = "seed",
        deterministic: bool = False,
        read: bool = True,
        write: bool = True,
        notify: Callable[[str, Event], None] = lambda step, event: None,
    ) -> None:
        self.entries = Entries(folder)
        self.seed, self.entropy, self.deterministic = seed, entropy, deterministic
        self.read, self.write, self.notify = read, write, notify

    def entry(
        self,
        call: Call,
        step: str,
        values: Mapping[str, Any],
        prints: Mapping[str, Fingerprint],
        project: tuple[Path, ...],
    ) -> Entry:
        """Return what is stored of a step with this code, environment and inputs, or the place for it."""
        code, environment = made_of(call, values, project)
        if code is None:
            raise UsageError(
                f"pipeline.step({step!r}, cache=True): the code of fn can't be read, so nothing tells when it changes: "
                "define it in a file, or leave cache off"
            )
        facts = [_text("form", _FORM), _text("step", step), _text("seed", f"{self.seed} {self.entropy}")]
        made = [("code", code), ("environment", environment), ("inputs", combined("inputs", list(prints.items())))]
        return Entry(self, step, combined("step.cache", [*facts, *made]).digest.rpartition(":")[2])


class Entry:
    """What is stored of one step, or the place for it."""

    def __init__(self, cache: StepCache, step: str, key: str) -> None:
        self._cache, self._step, self._key = cache, step, key
        self.found = False
        self.value: Any = None
        self.read: tuple[Path, ...] = ()
        self.written: tuple[Path, ...] = ()
        self.seconds = 0.0
        if cache.read:
            self._look()

    def _look(self) -> None:
        entries = self._cache.entries
        try:
            stored = entries.load(self._key)
            if stored is None or not all(map(_is_same, stored.files.items())):
                return
            if fingerprint_value(stored.value).digest != stored.output:
                raise Damaged("its value does not have the digest that was stored")
        except (Damaged, FingerprintError):
            entries.remove(self._key)
            self._cache.notify(self._step, "damaged")
            return
        self.found, self.value = True, stored.value
        self.read, self.seconds = tuple(map(Path, stored.files)), stored.seconds
        self._cache.notify(self._step, "reused")

    def seeded(self) -> AbstractContextManager[object]:
        """Return the scope that the step runs in: its seed is that of the test and the step's name."""
        text = f"pipeline.step\0{self._cache.seed}\0{self._step}"
        seed = int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
        return SeedScope(seed, entropy=self._cache.entropy, deterministic=self._cache.deterministic)

    def keep(self, after: After) -> None:
        """Store what a step gave; raises UsageError for a step or a value that no stored output can stand for."""
        start = f"pipeline.step({self._step!r}, cache=True): "
        if after.effects:
            raise UsageError(
                f"{start}it changed its argument {next(iter(after.effects))!r} in place, which a stored output can't do "
                "again: have it return a new object, or leave cache off"
            )
        files = after.files
        if files is not None and files.written:
            raise UsageError(
                f"{start}it wrote {files.written[0].name}, which would not be written when the stored output is used: "
                "return the content, or leave cache off"
            )
        if not self._cache.write:
            return
        read = {str(path): fingerprint_anything(path).digest for path in (files.read if files is not None else ())}
        stored = Stored(after.value, after.returned.digest, read, after.spent[0])
        try:
            self._cache.entries.save(self._key, self._step, stored)
        except CannotStoreError as error:
            raise UsageError(start + _cannot(error)) from None
        self._cache.notify(self._step, "stored")


def _cannot(error: CannotStoreError) -> str:
    why = f" ({error.why})" if error.why else ""
    return (
        f"its output{error.place} is of type {error.type_name}, which can't be stored and put together again without "
        f"pickle{why}: return its arrays (a state_dict(), a coef_), or leave cache off"
    )


def _is_same(file: tuple[str, str]) -> bool:
    """Tell whether a file that the step read is as it was then."""
    path, digest = Path(file[0]), file[1]
    try:
        return path.exists() and fingerprint_anything(path).digest == digest
    except FingerprintError:
        return False


def _text(name: str, text: str) -> tuple[str, Fingerprint]:
    return name, fingerprint_value(text)
