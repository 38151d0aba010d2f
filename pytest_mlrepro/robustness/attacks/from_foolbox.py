"""Attacks of foolbox, behind one small adapter: any instance or name of its 58 classes, on any model that has scores.

What foolbox draws comes from the global generators of torch and numpy, for a whole batch at once, and one sample's
failure ends a batch. So an attack that draws runs sample by sample, seeded by the sample, one thread at a time.
"""

from __future__ import annotations

import random
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from ..._lazy import loaded, require
from ...errors import UsageError
from ..inputs import Floats
from ..models import Meter
from ..threats import Ball
from .base import Batch, Kind

__all__ = ["FromFoolbox", "attack_of_foolbox", "foolbox"]

_WITHOUT_DRAWS = frozenset({"LInfFMNAttack", "L1FMNAttack", "L0FMNAttack", "DDNAttack"})
"""Classes that draw nothing and treat each sample of a batch by itself (tests hold it): these run in batches."""
_BROKEN = {"L2FMNAttack": "its projection divides a norm by itself, so that it hardly finds anything; use DDNAttack"}
_FREE_NORM = "FlexibleDistanceMinimizationAttack"

_ONE_AT_A_TIME = threading.Lock()


def foolbox() -> ModuleType:
    """Import foolbox, or say how to install it; what importing it warns of (scipy's deprecations) is not of this test."""
    if (library := loaded("foolbox")) is not None:
        return library  # threads must not touch the filters of warnings, which are the whole process's
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return require("foolbox", extra="adversarial")


def attack_of_foolbox(attack: Any, norm: str) -> FromFoolbox:
    """Return the adapter for an instance of a foolbox attack, or for the name of a class with its defaults.

    Raises:
        UsageError: foolbox has no such class, its attack measures another norm, or it is known not to work.
        MissingDependencyError: foolbox is not installed.
    """
    library = foolbox()
    if isinstance(attack, str):
        made = getattr(library.attacks, attack, None)
        if not isinstance(made, type) or not issubclass(made, library.attacks.base.Attack):
            raise UsageError(f"attacks: foolbox has no attack {attack!r}; its classes are listed in foolbox.attacks")
        free = any(base.__name__ == _FREE_NORM for base in made.__mro__)
        attack = made(**({"distance": getattr(library.distances, norm)} if free else {}))
    name = type(attack).__name__
    if name in _BROKEN:
        raise UsageError(f"attacks: {name} of foolbox is not used: {_BROKEN[name]}")
    p: Any = getattr(getattr(attack, "distance", None), "p", None)
    measured = {0: "l0", 1: "l1", 2: "l2", float("inf"): "linf"}.get(p, norm)
    if measured != norm:
        raise UsageError(f"attacks: {name} keeps its changes small in {measured}, and the threat is of {norm}")
    return FromFoolbox(attack)


@dataclass(frozen=True, slots=True, eq=False)
class FromFoolbox:
    """One foolbox attack."""

    attack: Any
    kind: ClassVar[Kind] = "given"

    @property
    def label(self) -> str:
        """Return `foolbox LinfPGD, 40 steps` and the like."""
        steps = getattr(self.attack, "steps", None)
        return f"foolbox {type(self.attack).__name__}" + (f", {steps} steps" if isinstance(steps, int) else "")

    @property
    def cost(self) -> int:
        """Return the attack's steps, or a guess where it has none."""
        steps = getattr(self.attack, "steps", 1)
        return steps + 2 if isinstance(steps, int) else 100

    @property
    def batched(self) -> bool:
        """Whether each sample of a batch gets what it would get alone."""
        return type(self.attack).__name__ in _WITHOUT_DRAWS

    def __call__(self, meter: Meter, batch: Batch, ball: Ball) -> Floats:
        """Return what the attack returns for each sample, and a sample itself where the attack gave up."""
        if batch.goal.targets is None:
            raise UsageError(f"attacks: {self.label} knows classes only, and this is a regression")
        if self.batched:
            return self._run(meter, batch, ball)
        found = batch.x.copy()
        _, firsts, same = np.unique(batch.keys, return_index=True, return_inverse=True)
        for row in firsts:  # a batch that is filled up repeats a sample
            try:
                with _seeded(int(batch.keys[row])):
                    found[row] = self._run(meter, batch.take(np.array([row])), ball)[0]
            except Exception as error:  # noqa: BLE001  # one sample's failure, of any kind, must not end the others
                meter.errors.append(f"{type(error).__name__}: {error}")
        return found[firsts[same]]

    def _run(self, meter: Meter, batch: Batch, ball: Ball) -> Floats:
        library = foolbox()
        network = meter.network
        x = batch.x if network is None else network.tensor(batch.x)
        labels = np.asarray(batch.goal.targets)
        if network is not None:
            labels = require("torch", extra="torch").as_tensor(labels, device=x.device)
        model, criterion = _model(library, meter, batch.x, ball), library.Misclassification(labels)
        with np.errstate(all="ignore"):
            if hasattr(self.attack, "run"):
                found = self.attack.run(model, x, criterion, **self._bound(ball))
            else:  # one that repeats another
                found = self.attack(model, x, criterion, epsilons=ball.epsilon)[1]
        return np.asarray(found if network is None else network.array(found)).astype(batch.x.dtype)

    def _bound(self, ball: Ball) -> dict[str, float]:
        fixed = foolbox().attacks.base.FixedEpsilonAttack
        return {"epsilon": ball.epsilon} if isinstance(self.attack, fixed) else {"early_stop": ball.epsilon}


def _model(library: Any, meter: Meter, x: Floats, ball: Ball) -> Any:
    """Return a foolbox model around the meter; without bounds it gets some that no point of the ball reaches."""
    ep: Any = require("eagerpy", extra="adversarial")
    reach = float(np.abs(x).max()) + 2 * ball.epsilon
    low, high = ball.bounds or (-reach, reach)

    class Metered(library.models.base.Model):  # type: ignore[misc]  # its base is known at run time only
        data_format = "channels_first"

        @property
        def bounds(self) -> Any:
            return library.types.Bounds(low, high)

        def __call__(self, inputs: Any) -> Any:
            x, restore = ep.astensor_(inputs)
            if meter.network is not None:
                return restore(ep.astensor(meter.tensor_scores(x.raw)))
            return restore(ep.from_numpy(x, meter.scores(x.numpy()).astype(x.numpy().dtype)))

    return Metered()


@contextmanager
def _seeded(key: int) -> Iterator[None]:
    """Seed the global generators that foolbox draws from, and put them back."""
    torch: Any = loaded("torch")
    with _ONE_AT_A_TIME:
        states = random.getstate(), np.random.get_state(), None if torch is None else torch.random.get_rng_state()
        random.seed(key)
        np.random.seed(key % 2**32)
        if torch is not None:
            torch.random.default_generator.manual_seed(key % 2**63)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])
            if states[2] is not None:
                torch.random.set_rng_state(states[2])
