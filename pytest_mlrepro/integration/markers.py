"""The marker `repro`, read into a frozen plan; a wrong argument is named, with the nearest right one."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, get_args

import pytest

from ..errors import UsageError

if TYPE_CHECKING:
    from ..determinism.vary import Variation

__all__ = ["ADVERSARIAL", "REPRO", "Entropy", "Plan", "plan"]

REPRO = (
    'repro(seed=0, *, reruns=1, vary=(), entropy="seed", deterministic=True, data=(), artifacts=(), code=()): seed every '
    "random source for this test; reruns says how often it runs, its values the same each time, and vary what is different "
    "in a further run (threads, folders, order, process, hashseed, malloc, isa); "
    'entropy says what generators without a seed do ("seed", "forbid" or "allow"), deterministic turns '
    "torch's deterministic algorithms on; data, artifacts and code name what the result is made from beside what is "
    "noticed by itself: files, folders, patterns or values, and functions, classes or modules"
)
ADVERSARIAL = (
    'adversarial(threat, *more, min_accuracy, confidence=None, attacks="auto", model="model", inputs="inputs", '
    'labels="labels", baseline=False, max_drop=0, ...): before the body of the test, attack the model that the named '
    "fixtures or arguments give, under each threat (Linf, L2, L1, L0), and fail if it falls; the other arguments are those "
    "of assert_robust"
)
KNOWN = ("seed", "reruns", "vary", "entropy", "deterministic", "data", "artifacts", "code")
Entropy = Literal["seed", "forbid", "allow"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How one test is seeded, and what it is held against."""

    seed: int
    entropy: Entropy = "seed"
    deterministic: bool = True
    data: tuple[object, ...] = ()
    artifacts: tuple[object, ...] = ()
    code: tuple[object, ...] = ()
    reruns: int = 1
    vary: tuple[Variation, ...] = ()


def plan(mark: pytest.Mark | None, default_seed: int) -> Plan:
    """Return the plan of a test with this marker (None: no marker, all by default); raise UsageError for a wrong one."""
    if mark is None:
        return Plan(default_seed)
    if len(mark.args) > 1:
        raise UsageError(f"@pytest.mark.repro takes one positional argument, seed, got {mark.args!r}")
    if mark.args and "seed" in mark.kwargs:
        raise UsageError("@pytest.mark.repro: seed is given twice")
    given: dict[str, Any] = dict(mark.kwargs, **({"seed": mark.args[0]} if mark.args else {}))
    for name in given.keys() - set(KNOWN):
        raise UsageError(_unknown(name))
    return Plan(
        _seed(given.get("seed", default_seed)),
        _entropy(given.get("entropy", "seed")),
        _deterministic(given.get("deterministic", True)),
        _declared(given.get("data", ())),
        _declared(given.get("artifacts", ())),
        _code(given.get("code", ())),
        _reruns(given.get("reruns", 1)),
        _vary(given.get("vary", ())),
    )


def _unknown(name: str) -> str:
    near = _nearest(name, KNOWN)
    hint = f"did you mean {near}?" if near else f"it has {', '.join(KNOWN)}"
    return f"@pytest.mark.repro has no argument {name!r}: {hint}"


def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    import difflib  # only a mistake needs it, and every start of pytest would pay for it

    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.4)), None)


def _seed(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"@pytest.mark.repro: seed must be a whole number, 0 or more, got {value!r}")
    return value


def _entropy(value: Any) -> Entropy:
    if value not in get_args(Entropy):
        near = _nearest(str(value), get_args(Entropy))
        hint = f"; did you mean {near!r}?" if near else ""
        raise UsageError(f"@pytest.mark.repro: entropy must be 'seed', 'forbid' or 'allow', got {value!r}{hint}")
    return value  # type: ignore[no-any-return]  # one of the three, as was just checked


def _declared(value: object) -> tuple[object, ...]:
    """Return what was declared, one thing or several; a table or an array is one thing."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def _code(value: object) -> tuple[object, ...]:
    declared = _declared(value)
    for item in declared:
        if not callable(item) and not isinstance(item, ModuleType):
            raise UsageError(
                f"@pytest.mark.repro: code must be functions, classes or modules, got {item!r}; import it and pass it itself"
            )
    return declared


def _deterministic(value: object) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"@pytest.mark.repro: deterministic must be True or False, got {value!r}")
    return value


def _reruns(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"@pytest.mark.repro: reruns must be a whole number, 1 or more, got {value!r}")
    return value


def _vary(value: object) -> tuple[Variation, ...]:
    if isinstance(value, tuple) and not value:
        return ()
    from ..determinism.vary import valid  # brings numpy, which a run without variations never loads

    return valid(value, "@pytest.mark.repro")
