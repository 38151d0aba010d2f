"""What a baseline knows its samples and its threat by: two runs are compared only if these agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from blake3 import blake3

from ..errors import FingerprintError, UsageError
from ..fingerprints import fingerprint
from .generators import keys_of
from .inputs import read_inputs, read_labels
from .tabular import Tabular
from .threats import Threat

__all__ = ["also_of", "samples_digest"]


def samples_digest(inputs: Any, labels: Any) -> str:
    """Return a digest of samples with their labels, in order: by it two sets are known to be the same."""
    try:
        x, _ = read_inputs(inputs)
    except UsageError:  # a table or texts
        return blake3(f"{fingerprint(inputs).digest} {fingerprint(labels).digest}".encode()).hexdigest()[:16]
    named = np.zeros(len(x), np.int64) if labels is None else read_labels(labels, len(x))
    return blake3(keys_of(x, named, 0).astype("<u8").tobytes()).hexdigest()[:16]


def also_of(threat: Threat) -> dict[str, str]:
    """Return what a threat allows besides what its words say: the reference and the contract of a table."""
    if not isinstance(threat, Tabular):
        return {}
    found = {"reference": "the inputs" if threat.reference is None else _digest("reference", threat.reference)}
    if threat.bounds is not None and not isinstance(threat.bounds, Mapping):
        found["contract"] = _digest("contract", threat.bounds)
    return found


def _digest(name: str, value: Any) -> str:
    if name == "contract":  # a contract of whatever class: what is read of it
        value = [
            [str(getattr(column, what, None)) for what in ("name", "min", "max", "values", "categories")]
            for column in value.columns
        ]
    try:
        return fingerprint(value).digest.rpartition(":")[2][:16]
    except FingerprintError as problem:
        raise UsageError(f"Tabular({name}): a baseline can't tell it from another: {problem}") from None
