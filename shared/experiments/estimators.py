"""What an arm's sums say: a value, its variance over units, and the difference of two arms.

Sources: ratio by the delta method over units, Deng, Knoblich, Lu 2018; degrees of freedom, Welch
1947; two pseudo-units at 0 or 100 %, ours after Agresti and Caffo 2000.
"""

import math
from fractions import Fraction
from typing import NamedTuple

from shared.experiments.answers import NO_OPERATIONS, NO_UNITS, ONE_UNIT, Undefined
from shared.experiments.moments import Moments, Number, Unit, joined
from shared.experiments.spread import Spread

# A smaller share of the sum of squares is what floats round, not what units differ by.
NOISE = 1e-12


class Arm(NamedTuple):
    """An estimate of one arm, in the metric's unit.

    `variance` is that of one unit; the value's own is `variance / counted`, where `counted` holds
    the pseudo-units too. `operations` is the sum of d.
    """

    units: int
    value: float
    variance: float
    counted: int
    operations: float

    @property
    def squared_error(self) -> float:
        """Square of the value's standard error."""
        return self.variance / self.counted


class Difference(NamedTuple):
    """b minus a, its standard error, and Welch's degrees of freedom (0 without any variance)."""

    effect: float
    se: float
    df: float
    a: Arm
    b: Arm

    @property
    def units(self) -> int:
        """N: the units of both arms."""
        return self.a.units + self.b.units


Estimated = Arm | Undefined


def mean(sums: Moments, scale: float = 1.0) -> Estimated:
    """The mean over units of m; `scale` is what one of m is worth (1e-6 for micro).

    For response times m is 1e6 ln(ms): the difference of two arms is then the logarithm of the
    ratio of their geometric means (`relative.as_ratio`).
    """
    if sums.n < 2:
        return _too_few(sums.n)
    spread = _unless_noise(sums.n * sums.mm - sums.m * sums.m, sums.n * sums.mm)
    return Arm(
        sums.n,
        float(sums.m / sums.n) * scale,
        float(spread / (sums.n * (sums.n - 1))) * scale * scale,
        sums.n,
        float(sums.d),
    )


def binary(sums: Moments) -> Estimated:
    """The share p of units with m = 1, s^2 = p (1 - p); at 0 or 100 % that of (x+1)/(n+2)."""
    if sums.n < 2:
        return _too_few(sums.n)
    found, counted = sums.m, sums.n
    if found in (0, sums.n):
        found, counted = found + 1, counted + 2
    variance = float(found * (counted - found) / counted**2)
    return Arm(sums.n, float(sums.m / sums.n), variance, counted, float(sums.d))


def ratio(sums: Moments, scale: float = 1.0) -> Estimated:
    """R = sum m / sum d with s^2 = (v_m - 2 R c_md + R^2 v_d) / mean(d)^2 over units."""
    if sums.n == 0:
        return Undefined(NO_UNITS)
    if sums.d == 0:
        return Undefined(NO_OPERATIONS)
    if sums.n == 1:
        return Undefined(ONE_UNIT)
    n, m, d = sums.n, sums.m, sums.d
    # The sum of (m - R d)^2 times d^2: in integers it is exactly 0 where all ratios are equal.
    own = sums.mm * d * d + m * m * sums.dd
    spread = _unless_noise(own - 2 * m * d * sums.md, own)
    variance = float(spread * n * n / (d**4 * (n - 1))) * scale * scale
    return Arm(n, float(m / d) * scale, variance, n, float(d))


def rate(sums: Moments) -> Estimated:
    """A share of operations (m of d). An arm at 0 or 100 % takes its error from two more units,
    (mean d, mean d) and (0, mean d): without them it would seem to know its rate exactly.
    """
    arm = ratio(sums)
    if isinstance(arm, Undefined) or sums.m not in (0, sums.d):
        return arm
    each = Fraction(sums.d) / sums.n
    wider = ratio(joined(joined(sums, Unit(each, each)), Unit(0, each)))
    if isinstance(wider, Undefined):
        return wider
    return arm._replace(variance=wider.variance, counted=wider.counted)


def mean_of_spread(spread: Spread) -> Estimated:
    """`mean` for values that are no integers."""
    if spread.n < 2:
        return _too_few(spread.n)
    return Arm(spread.n, spread.m, spread.m2 / (spread.n - 1), spread.n, spread.d * spread.n)


def ratio_of_spread(spread: Spread) -> Estimated:
    """`ratio` for values that are no integers."""
    if spread.n == 0:
        return Undefined(NO_UNITS)
    if spread.d == 0:
        return Undefined(NO_OPERATIONS)
    if spread.n == 1:
        return Undefined(ONE_UNIT)
    value = spread.m / spread.d
    own = spread.m2 + value * value * spread.d2
    left = _unless_noise(own - 2 * value * spread.c, own)
    variance = left / ((spread.n - 1) * spread.d**2)
    return Arm(spread.n, value, float(variance), spread.n, spread.d * spread.n)


def difference(a: Estimated, b: Estimated) -> Difference | Undefined:
    """D = b - a, SE^2 = sa^2/na + sb^2/nb; `Undefined` names the arm that is."""
    if isinstance(a, Undefined):
        return Undefined(f"control: {a.reason}")
    if isinstance(b, Undefined):
        return Undefined(f"treatment: {b.reason}")
    of_a, of_b = a.squared_error, b.squared_error
    df = welch_df(of_a, a.counted, of_b, b.counted)
    return Difference(b.value - a.value, math.sqrt(of_a + of_b), df, a, b)


def welch_df(of_a: float, na: int, of_b: float, nb: int) -> float:
    """Degrees of freedom from two squared errors and their units. Source: Welch 1947."""
    total = of_a + of_b
    if total == 0:
        return 0.0
    # Shares, not squares of errors: those of small values would be 0 in floating point.
    return 1 / ((of_a / total) ** 2 / (na - 1) + (of_b / total) ** 2 / (nb - 1))


def _too_few(units: int) -> Undefined:
    return Undefined(ONE_UNIT if units else NO_UNITS)


def _unless_noise(spread: Number, of: Number) -> Number:
    if isinstance(spread, float) and spread <= NOISE * of:
        return 0
    return spread
