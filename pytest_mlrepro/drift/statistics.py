"""The few tests that drift needs, on counts: p-values and how many rows a test takes. Numpy and the standard library only.

Each p-value is one of the textbook forms for large samples. They are conservative where columns have ties, and so is
every statistic here that looks at a distribution at some points only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Final, TypeAlias

import numpy as np

__all__ = [
    "Numbers",
    "adjusted",
    "chi_square_tail",
    "effective",
    "homogeneity",
    "kolmogorov_critical",
    "kolmogorov_tail",
    "noncentrality",
    "normal_quantile",
    "normal_tail",
    "pooled",
    "rate_tail",
]

Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
POWER: Final = 0.9
"""Probability with which a drift should be found before a sample counts as large enough to rule it out."""
Z_POWER: Final = NormalDist().inv_cdf(POWER)
FEW: Final = 5.0
"""Expected counts below this are pooled: the chi-square form is not to be trusted for them (Cochran 1954)."""


def effective(one: float, two: float) -> float:
    """Return the size of a sample that is as informative as the comparison of two; 0 if either is empty."""
    return one * two / (one + two) if one and two else 0.0


def kolmogorov_tail(statistic: float, size: float) -> float:
    """Return P(D >= statistic) without drift, for `size` effective rows (Kolmogorov's limit; too large for small sizes)."""
    x = statistic * math.sqrt(size)
    if x < 0.3:
        return 1.0
    total: float = sum((-1.0) ** (k - 1) * math.exp(-2.0 * (k * x) ** 2) for k in range(1, 20))
    return min(1.0, max(0.0, 2.0 * total))


def kolmogorov_critical(level: float) -> float:
    """Return the x with a tail of `level`; from the first term of the series, which is exact below 0.3."""
    return math.sqrt(-math.log(level / 2) / 2)


def normal_tail(z: float) -> float:
    """Return the two-sided p-value of a standard normal statistic."""
    return math.erfc(abs(z) / math.sqrt(2))


def normal_quantile(level: float) -> float:
    """Return the z with a two-sided tail of `level`."""
    return -NormalDist().inv_cdf(level / 2)


def chi_square_tail(statistic: float, freedom: int) -> float:
    """Return P(chi-square >= statistic); the regularised incomplete gamma function as in Numerical Recipes 6.2."""
    if freedom <= 0 or statistic <= 0:
        return 1.0
    a, x = freedom / 2, statistic / 2
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for k in range(1, 10_000):
            term *= x / (a + k)
            total += term
            if term < total * 1e-15:
                break
        return max(0.0, 1 - total * scale)
    return min(1.0, scale * _continued_fraction(a, x))


def _continued_fraction(a: float, x: float) -> float:
    """Return the upper incomplete gamma function over `exp(-x) x**a`, by Lentz's method."""
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / b
    result = d
    for k in range(1, 10_000):
        step = -k * (k - a)
        b += 2
        d = 1 / (step * d + b or tiny)
        c = b + step / c or tiny
        result *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return result


def homogeneity(one: Numbers, two: Numbers) -> tuple[float, float, int]:
    """Return the total variation distance of two rows of counts, the p-value of a chi-square test, and the degrees of freedom.

    Cells that hold less than 5 expected rows of the smaller sample are pooled first, for both numbers.
    """
    if not one.sum() or not two.sum():
        return 0.0, 1.0, 0
    one, two = pooled(one, two)
    n, m = one.sum(), two.sum()
    expected = (one + two) / (n + m)
    distance = float(np.abs(one / n - two / m).sum() / 2)
    freedom = int((expected > 0).sum()) - 1
    if freedom < 1:
        return distance, 1.0, 0
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = np.where(expected > 0, (one / n - two / m) ** 2 / expected, 0.0)
    return distance, chi_square_tail(float(terms.sum() * effective(n, m)), freedom), freedom


def pooled(one: Numbers, two: Numbers) -> tuple[Numbers, Numbers]:
    """Return two rows of counts with the cells that hold few expected rows of the smaller sample as one, the last."""
    share = (one + two) / (one.sum() + two.sum())
    few = share * min(one.sum(), two.sum()) < FEW
    if few.sum() < 2:
        return one, two
    rest = np.append(one[~few], one[few].sum()), np.append(two[~few], two[few].sum())
    return rest


def rate_tail(hits: float, size: float, more: float, rows: float) -> float:
    """Return a bound of the p-value of two rates being one: `hits` of `size`, and `more` of `rows`.

    From the likelihood ratio (Chernoff's bound), since a normal form is far too small where few hits are expected.
    """
    both = (hits + more) / (size + rows)
    cells = [
        (hits, size * both),
        (size - hits, size * (1 - both)),
        (more, rows * both),
        (rows - more, rows * (1 - both)),
    ]
    return min(1.0, 2 * math.exp(-sum(seen * math.log(seen / expected) for seen, expected in cells if seen > 0)))


def noncentrality(freedom: int, level: float) -> float:
    """Return the noncentrality at which a chi-square test of this level finds a drift with probability 0.9.

    By the normal approximation of the noncentral distribution, and Wilson and Hilferty's (1931) of the central quantile.
    """
    z = -NormalDist().inv_cdf(level)
    ninth = 2 / (9 * freedom)
    critical = freedom * (1 - ninth + z * math.sqrt(ninth)) ** 3
    needed = max(critical - freedom, 1.0)
    for _ in range(60):
        needed = max(critical - freedom + Z_POWER * math.sqrt(2 * (freedom + 2 * needed)), 0.0)
    return needed


def adjusted(tails: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Benjamini and Hochberg 1995), in the order given."""
    order = sorted(range(len(tails)), key=lambda at: tails[at], reverse=True)
    result, least = [1.0] * len(tails), 1.0
    for rank, at in zip(range(len(tails), 0, -1), order, strict=True):
        least = min(least, tails[at] * len(tails) / rank)
        result[at] = least
    return result
