"""Stand-ins for the system's entropy: each asks the innermost scope, and without one hands on to the real source.

They are plain module functions, not closures of a scope, because a module that is imported inside a test may keep one
for good (`from os import urandom`): it then follows whatever scope is open, and draws real entropy when none is.
"""

from __future__ import annotations

import operator
import os
import random
import sys
from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any

from .callers import caller_of
from .patches import Patch
from .stack import innermost
from .stream import EntropyKind
from .torch_rngs import complete_torch

__all__ = ["REAL_URANDOM", "entropy_patches"]

REAL_URANDOM: Callable[[int], bytes] = sys.modules[os.name].urandom  # the builtin, whatever os.urandom is by now
_REAL_SEED = random.Random.seed
_REAL_MODULE_SEED = random.seed
_KINDS: dict[str, EntropyKind] = {"uuid": "uuid", "secrets": "secrets", "random": "secrets", "": "urandom"}


def _draw(kind: EntropyKind | None, size: int) -> bytes | None:
    """Return bytes of the innermost scope's stream, or None where real entropy is due."""
    scope = innermost()
    if scope is None or scope.stream.settings.entropy == "allow" or size < 0:
        return None
    caller = caller_of(sys._getframe(2))
    if caller is None:
        return None
    return scope.stream.draw(kind or _KINDS[caller.via], size, caller)


def urandom(size: int, /) -> bytes:
    """Stand in for `os.urandom` and `random._urandom`."""
    drawn = _draw(None, operator.index(size))
    return REAL_URANDOM(size) if drawn is None else drawn


def getrandom(size: int, flags: int = 0) -> bytes:
    """Stand in for `os.getrandom`."""
    drawn = _draw(None, operator.index(size))
    return sys.modules[os.name].getrandom(size, flags) if drawn is None else drawn


def randbits(k: int) -> int:
    """Stand in for `numpy.random.bit_generator.randbits`, which feeds every unseeded generator of numpy."""
    k = operator.index(k)
    drawn = _draw("numpy", (k + 7) // 8)
    raw = REAL_URANDOM((k + 7) // 8) if drawn is None else drawn
    return int.from_bytes(raw) >> (-k % 8)


def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
    """Stand in for `random.Random.seed`: without a seed, 32 bytes of the stream are one."""
    if a is None:
        drawn = _draw("random", 32)
        a = None if drawn is None else int.from_bytes(drawn)
    _REAL_SEED(self, a, version)


def torch_seed() -> int:
    """Stand in for `torch.seed`, which asks the system outside Python."""
    torch = sys.modules["torch"]
    drawn = _draw("torch", 8)
    number = int.from_bytes(REAL_URANDOM(8) if drawn is None else drawn)
    torch.manual_seed(number)
    return number


_STAND_IN_SEED = seed.__get__(random._inst)
_SYSTEM_PATCHES = (
    Patch(os, "urandom", REAL_URANDOM, urandom),
    Patch(random, "_urandom", REAL_URANDOM, urandom),
    Patch(random.Random, "seed", _REAL_SEED, seed),
    Patch(random, "seed", _REAL_MODULE_SEED, _STAND_IN_SEED),
    *([Patch(os, "getrandom", os.getrandom, getrandom)] if hasattr(os, "getrandom") else []),
)


def entropy_patches() -> tuple[Patch, ...]:
    """Return the stand-ins for every source that is loaded by now."""
    return _patches(sys.modules.get("numpy.random.bit_generator"), complete_torch())


@lru_cache(maxsize=4)
def _patches(bit_generator: ModuleType | None, torch: ModuleType | None) -> tuple[Patch, ...]:
    return (*_SYSTEM_PATCHES, *_numpy_patches(bit_generator), *_torch_patches(torch))


# Remembered from when the library is first seen, with the real thing in place: later a scope may be open.


@lru_cache(maxsize=2)
def _numpy_patches(bit_generator: ModuleType | None) -> tuple[Patch, ...]:
    if not hasattr(bit_generator, "randbits"):
        return ()
    return (Patch(bit_generator, "randbits", sys.modules["secrets"].randbits, randbits),)


@lru_cache(maxsize=2)
def _torch_patches(torch: ModuleType | None) -> tuple[Patch, ...]:
    owners = () if torch is None else (torch, torch.random)
    return tuple(Patch(owner, "seed", owner.seed, torch_seed) for owner in owners)
