"""Seeded tests and golden runs for machine learning, from inside pytest.

Public names are looked up when they are first used, so that importing this package imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import strategies
    from .compare.close import assert_close
    from .compare.tolerance import Tolerance
    from .contracts.anomalies import assert_no_anomalies, find_anomalies, fit_anomalies
    from .contracts.asserted import assert_contract
    from .contracts.contract import Contract
    from .contracts.label_errors import find_label_errors
    from .contracts.splits import assert_split, check_split
    from .determinism.function import assert_reproducible
    from .drift import Profile, assert_no_drift
    from .errors import FingerprintError, GoldenError, MissingDependencyError, MlreproError, UsageError
    from .fingerprints import Fingerprint, fingerprint
    from .robustness.corruption import Corruption
    from .robustness.relations import assert_directional, assert_invariant, assert_monotone
    from .robustness.report import RobustnessReport
    from .robustness.robust import assert_robust
    from .robustness.tabular import Tabular
    from .robustness.threats import L0, L1, L2, Linf
    from .seeding import seed_everything
    from .served import served

__all__ = [
    "L0",
    "L1",
    "L2",
    "Contract",
    "Corruption",
    "Fingerprint",
    "FingerprintError",
    "GoldenError",
    "Linf",
    "MissingDependencyError",
    "MlreproError",
    "Profile",
    "RobustnessReport",
    "Tabular",
    "Tolerance",
    "UsageError",
    "assert_close",
    "assert_contract",
    "assert_directional",
    "assert_invariant",
    "assert_monotone",
    "assert_no_anomalies",
    "assert_no_drift",
    "assert_reproducible",
    "assert_robust",
    "assert_split",
    "check_split",
    "find_anomalies",
    "find_label_errors",
    "fingerprint",
    "fit_anomalies",
    "seed_everything",
    "served",
    "strategies",
]

_HOMES = {
    "Contract": "contracts.contract",
    "assert_contract": "contracts.asserted",
    "assert_close": "compare.close",
    "Tolerance": "compare.tolerance",
    "assert_no_anomalies": "contracts.anomalies",
    "find_anomalies": "contracts.anomalies",
    "fit_anomalies": "contracts.anomalies",
    "find_label_errors": "contracts.label_errors",
    "assert_split": "contracts.splits",
    "check_split": "contracts.splits",
    "Profile": "drift",
    "assert_no_drift": "drift",
    "served": "served",
    "assert_reproducible": "determinism.function",
    "Fingerprint": "fingerprints",
    "fingerprint": "fingerprints",
    "RobustnessReport": "robustness.report",
    "assert_directional": "robustness.relations",
    "assert_invariant": "robustness.relations",
    "assert_monotone": "robustness.relations",
    "assert_robust": "robustness.robust",
    "Corruption": "robustness.corruption",
    "Tabular": "robustness.tabular",
    "Linf": "robustness.threats",
    "L2": "robustness.threats",
    "L1": "robustness.threats",
    "L0": "robustness.threats",
    "seed_everything": "seeding",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "strategies":
        return import_module(".strategies", __name__)
    value = getattr(import_module(f".{_HOMES.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
