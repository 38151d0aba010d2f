"""The order of things: clean samples, exact answers, cheap attacks over all, dear ones block by block, and the doubts last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from .attacks.base import Attack
from .attacks.descent import Descent
from .attacks.noise import Noise
from .attacks.rays import Rays
from .attacks.square import Square
from .corrupted import Corrupted
from .decide import Decision, OfPopulation, Rule
from .models import Meter
from .run import ALIVE, PROVED, SURVIVED, WRONG, Ids, Run
from .signs import MANY_STAND, Sign, far, zero_gradients
from .threats import Ball

__all__ = ["CHECKED", "carry_out", "early_signs"]

CHECKED = 64
"""On how many samples the signs of a misled attack are looked for; they are the first of the random order."""
_CHEAP = 12
"""Evaluations per sample up to which an attack is run over all samples before any dearer one."""
_DOUBTS = (Noise(50), Square(300), Rays(100))
_ON = {"noise": 64, "score": 32, "decision": 8}
"""On how many of the checked samples each is tried: so few that a check costs less than a tenth of a run over a thousand."""


def early_signs(run: Run) -> list[Sign]:
    """Look for vanishing gradients before anything is spent: on the checked samples, two passes each."""
    meter = Meter(run.model)
    ids = _checked(run)
    if meter.network is None or not len(ids) or not isinstance(run.ball, Ball):
        return []  # tables and corruptions are searched without gradients
    sign = zero_gradients(meter, run.batch.take(ids))
    run.evaluations += meter.evaluations
    run.gradients += meter.gradients
    return [] if sign is None else [sign]


def _checked(run: Run) -> Ids:
    return run.alive(run.order)[:CHECKED]


def carry_out(
    run: Run, plan: Sequence[Attack], rule: Rule, *, complete: bool = False
) -> tuple[Decision | None, list[Sign]]:
    """Attack until the decision can't change, or everything is done; return it with the signs against a pass.

    The decision is that of a run of everything (`complete`): a sample's result depends on itself alone, and both rules
    decide only what no further result can undo. The signs are looked for on the same samples however early a run ends.
    """
    decided = _never if complete else rule.decided
    if (decision := decided(run)) is not None:
        return decision, []  # by proofs and counterexamples of an exact method alone
    checked = _checked(run)
    sampling = isinstance(rule, OfPopulation)
    if not sampling:
        for attack in (attack for attack in plan if attack.cost <= _CHEAP):
            if _over_all(run, attack, decided) == "failed":
                return "failed", []
        plan = [attack for attack in plan if attack.cost > _CHEAP]
    signs: list[Sign] | None = None
    order = run.order if sampling else run.alive(run.order)
    for first in range(0, len(order), rule.block):
        _through(run, plan, order[first : first + rule.block], _never if sampling else decided)
        finished = sampling or not (run.state[checked] == ALIVE).any()
        if decided(run) == "passed" and finished and signs is None:
            signs = _doubts(run, checked)
        decision = decided(run)
        if decision == "failed" or (decision == "passed" and signs is not None):
            return decision, signs or []
    if signs is None:
        signs = _doubts(run, checked)
    return rule.decided(run), signs


_Decided: TypeAlias = Callable[[Run], Decision | None]


def _never(run: Run) -> None:
    """Decide nothing before the end."""


def _over_all(run: Run, attack: Attack, decided: _Decided) -> Decision | None:
    ids = run.alive(run.order)
    for first in range(0, len(ids), run.wave):
        run.attack(attack, ids[first : first + run.wave])
        run.progress(attack, min(first + run.wave, len(ids)), len(ids))
        if decided(run) == "failed":
            return "failed"
    return decided(run)


def _through(run: Run, plan: Sequence[Attack], block: Ids, decided: _Decided) -> None:
    """Put the samples of a block through the attacks, cheapest first; what is left has survived."""
    for attack in plan:
        ids = run.alive(block)
        run.attack(attack, ids)
        done = run.stages[attack.label].tried if attack.label in run.stages else 0
        run.progress(attack, done, done + run.count(ALIVE) - int((run.state[block] == ALIVE).sum()))
        if decided(run) == "failed":
            return
    # what was drawn is all that there is to a corruption: nothing is left open
    run.state[run.alive(block)] = PROVED if isinstance(run.ball, Corrupted) else SURVIVED


def _doubts(run: Run, checked: Ids) -> list[Sign]:
    """Attack survivors in ways that nothing can mislead, and the checked ones where nothing can stand."""
    signs = _failures(run)
    ball = run.ball
    if Meter(run.model).network is None or not isinstance(ball, Ball):
        return signs
    for attack in _DOUBTS:
        if attack.kind != "noise" and ball.norm == "l0":
            continue  # of few elements no gradient tells which: to be beaten there is no sign
        ids = checked[run.state[checked] == SURVIVED][: _ON[attack.kind]]
        broke = run.attack(attack, ids, rows=_ON[attack.kind])
        if broke >= max(2, 0.05 * len(ids)):
            signs.append(_beaten(attack, broke, len(ids)))
    sign = _stands_far(run, ball, checked)
    return signs if sign is None else [*signs, sign]


def _beaten(attack: Attack, broke: int, of: int) -> Sign:
    noise = attack.kind == "noise"
    return Sign(
        "noise beats the attack" if noise else "black box beats white box",
        f"{attack.label} broke {broke} of {of} samples that every attack before had left standing"
        + ("" if noise else ", without any gradient"),
    )


def _stands_far(run: Run, own: Ball, checked: Ids) -> Sign | None:
    targets = run.batch.goal.targets
    ids = checked[:32]
    if targets is None or len(ids) < 8:
        return None
    right = run.order[run.state[run.order] != WRONG]
    ball = far(own, run.batch.x[right], targets[right], run.batch.x[ids], targets[ids])
    if ball is None:
        return None
    attack = Descent(30)
    broke = run.attack(attack, ids, rows=len(ids), ball=ball)
    if len(ids) - broke <= MANY_STAND * len(ids):
        return None
    return Sign(
        "robust at a large epsilon",
        f"{len(ids) - broke} of {len(ids)} samples stand under gradient steps in {ball}, in which each of them has an input "
        "of another class: no model is that robust, so the gradients mislead",
    )


def _failures(run: Run) -> list[Sign]:
    """Return a sign for each attack that failed on half of its samples or more: what did not run can't have passed them."""
    return [
        Sign("attack failed", f"{stage.attack} could not run on {stage.errors} of {stage.tried} samples: {stage.error}")
        for stage in run.stages.values()
        if stage.errors and 2 * stage.errors >= stage.tried
    ]
