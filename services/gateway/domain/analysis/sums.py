"""Sums of feedback over the people who gave it, and what can be said from them.

Who says much says it alike: a person is one unit, and so is each feedback of nobody known. The
interval of a share is that of `shared.measures.intervals` with the size that the spread between
people leaves it (n_eff), with Student's quantile where people are few [Korn and Graubard 1998].
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, NamedTuple

from scipy.special import stdtrit

from shared.experiments.answers import Comparison, Undefined
from shared.experiments.estimators import Estimated, difference, rate, ratio
from shared.experiments.fixed import compare
from shared.experiments.moments import Moments, Unit, joined
from shared.measures.intervals import CONFIDENCE, Estimate, share, stars

ASPECTS: Final = ("helpful", "accurate", "relevant", "fast")
LABELS: Final = ("negative", "neutral", "positive", "abstained")
RATING: Final = "rating"
CONFLICT: Final = "conflict"
LEAST_STARS: Final = 1
MOST_STARS: Final = 5
METRICS: Final = (RATING, *ASPECTS, *LABELS, CONFLICT)


class Judged(NamedTuple):
    """Sums of one metric over people: m is what their judgements add up to, d counts them."""

    sums: Moments = Moments()
    squares: int = 0
    """Of single judgements."""

    @property
    def given(self) -> int:
        """How many judgements."""
        return int(self.sums.d)

    @property
    def people(self) -> int:
        """How many people judged, each feedback of nobody known for itself."""
        return self.sums.n

    @property
    def value(self) -> float | None:
        """The mean of all judgements."""
        return float(self.sums.m / self.sums.d) if self.sums.d else None


NOTHING: Final = Judged()


class Group(NamedTuple):
    """What was said of one thing."""

    key: tuple[str | None, ...]
    votes: int
    comments: int
    voters: int
    first_at: datetime | None
    judged: Mapping[str, Judged]
    from_comment: Mapping[str, int]

    def of(self, metric: str) -> Judged:
        """The sums of a metric."""
        return self.judged.get(metric, NOTHING)


def judged_of(row: Sequence[int]) -> Judged:
    """From the seven sums that the store gives: people, m, m², d, d², m·d, single squares."""
    n, m, mm, d, dd, md, squares = row
    return Judged(Moments(n=n, m=m, mm=mm, d=d, dd=dd, md=md), squares)


def estimate(metric: str, judged: Judged) -> Estimate | None:
    """The mean of a metric with its interval, clustered by person; `None` without a judgement."""
    value = judged.value
    if value is None:
        return None
    size = effective_size(judged)
    if metric == RATING:
        spread = _spread(judged)
        found = stars(size, size * value, (size - 1) * spread + size * value * value)
    else:
        found = share(size * value, size)
    assert found is not None  # noqa: S101 - the size is at least 1
    return found._replace(value=value)


def effective_size(judged: Judged) -> float:
    """How many judgements of different people would tell as much; people if all say the same."""
    sums, spread = judged.sums, _spread(judged)
    arm = ratio(sums)
    if isinstance(arm, Undefined) or spread <= 0:
        return float(max(1, sums.n))
    count = float(sums.d)
    error = arm.squared_error
    size = count if error * count <= spread else spread / error
    tail = (1 + CONFIDENCE) / 2
    few = float(stdtrit(count - 1, tail)) / float(stdtrit(sums.n - 1, tail))
    return max(1.0, size * few * few)


def compared(metric: str, a: Judged, b: Judged) -> Comparison | None:
    """b minus a by Welch's test over people; `None` where either says too little for one.

    Where a share is 0 or 100 % the interval is Newcombe's, of the two shares' own intervals; no
    interval of ratings is wider than what ratings can differ by.
    """
    arm = _rating if metric == RATING else rate
    diff = difference(arm(a.sums), arm(b.sums))
    if isinstance(diff, Undefined):
        return None
    found = compare(diff)
    if metric != RATING and {a.value, b.value} & {0.0, 1.0}:
        low, high = _newcombe(metric, a, b)
        return found._replace(low=low, high=high)
    if metric == RATING and found.low is not None and found.high is not None:
        most = float(MOST_STARS - LEAST_STARS)
        return found._replace(low=max(-most, found.low), high=min(most, found.high))
    return found


def shown(metric: str, judged: Judged) -> dict[str, Any]:
    """Value, interval and count as they are answered: nulls where nobody judged."""
    found = estimate(metric, judged)
    value, low, high = found or (None, None, None)
    return {"value": value, "low": low, "high": high, "count": judged.given}


def _rating(sums: Moments) -> Estimated:
    """A mean of ratings; where all people rate alike its error is that with two more of them, of
    one star and of five. Without them it would seem to be known exactly (as of `rate`).
    """
    arm = ratio(sums)
    if isinstance(arm, Undefined) or arm.variance > 0:
        return arm
    each = Fraction(sums.d) / sums.n
    worst, best = (Unit(ends * each, each) for ends in (LEAST_STARS, MOST_STARS))
    wider = ratio(joined(joined(sums, worst), best))
    if isinstance(wider, Undefined):
        return wider
    return arm._replace(variance=wider.variance, counted=wider.counted)


def _newcombe(metric: str, a: Judged, b: Judged) -> tuple[float, float]:
    one, other = estimate(metric, a), estimate(metric, b)
    assert one is not None and other is not None  # noqa: S101, PT018 - both have a value
    assert one.low is not None and one.high is not None  # noqa: S101, PT018 - shares always do
    assert other.low is not None and other.high is not None  # noqa: S101, PT018
    effect = other.value - one.value
    return (
        effect - math.hypot(other.value - other.low, one.high - one.value),
        effect + math.hypot(other.high - other.value, one.value - one.low),
    )


def _spread(judged: Judged) -> float:
    """The variance of single judgements; 0 of one."""
    count, total = int(judged.sums.d), int(judged.sums.m)
    if count < 2:
        return 0.0
    return max(0, judged.squares * count - total * total) / (count * (count - 1))
