"""What a recorded check allows, in words for a person."""

from __future__ import annotations

from collections.abc import Iterator

from .._json import Json
from ..compare.tolerance import CALIBRATED, origin_text
from .record import CONTRACT, DRIFT, RATCHET, RATE

__all__ = ["allowed_by_key", "allowed_text"]


def allowed_text(tolerance: Json) -> str:
    """Return in one line what a check allows, as `golden.json` holds it."""
    if RATE in tolerance:
        return f"distribution, {RATE}={tolerance[RATE]:g}"
    if RATCHET in tolerance:
        return f"baseline of robust accuracy, {RATCHET}={tolerance[RATCHET]:g}"
    if CONTRACT in tolerance:
        return "contract of a table"
    if DRIFT in tolerance:
        return f"profile for drift checks, {', '.join(f'{name}={value}' for name, value in sorted(tolerance[DRIFT].items()))}"
    if tolerance.get(CALIBRATED):
        return f"tolerance {origin_text(tolerance[CALIBRATED])}"
    facts = ", ".join(f"{name}={value}" for name, value in sorted(tolerance.items()))
    return f"tolerance {facts}" if facts else "default tolerance"


def allowed_by_key(tolerance: Json) -> Iterator[str]:
    """Yield a line for each key of a calibrated tolerance; nothing for another, which `allowed_text` tells whole."""
    if not tolerance.get(CALIBRATED):
        return
    globs = tolerance.get("globs", {})
    yield from (f"allowed at {glob}: {_numbers(given)}" for glob, given in globs.items())
    plain = {name: tolerance[name] for name in ("rtol", "atol") if name in tolerance}
    if plain.get("rtol") or plain.get("atol"):
        yield f"allowed: {_numbers(plain)}"
    elif globs:
        yield "allowed elsewhere: no difference at all, since nothing varied there"


def _numbers(given: Json) -> str:
    return f"atol {given['atol']:.3g} + rtol {given['rtol']:.3g} * |golden|"
