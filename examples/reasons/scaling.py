"""How measurements become features."""

from __future__ import annotations

import numpy as np
import tinyscale

SPREAD = 2.0


def centre(columns: np.ndarray) -> np.ndarray:
    return columns - columns.mean(axis=0)


def shrink(columns: np.ndarray) -> np.ndarray:
    return centre(columns) / (SPREAD * columns.std(axis=0))


def featurise(columns: np.ndarray) -> np.ndarray:
    return tinyscale.squash(shrink(columns))
