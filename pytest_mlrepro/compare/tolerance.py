"""How much may differ: what a person asks for, what it means for a dtype, and whether it is looser than before."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, Final

from ..errors import GoldenError, UsageError

__all__ = [
    "CALIBRATED",
    "Limits",
    "Tolerance",
    "Tolerances",
    "from_json",
    "limits_for",
    "loosened",
    "origin_text",
    "tighter",
    "to_json",
    "tolerances",
]

DEFAULT_RTOL: Mapping[str, float] = {
    "float16": 1e-3,
    "bfloat16": 1.6e-2,
    "float32": 1.3e-6,
    "float64": 1e-7,
    "complex32": 1e-3,
    "complex64": 1.3e-6,
    "complex128": 1e-7,
}
"""As in `torch.testing`. A step of a float8 is an eighth of the value or more, so float8 has none and is exact."""

SHOWN = 3
CALIBRATED = "calibrated"
"""Under this name lies, beside a recorded tolerance, what it was calibrated from."""
MAGIC = re.compile(r"[*?[]")
FLOATS = ("float", "bfloat", "complex")
INTEGERS = ("int", "uint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far an actual value may be from the expected one (the golden).

    Args:
        rtol: relative to the magnitude of the *expected* value; given together with `atol`.
        atol: absolute, in the unit of the value. An element is within when
            `|actual - expected| <= atol + rtol * |expected|`, computed in float64 (complex: with moduli).
        max_ulp: steps between neighbouring numbers of the dtype; floats and complex only (both parts). Alone, nothing
            else counts; with `rtol` and `atol`, an element is within when either holds.
        max_mismatch_fraction: share of an array's elements that may be outside, in [0, 1). Never excuses a scalar, or a
            NaN, infinity or null that stands on one side only.

    With nothing given the default of the dtype counts: `rtol` as in `torch.testing`, `atol` 0; float8, integers,
    booleans, strings, bytes, times and categories are exact. `rtol` and `atol` also count for integers, never for
    booleans, strings and times. NaN equals NaN, an infinity equals itself. At zero tolerance (`rtol` and `atol` 0, or
    `max_ulp` 0) -0.0 differs from 0.0.

    Raises:
        UsageError: an argument is negative, NaN, infinite, of another type, or one of `rtol` and `atol` is missing.
    """

    rtol: float | None = None
    atol: float | None = None
    max_ulp: int | None = None
    max_mismatch_fraction: float = 0.0

    def __post_init__(self) -> None:
        if (self.rtol is None) != (self.atol is None):
            given, missing = ("rtol", "atol") if self.atol is None else ("atol", "rtol")
            raise UsageError(f"{given}={getattr(self, given)!r} came without {missing}: give both, {missing}=0 if none")
        for name in ("rtol", "atol", "max_mismatch_fraction"):
            object.__setattr__(self, name, _real(name, getattr(self, name)))
        object.__setattr__(self, "max_ulp", _count("max_ulp", self.max_ulp))
        if not 0 <= self.max_mismatch_fraction < 1:
            raise UsageError(
                f"max_mismatch_fraction={self.max_mismatch_fraction!r}: a share of at least 0 and below 1 is expected"
            )


def _real(name: str, value: object) -> float | None:
    if value is None and name != "max_mismatch_fraction":
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise UsageError(f"{name}={value!r} is of type {type(value).__name__}: a number is expected")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not 0 <= number < math.inf:
        raise UsageError(f"{name}={value!r}: a finite number that is not negative is expected")
    return abs(number)


