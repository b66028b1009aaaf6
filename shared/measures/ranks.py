"""Intervals of quantiles by their ranks, from a sketch's buckets."""

import math
from collections.abc import Mapping

from scipy.special import ndtri

from shared.measures.intervals import CONFIDENCE, Estimate
from shared.measures.sketch import ACCURACY, quantiles, value_of


def quantile(
    counts: Mapping[int, int], at: float, confidence: float = CONFIDENCE
) -> Estimate | None:
    """A quantile between order statistics, widened by the sketch's accuracy.

    Ranks n(v +- z sqrt(v(1-v)/n)), rounded outwards. An end whose rank lies outside the sample is
    `None`: the data cannot bound it (p95 of 25 values has no upper bound). Source: Woodruff 1952;
    Conover, Practical Nonparametric Statistics, 3.2.
    """
    total = sum(counts.values())
    found = quantiles(counts, (at,))
    if found is None:
        return None
    half = float(ndtri((1 + confidence) / 2)) * math.sqrt(at * (1 - at) * total)
    low = _value_at(counts, math.floor(at * total - half))
    high = _value_at(counts, math.ceil(at * total + half) + 1)
    return Estimate(
        found[0],
        None if low is None else low * (1 - ACCURACY),
        None if high is None else high * (1 + ACCURACY),
    )


def _value_at(counts: Mapping[int, int], rank: int) -> float | None:
    """The value of a rank, counted from 1; `None` outside the sample."""
    if not 1 <= rank <= sum(counts.values()):
        return None
    seen = 0
    for key in sorted(counts):
        seen += counts[key]
        if seen >= rank:
            return value_of(key)
    return None
