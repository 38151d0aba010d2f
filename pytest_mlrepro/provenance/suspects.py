"""What changed between two provenances and so can have changed the result, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, get_args

from ..fingerprints.digest import Fingerprint
from ..fingerprints.environment.required import normal
from .record import WRITTEN, Provenance
from .trees import Change, Difference, Key, differences, numbered, one_sided

__all__ = ["NOT_SET", "Source", "Suspect", "suspects"]

Source: TypeAlias = Literal["code", "data", "artifacts", "package", "environment"]
"""In this order they are suspected: what the test itself reaches, reads and loads, then what it runs on."""
NOT_SET: Final = "not set"
_SOURCES: Final[tuple[Source, ...]] = get_args(Source)
_CHANGES: Final[tuple[Change, ...]] = get_args(Change)
_PACKAGE: Final = "package "
_VARIABLE: Final = "variable "
_OTHER: Final = "environment.other"
_FIELDS: Final = (
    *(_VARIABLE, "torch", "BLAS", "OpenMP", "numpy", "GPU", "CUDA", "CPU features", "CPU", "Python", "C library"),
    *("platform", "subnormal", "assert", "text encoding", "locale", "time zone", ""),
)
"""Beginnings of names: what is set on purpose and what multiplies matrices comes first."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """One thing that differs; texts are what people read of it, and empty where there is nothing to read."""

    source: Source
    change: Change
    name: str
    """The whole path, as `train.fit_head`, `data/train.csv['age']`, `scikit-learn`, `OMP_NUM_THREADS`."""
    old: str
    new: str
    """The texts of both sides; the old and the new name of something that was renamed."""
    root: str
    """The function, file, package or field that it is or belongs to."""
    reached: bool = True
    """For a package: whether the test's own code imports it."""
    weak: bool = False
    """Counts only if nothing else differs: the same content under another name, a library that only one of the runs had
    loaded. Such things come along with other results and rarely make them."""

    @property
    def rank(self) -> tuple[int, bool, int, int, str, str]:
        """Where it stands: by source, then by what the code reaches, then changed before added before removed."""
        inner = next(at for at, start in enumerate(_FIELDS) if self.root.startswith(start))
        field = inner if self.source == "environment" else 0
        return (_SOURCES.index(self.source), not self.reached, field, _CHANGES.index(self.change), self.root, self.name)


def suspects(old: Provenance, new: Provenance) -> list[Suspect]:
    """Return everything that changed, appeared or vanished and can change numbers, the likeliest cause first.

    Of the environment only fields of kind `environment.numeric` count. A package that both code and environment name is
    one suspect. An area that one side doesn't know gives none: `conclusion` says that it is unknown. What is `weak` is
    returned only if nothing else differs. `suspects(p, p)` is [].
    """
    found = sorted(_all(old, new), key=lambda suspect: suspect.rank)
    return [suspect for suspect in found if not suspect.weak] or found


def _all(old: Provenance, new: Provenance) -> Iterator[Suspect]:
    packages: dict[str, Suspect] = {}
    for suspect in (*_of_code(old.code, new.code), *_of_environment(old.environment, new.environment)):
        if suspect.source != "package":
            yield suspect
        else:
            key = normal(suspect.name)
            known = packages.get(key)
            if known is None or (known.weak and not suspect.weak):
                packages[key] = suspect if known is None else replace(suspect, reached=known.reached)
    yield from packages.values()
    yield from _of_files("data", old.data, new.data)
    yield from _of_files("artifacts", old.artifacts, new.artifacts)


def _of_files(source: Source, old: Fingerprint | None, new: Fingerprint | None) -> Iterator[Suspect]:
    if old is None or new is None or old.digest == new.digest:
        return
    cut = _is_cut(old) or _is_cut(new)
    found = [] if cut else list(_of_parts(source, _causes(old), _causes(new), ": "))
    if found or (not cut and any(part.kind == WRITTEN for side in (old, new) for _, part in side.parts)):
        yield from found  # what was written is part of the whole, and an effect
    else:
        yield Suspect(source, "changed", f"something in {source}", old.text, new.text, source)


def _causes(area: Fingerprint) -> dict[Key, Fingerprint]:
    """Return the parts of an area without what the test itself wrote, which is an effect."""
    return {key: part for key, part in numbered(area).items() if part.kind != WRITTEN}


