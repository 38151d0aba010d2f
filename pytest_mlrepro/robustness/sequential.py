"""A verdict by sampling that may be looked at after every sample: anytime-valid bounds for a share.

Clopper and Pearson's interval holds for one look; looked at after every sample, it passes a model that is just below
the threshold in 13 to 19 of 100 runs.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

__all__ = ["Side", "interval", "samples_needed", "side"]

Side: TypeAlias = Literal["above", "below"]

_MOST = 10**9


def evidence(stood: int, fell: int, share: float) -> float:
    """Return the logarithm of the evidence against a true share, after so many samples stood and fell.

    The evidence is the likelihood of the samples mixed over all shares (uniform, that is Beta(1, 1)) over that under
    `share`. It is a martingale of mean one if `share` is true, so by Ville's inequality it ever exceeds 1/alpha with a
    probability of at most alpha, however often one looks.

    Sources: Robbins, "Statistical methods related to the law of the iterated logarithm", 1970; Lai, "On confidence
    sequences", Annals of Statistics 1976; Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric,
    nonasymptotic confidence sequences", Annals of Statistics 2021 (the beta-binomial mixture).
    """
    if (fell and share >= 1) or (stood and share <= 0):
        return math.inf
    mixed = math.lgamma(stood + 1) + math.lgamma(fell + 1) - math.lgamma(stood + fell + 2)
    under = (stood * math.log(share) if stood else 0.0) + (fell * math.log1p(-share) if fell else 0.0)
    return mixed - under


def side(stood: int, fell: int, threshold: float, confidence: float) -> Side | None:
    """Tell on which side of the threshold the true share is, or None as long as that is open.

    If the true share is on the other side, this ever tells so with a probability of at most 1 - `confidence`.
    """
    if not stood + fell or evidence(stood, fell, threshold) < -math.log(1 - confidence):
        return None
    return "above" if stood > threshold * (stood + fell) else "below"


def interval(stood: int, fell: int, confidence: float) -> tuple[float, float]:
    """Return the shares that the evidence leaves standing, [0, 1] without samples. It holds at all times together."""
    if not stood + fell:
        return 0.0, 1.0
    middle, limit = stood / (stood + fell), -math.log(1 - confidence)
    ends = []
    for end in (0.0, 1.0):
        inside, outside = middle, end
        for _ in range(60):
            half = (inside + outside) / 2
            inside, outside = (half, outside) if evidence(stood, fell, half) < limit else (inside, half)
        ends.append(end if evidence(stood, fell, end) < limit else outside)
    return ends[0], ends[1]


def samples_needed(share: float, threshold: float, confidence: float) -> int | None:
    """Return how many samples it would take if the share went on as it is; None if more than a thousand million."""

    def told(samples: int) -> bool:
        stood = round(share * samples)
        return side(stood, samples - stood, threshold, confidence) is not None

    high = 1
    while not told(high):
        high *= 2
        if high > _MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if told(middle) else (middle, high)
    return high
