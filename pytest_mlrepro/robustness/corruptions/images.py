"""Corruptions of images, (height, width) or (channels, height, width) in [0, 1].

The constants are those of CIFAR-10-C, and of ImageNet-C for sides of 64 pixels and more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .base import HENDRYCKS, OURS, Method

__all__ = ["IMAGES"]

Image = NDArray[np.float64]
Rng = np.random.Generator


def _gaussian_noise(rng: Rng, x: Image, c: float) -> Image:
    return x + rng.normal(0.0, c, x.shape)


def _shot_noise(rng: Rng, x: Image, c: float) -> Image:
    return rng.poisson(np.clip(x, 0, 1) * c) / c


def _speckle_noise(rng: Rng, x: Image, c: float) -> Image:
    return x + x * rng.normal(0.0, c, x.shape)


def _impulse_noise(rng: Rng, x: Image, c: float) -> Image:
    hit, white = rng.random(x.shape) < c, rng.random(x.shape) < 0.5
    return np.where(hit, white.astype(np.float64), x)


def _gaussian_blur(_: Rng, x: Image, c: float) -> Image:
    reach = int(4 * c + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / c) ** 2)
    return _filtered(x, weights / weights.sum())


def _motion_blur(_: Rng, x: Image, c: int) -> Image:
    return _along(x, np.full(c, 1 / c), x.ndim - 1)


def _filtered(x: Image, weights: NDArray[np.float64]) -> Image:
    return _along(_along(x, weights, x.ndim - 1), weights, x.ndim - 2)


def _along(x: Image, weights: NDArray[np.float64], axis: int) -> Image:
    before, after = len(weights) // 2, len(weights) - 1 - len(weights) // 2
    widths = [(0, 0)] * x.ndim
    widths[axis] = (before, after)
    padded = np.pad(x, widths, mode="edge")
    length = x.shape[axis]
    out = np.zeros_like(x)
    for at, weight in enumerate(weights):
        out += weight * np.take(padded, np.arange(at, at + length), axis=axis)
    return out


def _contrast(_: Rng, x: Image, c: float) -> Image:
    mean = x.mean(axis=(-2, -1), keepdims=True)
    return np.asarray((x - mean) * c + mean)


def _brightness(_: Rng, x: Image, c: float) -> Image:
    """Brighter, of colours the value of hue, saturation and value as theirs does it."""
    if x.ndim < 3 or x.shape[0] != 3:
        return x + c
    value = x.max(axis=0)
    brighter = np.minimum(value + c, 1.0)
    return np.asarray(np.where(value > 0, x * brighter / np.where(value > 0, value, 1.0), brighter))


def _pixelate(_: Rng, x: Image, c: float) -> Image:
    """Smaller and back again, by the mean over what each pixel covers."""
    height, width = x.shape[-2:]
    rows, columns = (_resized(side, max(1, int(side * c))) for side in (height, width))
    small = rows @ x @ columns.T
    return np.asarray(_resized(len(rows), height) @ small @ _resized(len(columns), width).T)


def _resized(old: int, new: int) -> NDArray[np.float64]:
    """Return the share of each old pixel in each new one, (new, old)."""
    edges = np.linspace(0, old, new + 1)
    first, last = edges[:-1, None], edges[1:, None]
    covered = np.minimum(last, np.arange(1, old + 1)) - np.maximum(first, np.arange(old))
    return np.asarray(np.clip(covered, 0, None) * new / old)


def _missing_pixels(rng: Rng, x: Image, c: float) -> Image:
    gone = rng.random(x.shape[-2:]) < c
    return np.where(gone, 0.0, x)


IMAGES: dict[str, Method] = {
    "gaussian_noise": Method(
        _gaussian_noise, (0.04, 0.06, 0.08, 0.09, 0.10), HENDRYCKS, (0.08, 0.12, 0.18, 0.26, 0.38)
    ),
    "shot_noise": Method(_shot_noise, (500, 250, 100, 75, 50), HENDRYCKS, (60, 25, 12, 5, 3)),
    "speckle_noise": Method(_speckle_noise, (0.06, 0.1, 0.12, 0.16, 0.2), HENDRYCKS, (0.15, 0.2, 0.35, 0.45, 0.6)),
    "impulse_noise": Method(_impulse_noise, (0.01, 0.02, 0.03, 0.05, 0.07), HENDRYCKS, (0.03, 0.06, 0.09, 0.17, 0.27)),
    "gaussian_blur": Method(_gaussian_blur, (0.4, 0.6, 0.7, 0.8, 1.0), HENDRYCKS, (1, 2, 3, 4, 6)),
    "motion_blur": Method(_motion_blur, (2, 3, 4, 5, 6), OURS, (5, 9, 13, 17, 21)),
    "contrast": Method(_contrast, (0.75, 0.5, 0.4, 0.3, 0.15), HENDRYCKS, (0.4, 0.3, 0.2, 0.1, 0.05)),
    "brightness": Method(_brightness, (0.05, 0.1, 0.15, 0.2, 0.3), HENDRYCKS, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "pixelate": Method(_pixelate, (0.95, 0.9, 0.85, 0.75, 0.65), HENDRYCKS, (0.6, 0.5, 0.4, 0.3, 0.25)),
    "missing_pixels": Method(_missing_pixels, (0.05, 0.1, 0.2, 0.3, 0.5), OURS),
}
