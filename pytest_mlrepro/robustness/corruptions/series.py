"""Corruptions of series, (time,) or (channels, time), in their own units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .base import OURS, Method

__all__ = ["SERIES"]

Series = NDArray[np.float64]
Rng = np.random.Generator


def _gaussian_noise(rng: Rng, x: Series, c: float) -> Series:
    """Noise of `c` standard deviations of the series (of each channel)."""
    return np.asarray(x + rng.normal(0.0, 1.0, x.shape) * c * x.std(axis=-1, keepdims=True))


def _drop_out(rng: Rng, x: Series, c: float) -> Series:
    """A share `c` of the time, in one piece, in which the last value is held."""
    length = x.shape[-1]
    gone = min(length - 1, max(1, round(c * length)))
    start = int(rng.integers(1, length - gone + 1)) if length > gone else 1
    out = x.copy()
    out[..., start : start + gone] = x[..., start - 1 : start]
    return out


def _missing_points(rng: Rng, x: Series, c: float) -> Series:
    """A share `c` of the points, each replaced by the one before that is there."""
    gone = np.asarray(rng.random(x.shape[-1]) < c)
    gone[0] = False
    held = np.maximum.accumulate(np.where(gone, 0, np.arange(x.shape[-1])))
    return np.asarray(x[..., held])


def _time_shift(rng: Rng, x: Series, c: float) -> Series:
    """Later or earlier by a share `c` of the length; the ends are held."""
    steps = max(1, round(c * x.shape[-1])) * (1 if rng.random() < 0.5 else -1)
    return np.asarray(x[..., np.clip(np.arange(x.shape[-1]) - steps, 0, x.shape[-1] - 1)])


def _scale(rng: Rng, x: Series, c: float) -> Series:
    """All values times `c`, or divided by it: a gain that is off."""
    return x * c if rng.random() < 0.5 else x / c


def _drift(rng: Rng, x: Series, c: float) -> Series:
    """A straight line that reaches `c` standard deviations at the end, up or down."""
    slope = np.linspace(0.0, c, x.shape[-1]) * (1 if rng.random() < 0.5 else -1)
    return np.asarray(x + slope * x.std(axis=-1, keepdims=True))


SERIES: dict[str, Method] = {
    "gaussian_noise": Method(_gaussian_noise, (0.05, 0.1, 0.2, 0.3, 0.5), OURS),
    "drop_out": Method(_drop_out, (0.05, 0.1, 0.2, 0.3, 0.5), OURS),
    "missing_points": Method(_missing_points, (0.05, 0.1, 0.2, 0.3, 0.5), OURS),
    "time_shift": Method(_time_shift, (0.02, 0.05, 0.1, 0.15, 0.25), OURS),
    "scale": Method(_scale, (1.1, 1.25, 1.5, 2.0, 3.0), OURS),
    "sensor_drift": Method(_drift, (0.1, 0.25, 0.5, 1.0, 2.0), OURS),
}
