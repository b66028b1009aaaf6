"""Sums for values that are no integers: counts, means and squared deviations, merged pairwise.

Sums of squares lose a mean of 1e9 with a deviation of 1 in floating point; these do not.
Source: Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Spread(NamedTuple):
    """`n` units, the means of (m, d), and sums of squared and crossed deviations from them."""

    n: int = 0
    m: float = 0.0
    d: float = 0.0
    m2: float = 0.0
    d2: float = 0.0
    c: float = 0.0


NOTHING = Spread()


def merged(one: Spread, other: Spread) -> Spread:
    """M2 = M2_1 + M2_2 + delta^2 n1 n2 / n; C = C_1 + C_2 + delta_m delta_d n1 n2 / n."""
    n = one.n + other.n
    if n == 0:
        return NOTHING
    by_m, by_d = other.m - one.m, other.d - one.d
    weight = one.n * other.n / n
    return Spread(
        n,
        one.m + by_m * other.n / n,
        one.d + by_d * other.n / n,
        one.m2 + other.m2 + by_m * by_m * weight,
        one.d2 + other.d2 + by_d * by_d * weight,
        one.c + other.c + by_m * by_d * weight,
    )


def of_units(units: Iterable[tuple[float, float]]) -> Spread:
    """The spread of units' (m, d), in one pass."""
    total = NOTHING
    for m, d in units:
        total = merged(total, Spread(1, m, d))
    return total