def _of_code(old: Fingerprint | None, new: Fingerprint | None) -> Iterator[Suspect]:
    if old is None or new is None or old.digest == new.digest:
        return
    before, after = numbered(old), numbered(new)
    found: list[Suspect] = []
    if not (_is_cut(old) or _is_cut(new)):
        found += _of_parts("code", _of_kind(before, None), _of_kind(after, None), ".")
        found += _of_packages(_of_kind(before, "package"), _of_kind(after, "package"), reached=True)
        found += _that_ran(_of_kind(before, "ran"), _of_kind(after, "ran"), {name for name, _ in (*before, *after)})
        if _of_kind(before, "ran") or _of_kind(after, "ran"):
            yield from found  # what ran is part of the whole, and may be told already or known on one side only
            return
    yield from found or [Suspect("code", "changed", "something in the code", old.text, new.text, "code")]


def _of_kind(parts: dict[Key, Fingerprint], kind: str | None) -> dict[Key, Fingerprint]:
    """Return the parts of a kind; with None, those of the project's own code."""
    special = ("package", "ran")
    return {key: part for key, part in parts.items() if (part.kind == kind if kind else part.kind not in special)}


def _that_ran(old: dict[Key, Fingerprint], new: dict[Key, Fingerprint], known: set[str]) -> Iterator[Suspect]:
    """What was seen to run on both sides and isn't told already as reached.

    What ran on one side only tells nothing: it depends on the version of Python, on caches and on the tests before.
    """
    if len(old) != 1 or len(new) != 1:
        return
    (seen,), (sees,) = old.values(), new.values()
    before, after = numbered(seen), numbered(sees)
    both = [key for key in before if key in after and key[0] not in known]
    yield from _of_parts("code", {key: before[key] for key in both}, {key: after[key] for key in both}, ".")


def _of_environment(old: Fingerprint | None, new: Fingerprint | None) -> Iterator[Suspect]:
    if old is None or new is None or old.digest == new.digest:
        return
    before, after = _numeric(old), _numeric(new)
    yield from _of_packages(_named(before, _PACKAGE), _named(after, _PACKAGE), reached=False)
    for key in sorted({*before, *after}):
        one, two = before.get(key), after.get(key)
        if key[0].startswith(_PACKAGE) or (one and two and one.digest == two.digest):
            continue
        name = key[0].removeprefix(_VARIABLE)
        absent = NOT_SET if name != key[0] else ""
        change: Change = "changed" if (one and two) or absent else "added" if two else "removed"
        texts = (one.text if one else absent, two.text if two else absent)
        yield Suspect("environment", change, name, *texts, key[0], weak=change != "changed")


def _numeric(environment: Fingerprint) -> dict[Key, Fingerprint]:
    return {key: part for key, part in numbered(environment).items() if part.kind != _OTHER}


def _named(parts: dict[Key, Fingerprint], start: str) -> dict[Key, Fingerprint]:
    return {key: part for key, part in parts.items() if key[0].startswith(start)}


def _of_packages(before: dict[Key, Fingerprint], after: dict[Key, Fingerprint], *, reached: bool) -> Iterator[Suspect]:
    """Packages that the environment has on one side only were not loaded on the other, which is weak."""
    for key in {**before, **after}:
        one, two = before.get(key), after.get(key)
        if one and two and one.digest == two.digest:
            continue
        name = key[0].removeprefix(_PACKAGE)
        change: Change = "changed" if one and two else "added" if two else "removed"
        texts = (one.text if one else "", two.text if two else "")
        yield Suspect("package", change, name, *texts, name, reached, weak=not reached and change != "changed")


def _of_parts(
    source: Source, before: dict[Key, Fingerprint], after: dict[Key, Fingerprint], joint: str
) -> Iterator[Suspect]:
    """Each difference of the parts of an area and below; a whole part under another name is weak."""
    for key, part in before.items():
        if key in after:
            for difference in differences(part, after[key], key[0], joint):
                yield _suspect(source, difference, key[0])
    for difference in one_sided(before, after, "", joint):
        suspect = _suspect(source, difference, difference.path)
        yield replace(suspect, weak=difference.change == "renamed")


def _suspect(source: Source, difference: Difference, root: str) -> Suspect:
    d = difference
    if d.change == "renamed":
        return Suspect(source, d.change, d.path, d.before, d.path, root, weak=d.is_file)
    return Suspect(source, d.change, d.path, d.old.text if d.old else "", d.new.text if d.new else "", root)


def _is_cut(area: Fingerprint) -> bool:
    """Tell whether the parts of an area were too many to be kept."""
    return not area.parts and bool(area.text)
