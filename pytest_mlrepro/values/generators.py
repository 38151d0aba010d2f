"""Random generators by their states: Python's and numpy's."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np

from .node import Field, Group, Node
from .walk import Foreign, Walk

__all__ = ["NUMPY_GENERATORS", "describe_numpy_random", "describe_random"]

NUMPY_GENERATORS = (np.random.Generator, np.random.RandomState, np.random.BitGenerator)


def describe_numpy_random(value: Foreign, walk: Walk) -> Node | None:
    """Describe a generator, the bits behind it, or a seed sequence, by its state; None for other things.

    A second half of a 64-bit number, or of a pair of normal ones, counts while it waits to be used.
    """
    if isinstance(value, np.random.Generator):
        return _group("Generator", value, _waiting(value.bit_generator.state), walk)
    if isinstance(value, np.random.RandomState):
        return _group("RandomState", value, _waiting(value.get_state(legacy=False)), walk)
    if isinstance(value, np.random.BitGenerator):
        return _group("BitGenerator", value, _waiting(value.state), walk)
    if isinstance(value, np.random.SeedSequence):
        return _group("SeedSequence", value, value.state, walk)
    return None


def _group(name: str, value: Foreign, state: Foreign, walk: Walk) -> Group:
    parts = walk.parts(value, ((Field(key), state[key]) for key in sorted(state)))
    return Group(f"numpy.random.{name}", (), parts)


def _waiting(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state without what is left over from numbers that were used."""
    used = [spare for flag, spare in (("has_uint32", "uinteger"), ("has_gauss", "gauss")) if not state.get(flag, 1)]
    return {key: item for key, item in state.items() if key not in used}


def describe_random(value: random.Random, walk: Walk) -> Node:
    """Describe a generator of Python by its version, its numbers, and the normal one that waits to be used."""
    version, internal, gauss = value.getstate()
    state = {"version": version, "internal": internal, "gauss": gauss}
    return Group("random.Random", (), walk.parts(value, ((Field(key), state[key]) for key in sorted(state))))
