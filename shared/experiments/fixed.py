"""Tests for one look at a planned end. Looking at them every day rejects 32-47 % of A/A tests."""

import math
from typing import NamedTuple

from scipy.special import ndtr, stdtr, stdtrit

from shared.experiments.answers import (
    ALPHA,
    NO_UNITS,
    NO_VARIANCE,
    Comparison,
    Undefined,
    checked_level,
    untestable,
)
from shared.experiments.estimators import Difference
from shared.measures.intervals import wilson


def compare(diff: Difference, alpha: float = ALPHA) -> Comparison:
    """D +- t(1 - alpha/2, df) SE and its p-value. Source: Welch 1947."""
    checked_level(alpha)
    if diff.se == 0:
        return untestable(diff.effect)
    half = student(1 - alpha / 2, diff.df) * diff.se
    p = 2 * float(stdtr(diff.df, -abs(diff.effect) / diff.se))
    return Comparison(diff.effect, diff.effect - half, diff.effect + half, p)


def student(probability: float, df: float) -> float:
    """Student's quantile."""
    return float(stdtrit(df, probability))


class Counts(NamedTuple):
    """Successes among units of one arm."""

    successes: int
    units: int


def newcombe(a: Counts, b: Counts, alpha: float = ALPHA) -> tuple[float, float] | Undefined:
    """Interval of p_b - p_a from two Wilson intervals; shown where a rate is 0 or 100 %.

    Source: Newcombe 1998, method 10.
    """
    checked_level(alpha)
    if a.units == 0 or b.units == 0:
        return Undefined(NO_UNITS)
    low_a, high_a = wilson(*a, 1 - alpha)
    low_b, high_b = wilson(*b, 1 - alpha)
    p_a, p_b = a.successes / a.units, b.successes / b.units
    effect = p_b - p_a
    return (
        effect - math.hypot(p_b - low_b, high_a - p_a),
        effect + math.hypot(high_b - p_b, p_a - low_a),
    )


class ZTest(NamedTuple):
    """z of b against a, its two-sided p, and why there is none."""

    z: float | None
    p: float
    reason: str | None = None


def two_proportions(a: Counts, b: Counts) -> ZTest | Undefined:
    """The z-test of two rates with pooled variance; both at 0 or at 100 % cannot be told apart.

    Source: Fleiss, Levin, Paik, Statistical Methods for Rates and Proportions, 2003.
    """
    if a.units == 0 or b.units == 0:
        return Undefined(NO_UNITS)
    pooled = (a.successes + b.successes) / (a.units + b.units)
    se = math.sqrt(pooled * (1 - pooled) * (1 / a.units + 1 / b.units))
    if se == 0:
        return ZTest(None, 1.0, NO_VARIANCE)
    z = (b.successes / b.units - a.successes / a.units) / se
    return ZTest(z, 2 * float(ndtr(-abs(z))))
