"""A threat around given samples: what attacks move in. A ball needs nothing more, a table its spreads and categories."""

from __future__ import annotations

from typing import Any, TypeAlias

from .corrupted import Corrupted, read_corrupted
from .corruption import Corruption
from .inputs import Floats, read_inputs
from .space import Space
from .spaces import space_of
from .tables import AnyForm, read_table
from .tabular import Tabular
from .threats import Ball, Threat

__all__ = ["Region", "around"]

Region: TypeAlias = Ball | Space | Corrupted


def around(threat: Threat, inputs: Any) -> tuple[Floats, AnyForm, Region]:
    """Return the samples as numbers, the form to give them back in, and what is allowed around them.

    Raises:
        UsageError: samples that the threat makes no sense for.
    """
    if isinstance(threat, Tabular):
        table, form = read_table(inputs, tuple(threat.categories or ()))
        return table, form, space_of(threat, table, form)
    if isinstance(threat, Corruption):
        return read_corrupted(threat, inputs)
    x, plain = read_inputs(inputs)
    return x, plain, threat
