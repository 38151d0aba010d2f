"""Which attacks are run, in which order: chosen by measurement (benchmarks/robustness.py), cheapest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, cast

from ...errors import UsageError
from ..threats import Norm
from .base import Attack
from .descent import Descent
from .from_foolbox import attack_of_foolbox, foolbox
from .noise import Noise
from .rays import Rays
from .square import Square
from .table import Cells, Chance, Steps

__all__ = ["Strength", "planned"]

Strength: TypeAlias = Literal["fast", "auto", "strong"]

_MINIMUM_NORM = {"linf": "LInfFMNAttack", "l2": "DDNAttack", "l1": "L1FMNAttack", "l0": "L0FMNAttack"}


def planned(
    attacks: object, *, norm: Norm | Literal["table"], gradients: bool, scores: bool, columns: int, regression: bool
) -> tuple[Attack, ...]:
    """Return the attacks for one of the words, or for a list of foolbox attacks (instances or names) and our own.

    `columns` is the number of classes, or of outputs of a regression.

    Raises:
        UsageError: another word, an empty list, or an attack that doesn't fit the norm or the model.
    """
    if norm == "table":
        return _for_tables(attacks, scores=scores)
    if isinstance(attacks, str):
        if attacks not in ("fast", "auto", "strong"):
            raise UsageError(f"attacks: 'fast', 'auto', 'strong' or a list of attacks is expected, got {attacks!r}")
        strength = cast(Strength, attacks)
        if gradients:
            return _for_gradients(strength, norm, columns, regression)
        return _for_scores(strength, norm) if scores else _for_decisions(strength, norm)
    if not isinstance(attacks, Sequence) or not attacks:
        raise UsageError(
            f"attacks: 'fast', 'auto', 'strong' or a list of at least one attack is expected, got {attacks!r}"
        )
    given = tuple(_one(attack, norm) for attack in attacks)
    for attack in given:
        if isinstance(attack, Descent) and not gradients:
            raise UsageError(f"attacks: {attack.label} needs gradients, and this model gives none")
    return given


def _for_tables(attacks: object, *, scores: bool) -> tuple[Attack, ...]:
    if attacks not in ("fast", "auto", "strong"):
        raise UsageError(f"attacks: 'fast', 'auto' or 'strong' is expected for a table, got {attacks!r}")
    strength: Strength = attacks
    draws = {"fast": 50, "auto": 200, "strong": 2000}[strength]
    greedy: dict[Strength, tuple[Attack, ...]] = {
        "fast": (), "auto": (Steps(), Steps(between=2)), "strong": (Steps(), Steps(between=3, starts=4)),
    }  # fmt: skip
    # labels say nothing of which move is nearer to another one: chance does more
    return (Cells(), *greedy[strength], Chance(draws)) if scores else (Cells(), Chance(5 * draws), *greedy[strength])


def _one(attack: Any, norm: Norm) -> Attack:
    return attack if isinstance(attack, Descent | Noise | Rays | Square) else attack_of_foolbox(attack, norm)


def _for_gradients(strength: Strength, norm: Norm, columns: int, regression: bool) -> tuple[Attack, ...]:
    if regression:
        return _for_regression(strength, columns)
    targets = range(2 if strength == "auto" else 1, min(columns, {"fast": 1, "auto": 4, "strong": 10}[strength]))
    first: tuple[Attack, ...] = (Descent(1), Descent(10))
    if strength == "fast":
        return (*first, Descent(30, start=1))
    if strength == "auto":
        return (
            *first,
            Descent(50, "cross-entropy", start=2),
            *((attack_of_foolbox(_MINIMUM_NORM[norm], norm),) if norm in ("l1", "l0") else ()),
            *(Descent(40, "target", number, start=2 + number) for number in targets[:1]),
            Descent(20, start=1),
            *(Descent(40, "target", number, start=2 + number) for number in targets[1:]),
            *((Square(1000),) if norm == "l0" else ()),  # chance finds what no gradient points at
        )
    foolbox()  # missing: said before anything is spent
    return (
        *first,
        *(Descent(100, loss, start=number) for number in range(1, 4) for loss in ("margin", "cross-entropy")),
        *(Descent(100, "target", number, start=10 + number) for number in targets),
        attack_of_foolbox(_MINIMUM_NORM[norm], norm),
        Square(2000),
    )


def _for_regression(strength: Strength, outputs: int) -> tuple[Attack, ...]:
    steps = {"fast": 10, "auto": 30, "strong": 100}[strength]
    ways = range(1, 2 * min(outputs, 5) + 1)
    aimed = tuple(Descent(steps, "target", number) for number in ways)
    again = tuple(Descent(steps, start=number) for number in range(1, {"fast": 1, "auto": 3, "strong": 6}[strength]))
    extra = (Square(1000),) if strength == "strong" else ()
    return (Descent(1, "target", 1), Descent(1, "target", 2), *aimed, *again, *extra)


def _for_scores(strength: Strength, norm: Norm) -> tuple[Attack, ...]:
    queries = {"fast": 200, "auto": 1000, "strong": 5000}[strength]
    decisions = () if norm == "l0" or strength == "fast" else (Rays(queries // 5),)
    return (Noise(10), Square(50), Square(queries), *decisions)


def _for_decisions(strength: Strength, norm: Norm) -> tuple[Attack, ...]:
    turns = {"fast": 100, "auto": 400, "strong": 2000}[strength]
    return (Noise(20), Noise(2 * turns)) if norm == "l0" else (Noise(20), Rays(turns))
