"""Ratings as an order: how likely does a unit of b rate higher than one of a?

Only at one rating per unit: several of one user are not independent.
Source: Brunner, Munzel 2000, from the counts of the ratings 1 to k.
"""

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from scipy.special import stdtr

from shared.experiments.answers import (
    ALPHA,
    NO_UNITS,
    NO_VARIANCE,
    ONE_UNIT,
    Undefined,
    checked_level,
)
from shared.experiments.estimators import welch_df
from shared.experiments.fixed import student


class Superiority(NamedTuple):
    """P(b > a) + P(b = a) / 2, its interval, and the test of one half."""

    probability: float
    low: float
    high: float
    t: float
    df: float
    p: float


def superiority(
    a: Sequence[int], b: Sequence[int], alpha: float = ALPHA
) -> Superiority | Undefined:
    """Compare two arms' counts of the ratings 1 to k, equally long."""
    checked_level(alpha)
    na, nb = sum(a), sum(b)
    if min(na, nb) < 2:
        return Undefined(ONE_UNIT if min(na, nb) else NO_UNITS)
    below_a, below_b = _middle_ranks(a), _middle_ranks(b)
    probability = sum(n * below for n, below in zip(b, below_a, strict=True)) / nb
    of_a, of_b = _variance(a, below_b) / na, _variance(b, below_a) / nb
    se = math.sqrt(of_a + of_b)
    if se == 0:
        return Undefined(NO_VARIANCE)
    df = welch_df(of_a, na, of_b, nb)
    t, half = (probability - 0.5) / se, student(1 - alpha / 2, df) * se
    p = 2 * float(stdtr(df, -abs(t)))
    return Superiority(probability, probability - half, probability + half, t, df, p)


def _middle_ranks(counts: Sequence[int]) -> list[float]:
    """Share of an arm below each rating, ties half."""
    total = sum(counts)
    return [(up_to - n / 2) / total for up_to, n in zip(accumulate(counts), counts, strict=True)]


def _variance(counts: Sequence[int], placements: Sequence[float]) -> float:
    """Sample variance of a placement over an arm's units."""
    total = sum(counts)
    centre = sum(n * x for n, x in zip(counts, placements, strict=True)) / total
    pairs = zip(counts, placements, strict=True)
    return sum(n * (x - centre) ** 2 for n, x in pairs) / (total - 1)
