"""How two runs of the same code are held against each other where the check has a rule of its own in place of tolerances."""

from __future__ import annotations

from .._json import Json
from ..compare.envelope import not_numeric
from ..compare.explain import explain
from ..compare.walk import compare
from ..values.node import Node
from .alike import Alike
from .calibrated import PENDING
from .record import CONTRACT, DRIFT, EXACT, RATCHET, RATE

__all__ = ["apart_by_rule", "has_rule"]


def has_rule(allowed: Json) -> bool:
    """Tell whether what a check allows is something else than tolerances."""
    return bool(allowed) and (not allowed.keys().isdisjoint((RATE, DRIFT, RATCHET, CONTRACT)) or allowed == PENDING)


def apart_by_rule(allowed: Json, first: Node, second: Node) -> str:
    """Return in words how two runs part; "" if they don't.

    A profile, and what is tested against it, may not differ at all. Values over seeds may differ in bits and not in
    distribution: each value may come from kernels that aren't exact. Values that calibrate a tolerance may differ in finite floats.
    """
    if RATE in allowed:
        return Alike(allowed[RATE], others=0).parted(first, second)
    if not allowed.keys().isdisjoint((DRIFT, RATCHET, CONTRACT)):
        found = compare(first, second, EXACT)
        return "" if found.ok else explain(found)
    trouble = not_numeric(first, second)
    return f"{trouble}\nNo tolerance can be calibrated for that: only finite floats have one." if trouble else ""
