"""How many units a test needs, before it starts. Answers are units of the control arm, a float.

n = (c + z(1 - beta))^2 (sa^2 + sb^2 / split) / MDE^2, with c the standard errors that the mode's
interval reaches. Variances are those of one unit: from history, times 1 - r^2 under CUPED.
Sources: means, the noncentral t of Cohen 1988 as in statsmodels; rates, Fleiss et al. 2003.
"""

import math
from collections.abc import Callable

from scipy.optimize import brentq
from scipy.special import nctdtr

from shared.experiments.answers import Undefined, checked_positive
from shared.experiments.design import Design, Mode, Variances, quantile
from shared.experiments.fixed import student
from shared.experiments.relative import ERRORS_FROM_ZERO
from shared.experiments.relative import NO_BASELINE as BASELINE_NEAR_ZERO

NO_VARIANCE = "no variance in the history: nothing to plan with"
NO_SUCH_RATE = "the treatment's rate would not be between 0 and 1"


def units_for_mean(variances: Variances, mde: float, design: Design) -> float | Undefined:
    """Units of a for a mean: noncentral t, except where an always-valid interval decides."""
    rough = units_for_ratio(variances, mde, design)
    if isinstance(rough, Undefined) or design.mode is Mode.ALWAYS_VALID:
        return rough
    variance = variances.per_unit_of_a(design.split)

    def missing(units: float) -> float:
        noncentral = mde / math.sqrt(variance / units)
        df = units * (1 + design.split) - 2
        return _power_of_t(noncentral, df, design.t_level) - (1 - design.beta)

    fewest = 2.1 / (1 + design.split)  # more than no degree of freedom
    low, high = max(fewest, rough / 2), rough * 2 + 20
    return low if missing(low) >= 0 else float(brentq(missing, low, high, xtol=1e-9))


def units_for_ratio(variances: Variances, mde: float, design: Design) -> float | Undefined:
    """Units of a for a ratio over units, by the normal distribution."""
    checked_positive(mde, "MDE")
    variance = variances.per_unit_of_a(checked_positive(design.split, "split"))
    if variance <= 0:
        return Undefined(NO_VARIANCE)
    z = quantile(1 - design.beta)
    return _solved(lambda c: (c + z) ** 2 * variance / mde**2, design)


def units_for_rate(control: float, mde: float, design: Design) -> float | Undefined:
    """Units of a for a share of units; `mde` is added to the control's rate and may be negative.

    (c sqrt(p q (1 + 1/split)) + z sqrt(p1 q1 + p2 q2 / split))^2 / MDE^2, p over both arms.
    """
    checked_positive(abs(mde), "MDE")
    split = checked_positive(design.split, "split")
    treated = control + mde
    if not (0 < control < 1 and 0 < treated < 1):
        return Undefined(NO_SUCH_RATE)
    both = (control + split * treated) / (1 + split)
    null = math.sqrt(both * (1 - both) * (1 + 1 / split))
    other = math.sqrt(control * (1 - control) + treated * (1 - treated) / split)
    z = quantile(1 - design.beta)
    return _solved(lambda c: ((c * null + z * other) / mde) ** 2, design)


def units_per_arm(of_a: float, split: float = 1.0) -> tuple[int, int]:
    """Whole units of a and b, rounded up."""
    return math.ceil(of_a), math.ceil(of_a * split)


def after_cuped(variances: Variances, correlation: float) -> Variances:
    """Variances that are left once a covariate with this correlation is adjusted for."""
    left = 1 - correlation * correlation
    return Variances(variances.a * left, variances.b * left)


def absolute_mde(share: float, value: float, variance: float, units: float) -> float | Undefined:
    """A relative MDE in the metric's unit; refused while n < 9 s^2 / value^2: the baseline of the
    history cannot be told from 0.
    """
    checked_positive(share, "MDE")
    if value <= 0 or units < ERRORS_FROM_ZERO**2 * variance / value**2:
        return Undefined(BASELINE_NEAR_ZERO)
    return share * value


def _solved(units_at: Callable[[float], float], design: Design) -> float:
    """Units of a, where the reach of the interval itself may depend on them."""
    fewest = units_at(design.reach())
    if design.mode is not Mode.ALWAYS_VALID or design.planned is None:
        return fewest

    def over(units: float) -> float:
        return units - units_at(design.reach(units * (1 + design.split)))

    # The interval is tightest near N*: no sample can do with fewer, and doubling finds one too big.
    most = fewest
    while over(most) < 0:
        most *= 2
    return fewest if most == fewest else float(brentq(over, fewest, most, xtol=1e-6))


def _power_of_t(noncentral: float, df: float, level: float) -> float:
    border = student(1 - level / 2, df)
    return 1 - _below(border, df, noncentral) + _below(-border, df, noncentral)


def _below(border: float, df: float, noncentral: float) -> float:
    """P(T < border); 0 where scipy has NaN instead of a tail of less than 1e-15.

    Where it does depends on the level: from a noncentrality of 8 at 5 %, from 4.7 at 0.05 %.
    """
    found = float(nctdtr(df, noncentral, border))
    return 0.0 if math.isnan(found) else found
