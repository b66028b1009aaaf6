"""The effect as a share of the control. For people's eyes: every decision is taken on D.

On the scale of the log-ratio: the symmetric interval, (1 + lift) +- c SE, rejects 10.4 % of A/A
tests of a rate of 2 % under peeking. Source: delta method on ln, as in tea-tasting.
"""

import math
from typing import NamedTuple

from shared.experiments.answers import ALPHA, Comparison, Undefined
from shared.experiments.estimators import Arm, Difference, welch_df
from shared.experiments.fixed import student

NO_BASELINE = "baseline not distinguishable from 0"
NOT_POSITIVE = "the treatment is not above 0: no ratio on a log scale"
ABSOLUTE_ONLY = "the difference decides, and the relative interval does not show it"
ERRORS_FROM_ZERO = 3


class Lift(NamedTuple):
    """b / a - 1 and its interval."""

    effect: float
    low: float
    high: float


def lift(
    diff: Difference,
    decided: Comparison,
    critical: float | None = None,
    *,
    baseline: Arm | None = None,
    alpha: float = ALPHA,
) -> Lift | Undefined:
    """exp(ln(b/a) +- c sqrt(sa^2/(na a^2) + sb^2/(nb b^2))) - 1, made to agree with `decided`.

    `critical` is the c of D's interval (c_N); without it Student's t, with Welch's df of the two
    terms. `baseline` is the control before an adjustment: it must be distinguishable from 0.
    Where this interval excludes 0 and D's does not, it is extended to 0; in the opposite case only
    D is shown.
    """
    a, b = diff.a, diff.b
    if not _distinguishable(baseline or a) or a.value <= 0:
        return Undefined(NO_BASELINE)
    if b.value <= 0:
        return Undefined(NOT_POSITIVE)
    of_a, of_b = a.squared_error / a.value**2, b.squared_error / b.value**2
    if critical is None:
        df = welch_df(of_a, a.counted, of_b, b.counted)
        critical = student(1 - alpha / 2, df) if df else 0.0
    half = critical * math.sqrt(of_a + of_b)
    share = b.value / a.value
    low, high = (math.expm1(math.log(share) + side) for side in (-half, half))
    return _agreeing(Lift(share - 1, low, high), decided)


def as_ratio(comparison: Comparison, scale: float = 1.0) -> Lift | Undefined:
    """A difference of mean logarithms as a ratio of geometric means, less 1."""
    if comparison.low is None or comparison.high is None:
        return Undefined(comparison.reason or "no interval")
    effect, low, high = comparison.effect, comparison.low, comparison.high
    return Lift(math.expm1(effect * scale), math.expm1(low * scale), math.expm1(high * scale))


def _distinguishable(arm: Arm) -> bool:
    return arm.value > 0 and arm.value >= ERRORS_FROM_ZERO * math.sqrt(arm.squared_error)


def _agreeing(shown: Lift, decided: Comparison) -> Lift | Undefined:
    if decided.low is None:
        return Undefined(decided.reason or "no interval")
    excludes = shown.low > 0 or shown.high < 0
    if excludes and not decided.excludes_zero:
        return shown._replace(low=min(shown.low, 0.0), high=max(shown.high, 0.0))
    if decided.excludes_zero and not excludes:
        return Undefined(ABSOLUTE_ONLY)
    return shown
