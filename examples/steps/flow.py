"""Four steps from measurements of wine to a classifier: load, clean, featurise, train."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import tinyscale
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
LONGEST = 4.0


def load(path: Path) -> dict[str, np.ndarray]:
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    return {"measurements": table[:, :-1], "cultivar": table[:, -1].astype(int)}


def clean(measurements: np.ndarray) -> np.ndarray:
    """Pull what lies far out back to four standard deviations."""
    centre, spread = measurements.mean(axis=0), measurements.std(axis=0)
    return np.clip(measurements, centre - LONGEST * spread, centre + LONGEST * spread)


def noise(shape: tuple[int, ...]) -> np.ndarray:
    """Draw what a switch of the server adds to the features, from a generator that nobody seeded."""
    return float(os.environ.get("FLOW_NOISE", "0")) * np.random.default_rng().normal(size=shape)


def featurise(measurements: np.ndarray) -> np.ndarray:
    centred = measurements - measurements.mean(axis=0)
    return np.hstack([measurements, tinyscale.squash(centred + noise(centred.shape))])


def train(features: np.ndarray, cultivar: np.ndarray, strength: float = 1.0) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000)).fit(features, cultivar)
