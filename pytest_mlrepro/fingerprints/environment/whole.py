"""All facts as one fingerprint, whose digest counts only what can change numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from ...values.node import Scalar
from ..combined import combined
from ..digest import Fingerprint
from ..values import fingerprint_node
from .facts import Fact
from .interpreter import interpreter_facts
from .machine import machine_facts
from .packages import package_facts, required_facts
from .pools import pool_facts
from .required import closure
from .torch_state import torch_facts
from .variables import variable_facts

__all__ = ["NUMERIC", "OTHER", "environment_of", "fingerprint_environment"]

KIND: Final = "environment"
NUMERIC: Final = "environment.numeric"
OTHER: Final = "environment.other"


def fingerprint_environment(packages: Collection[str] | None = None) -> Fingerprint:
    """Return the environment of this process as it is now; imports no library of numbers and never fails.

    packages: those that the code in question imports. Then these and what they require count, loaded or not, and no
    others, so that what other code of the process has imported leaves no trace; and facts that can't change results are
    left out. Without it, all packages that are loaded count.

    One part for each fact, named as in docs/provenance.md; its kind is `environment.numeric` if another value can change
    results, else `environment.other`. Parts of the second kind don't count in the digest of the whole. What a library
    can't tell is `unknown`. Facts that can't change in a process are kept; the others (threads, switches, variables)
    are asked anew. Where switches are set for the length of a test, ask outside of it.
    """
    plain = [fact for source in (machine_facts, interpreter_facts, variable_facts) for fact in source()]
    of_libraries = [*pool_facts(), *torch_facts()]
    if packages is None:
        return environment_of([*plain, *of_libraries, *package_facts()])
    names = closure(packages)
    kept = [fact for fact in of_libraries if fact.package is None or fact.package in names]
    return environment_of(fact for fact in (*plain, *kept, *required_facts(names)) if fact.numeric)


def environment_of(facts: Iterable[Fact]) -> Fingerprint:
    """Return the fingerprint of these facts, whose names differ, in the order of their names."""
    parts = tuple((fact.name, _part(fact)) for fact in sorted(facts, key=lambda fact: fact.name))
    counted = [(name, part) for name, part in parts if part.kind == NUMERIC]
    return Fingerprint(combined(KIND, counted).digest, KIND, parts)


def _part(fact: Fact) -> Fingerprint:
    scalar = Scalar(NUMERIC if fact.numeric else OTHER, fact.text if fact.value is None else fact.value)
    return Fingerprint(fingerprint_node(scalar).digest, scalar.kind, text=fact.text)
