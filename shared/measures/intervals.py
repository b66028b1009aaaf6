"""Intervals for shares and means. 95 % unless said; `None` where nothing can be computed."""

import math
from typing import NamedTuple

from scipy.special import betaincinv, ndtri, stdtrit

CONFIDENCE = 0.95
FEW = 5  # below so many of either kind Wilson's interval covers too little


class Estimate(NamedTuple):
    """A value with the interval that holds the truth in 95 % of cases."""

    value: float
    low: float | None
    high: float | None


def share(successes: float, total: float, confidence: float = CONFIDENCE) -> Estimate | None:
    """A rate with Wilson's interval, Clopper-Pearson's when either kind is rarer than 5.

    Sources: Wilson 1927; Clopper and Pearson 1934. The pair covers >= 92.8 % for n >= 20.
    """
    if total == 0:
        return None
    if min(successes, total - successes) < FEW:
        low, high = clopper_pearson(successes, total, confidence)
    else:
        low, high = wilson(successes, total, confidence)
    return Estimate(successes / total, low, high)


def wilson(successes: float, total: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson score interval of a rate."""
    z = float(ndtri((1 + confidence) / 2))
    p = successes / total
    centre = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    return max(0.0, centre - half), min(1.0, centre + half)


def clopper_pearson(
    successes: float, total: float, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Exact interval of a rate, from beta quantiles."""
    tail = (1 - confidence) / 2
    failures = total - successes
    low = 0.0 if successes == 0 else float(betaincinv(successes, failures + 1, tail))
    high = 1.0 if failures == 0 else float(betaincinv(successes + 1, failures, 1 - tail))
    return low, high


def mean(
    count: float, total: float, squares: float, confidence: float = CONFIDENCE
) -> Estimate | None:
    """A mean with Student's interval, from count, sum and sum of squares; one value has none."""
    if count == 0:
        return None
    value = total / count
    if count == 1:
        return Estimate(value, None, None)
    variance = max(0.0, squares - total * value) / (count - 1)
    half = float(stdtrit(count - 1, (1 + confidence) / 2)) * math.sqrt(variance / count)
    return Estimate(value, value - half, value + half)


def geometric_mean(
    count: int, logs: float, squares: float, confidence: float = CONFIDENCE
) -> Estimate | None:
    """A geometric mean with the interval of the mean logarithm, carried back."""
    estimate = mean(count, logs, squares, confidence)
    if estimate is None:
        return None
    return Estimate(math.exp(estimate.value), scaled(1.0, estimate.low), scaled(1.0, estimate.high))


def scaled(value: float, power: float | None) -> float | None:
    """`value` times e to the power; `None` where that is no number any more: not bounded."""
    try:
        return None if power is None else value * math.exp(power)
    except OverflowError:
        return None


def stars(
    count: float, total: float, squares: float, confidence: float = CONFIDENCE
) -> Estimate | None:
    """The mean of ratings from 1 to 5, with a t interval that knows where ratings end.

    Half a rating at each end is added before the interval is computed. Without it, 25 ratings of
    which nine in ten are 5 are covered in 83 % of cases, and those that are all 5 by an interval
    of no width. The idea is Agresti and Coull's (1998); the half is ours, see
    tests/unit/shared/test_coverage.py.
    """
    if count == 0:
        return None
    value = total / count
    ends = mean(count + 1, total + (1 + 5) / 2, squares + (1 + 25) / 2, confidence)
    assert ends is not None and ends.low is not None and ends.high is not None  # noqa: S101, PT018
    return Estimate(value, max(1.0, min(value, ends.low)), min(5.0, max(value, ends.high)))