def _count(name: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise UsageError(f"{name}={value!r} is of type {type(value).__name__}: a whole number is expected")
    if value < 0:
        raise UsageError(f"{name}={value!r}: a whole number that is not negative is expected")
    return int(value)


@dataclass(frozen=True, slots=True)
class Tolerances:
    """What a check allows: one tolerance for all leaves, and others for the paths that a glob matches.

    A glob is matched, case-sensitively, against the dotted path of a leaf (`layers.0.weight`) and of every group around
    it (`layers.0`, `layers`). `*` stands for any characters, dots too; `?` for one; `[ab]` for one of these; `[*]` for
    a star. If several match, the one with the most literal characters counts, then the first in the alphabet.
    """

    plain: Tolerance = Tolerance()
    globs: tuple[tuple[str, Tolerance], ...] = ()
    within: Tolerances | None = None
    """What must not be exceeded; where this one would allow more, `within` counts (see `tighter`)."""
    origin: str = ""
    """What it was calibrated from, in words; "" for a tolerance that a person gave."""

    def at(self, path: str) -> Tolerance:
        """Return the tolerance of the leaf at the dotted `path`."""
        return next((tolerance for glob, tolerance in self.globs if matches(glob, path)), self.plain)

    @property
    def uniform(self) -> bool:
        """True when the path of a leaf makes no difference."""
        return not self.globs and (self.within is None or self.within.uniform)

    def limits(self, path: str, dtype: str) -> Limits:
        """Return what is allowed for a leaf of canonical `dtype` (or kind of scalar) at `path`."""
        asked = limits_for(self.at(path), dtype)
        if self.origin:
            asked = replace(asked, origin=self.origin)
        if self.within is None:
            return asked
        outer = self.within.limits(path, dtype)
        return outer if any(True for _ in _looser(outer, asked)) else asked


def matches(glob: str, path: str) -> bool:
    """Tell whether the glob matches the path or that of a group around it."""
    if not MAGIC.search(glob):  # as those of a calibrated tolerance, one for each leaf
        return path == glob or path.startswith(f"{glob}.")
    while not fnmatchcase(path, glob):
        path, dot, _ = path.rpartition(".")
        if not dot:
            return False
    return True


_DEFAULT: Final = Tolerances()


def tolerances(
    *,
    rtol: float | None = None,
    atol: float | None = None,
    max_ulp: int | None = None,
    tolerance: Tolerance | Mapping[str, Tolerance] | None = None,
) -> Tolerances:
    """Return the arguments of a check in one form; raise UsageError for what can't be right."""
    if tolerance is None and rtol is None and atol is None and max_ulp is None:
        return _DEFAULT
    if tolerance is None:
        return Tolerances(Tolerance(rtol=rtol, atol=atol, max_ulp=max_ulp))
    also = [name for name, value in (("rtol", rtol), ("atol", atol), ("max_ulp", max_ulp)) if value is not None]
    if also:
        raise UsageError(f"{' and '.join(also)} came together with tolerance=: give one or the other")
    if isinstance(tolerance, Tolerance):
        return Tolerances(tolerance)
    if not isinstance(tolerance, Mapping):
        raise UsageError(
            f"tolerance={tolerance!r} is of type {type(tolerance).__name__}: a Tolerance, or a mapping of globs over "
            "paths to Tolerance, is expected"
        )
    return Tolerances(globs=tuple(sorted(map(_glob, tolerance.items()), key=_specific)))


def _glob(item: tuple[Any, Any]) -> tuple[str, Tolerance]:
    glob, tolerance = item
    if not isinstance(glob, str):
        raise UsageError(f"tolerance has the key {glob!r} of type {type(glob).__name__}: a glob over paths is expected")
    if not isinstance(tolerance, Tolerance):
        raise UsageError(
            f"tolerance[{glob!r}]={tolerance!r} is of type {type(tolerance).__name__}: a Tolerance is expected"
        )
    return glob, tolerance


def _specific(item: tuple[str, Tolerance]) -> tuple[int, str]:
    return -sum(letter not in "*?[]" for letter in item[0]), item[0]


def require_used(asked: Tolerances, paths: Iterable[str]) -> None:
    """Raise UsageError for a glob that matches none of the paths of leaves, with the nearest path."""
    if not asked.globs:
        return
    known = list(paths)
    for glob, _ in asked.globs:
        if not any(matches(glob, path) for path in known):
            near = get_close_matches(glob, known, 1) or known[:1]
            hint = f"; a path here is {near[0]!r}" if near and near[0] else "; the value has no named part"
            raise UsageError(f"tolerance has the glob {glob!r}, which matches no path of the value{hint}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tolerance means for one dtype. `rtol` and `atol` are None when only ulp count."""

    rtol: float | None = 0.0
    atol: float | None = 0.0
    max_ulp: int | None = None
    fraction: float = 0.0
    default: bool = False
    """True when `rtol` is the default of the dtype, which nobody asked for."""
    origin: str = ""
    """What it was calibrated from, in words."""

    @property
    def exact(self) -> bool:
        """True when nothing may differ, not even the sign of a zero."""
        return not self.rtol and not self.atol and not self.max_ulp


def limits_for(tolerance: Tolerance, dtype: str) -> Limits:
    """Return what `tolerance` allows for a canonical dtype, or the kind of a scalar."""
    fraction = tolerance.max_mismatch_fraction
    name = {"float": "float64", "complex": "complex128"}.get(dtype, dtype)
    is_float = name.startswith(FLOATS)
    if not is_float and name.rstrip("0123456789") not in INTEGERS:
        return Limits(fraction=fraction)
    if tolerance.rtol is not None:
        return Limits(tolerance.rtol, tolerance.atol, tolerance.max_ulp if is_float else None, fraction)
    if not is_float:
        return Limits(fraction=fraction)
    if tolerance.max_ulp is not None:
        return Limits(None, None, tolerance.max_ulp, fraction)
    rtol = DEFAULT_RTOL.get(name, 0.0)
    return Limits(rtol, 0.0, None, fraction, default=rtol > 0)


def loosened(recorded: Tolerances, asked: Tolerances, leaves: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return sentences on what `asked` allows for these leaves (dotted path and dtype) and `recorded` did not.

    Empty when it is equal or only tighter. Leaves for which the same is true share a sentence.
    """
    found: dict[str, list[str]] = {}
    for path, dtype in dict.fromkeys(leaves):
        for sentence in _looser(limits_for(recorded.at(path), dtype), limits_for(asked.at(path), dtype)):
            found.setdefault(sentence, []).append(path)
    return tuple(f"{sentence}{_at(paths)}" for sentence, paths in found.items())


def _at(paths: list[str]) -> str:
    named = [path for path in paths if path]
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return f", at {', '.join(named[:SHOWN])}{more}" if named else ""


def _looser(old: Limits, new: Limits) -> Iterator[str]:
    mark = " (default)"
    for name in ("rtol", "atol"):
        before, now = getattr(old, name) or 0.0, getattr(new, name) or 0.0
        if now > before:
            was = f"was {before!r}{mark if old.default and name == 'rtol' else ''}"
            yield f"{name} is {now!r}{mark if new.default and name == 'rtol' else ''}, {was}"
    if (new.max_ulp or 0) > (old.max_ulp or 0):
        yield f"max_ulp is {new.max_ulp}, was {old.max_ulp or 'none'}"
    if new.fraction > old.fraction:
        yield f"max_mismatch_fraction is {new.fraction!r}, was {old.fraction!r}"


def tighter(recorded: Tolerances, asked: Tolerances) -> Tolerances:
    """Return tolerances that are `asked` wherever that allows no more than `recorded`, else `recorded`."""
    return Tolerances(asked.plain, asked.globs, recorded, asked.origin)


def to_json(tolerances: Tolerances) -> dict[str, Any]:
    """Return plain data with only what was given: `{"rtol": …, "globs": {glob: {…}}}`."""
    data: dict[str, Any] = _fields(tolerances.plain)
    if tolerances.globs:
        data["globs"] = {glob: _fields(tolerance) for glob, tolerance in tolerances.globs}
    return data


def _fields(tolerance: Tolerance) -> dict[str, float]:
    blank = _DEFAULT.plain
    if tolerance == blank:
        return {}
    values = {field.name: getattr(tolerance, field.name) for field in fields(Tolerance)}
    return {name: value for name, value in values.items() if value != getattr(blank, name)}


def origin_text(origin: Mapping[str, Any]) -> str:
    """Return what a tolerance was calibrated from: how many runs, what they varied, how far they were apart, the factor."""
    runs = f"{origin['runs']} further run{'' if origin['runs'] == 1 else 's'}"
    seen = f"largest {origin['largest']}, factor {origin['factor']}" if origin["largest"] else "nothing varied"
    return f"calibrated from {runs} ({', '.join(origin['vary'])}): {seen}"


def from_json(data: Any) -> Tolerances:  # whatever stood in the file
    """Return what `to_json` was given; raise GoldenError for what it never wrote."""
    try:
        plain = {name: value for name, value in data.items() if name not in ("globs", CALIBRATED)}
        globs = {glob: Tolerance(**given) for glob, given in data.get("globs", {}).items()}
        origin = origin_text(data[CALIBRATED]) if data.get(CALIBRATED) else ""
        return Tolerances(Tolerance(**plain), tolerances(tolerance=globs).globs, origin=origin)
    except (UsageError, TypeError, AttributeError, KeyError) as error:
        raise GoldenError(f"a recorded tolerance can't be read: {data!r} ({error}); record the golden again") from None
