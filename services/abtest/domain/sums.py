"""A unit's totals as what it adds to the sums of each metric, and how those change with it."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from services.abtest.domain.rows import NOTHING, TOTALS
from services.abtest.domain.state import UNIT_MEANS
from shared.experiments.metrics import MetricName
from shared.experiments.moments import Moments, Unit
from shared.experiments.values import MICRO, rounded_mean

Sums = list[int]
"""Members of `Moments`: columns of `ab_sums`."""
COLUMNS: Final = Moments._fields
PLAIN: Final = 6
"""How many of them need no past."""
RATINGS: Final = 5


class _Place(NamedTuple):
    metric: MetricName
    m: int
    d: int
    factor: int
    """What a total is multiplied by to be in micro; 0 where totals themselves are summed."""


_TOTALS: Final[Mapping[MetricName, tuple[str, str, int]]] = {
    "success_rate": ("ok", "n", 0),
    "response_time_ms": ("ln", "n", 1),
    "share_slower_than_slo": ("slow", "n", 0),
    "tokens": ("tok", "tok_n", 0),
    "cost_usd": ("cost", "cost_n", 0),
    "confidence": ("conf", "conf_n", 0),
    "rating": ("rating", "rating_n", MICRO),
    "helpful": ("helpful", "helpful_n", 0),
    "accurate": ("accurate", "accurate_n", 0),
    "relevant": ("relevant", "relevant_n", 0),
    "fast": ("fast", "fast_n", 0),
}
_RATED: Final = TOTALS.index("rating_n")
_PLACES: Final = tuple(
    _Place(metric, TOTALS.index(m), TOTALS.index(d), factor)
    for metric, (m, d, factor) in _TOTALS.items()
)
assert {one.metric for one in _PLACES if one.factor} == UNIT_MEANS  # noqa: S101 - of this file


def units_of(totals: Sequence[int]) -> dict[MetricName, Unit]:
    """What a unit holds of every metric that it has a value of."""
    return {
        one.metric: Unit(*_held(one, totals[one.m], totals[one.d]))
        for one in _PLACES
        if totals[one.d]
    }


def rating_of(totals: Sequence[int]) -> int | None:
    """A unit's mean rating, rounded; `None` without any."""
    count = totals[_RATED]
    return rounded_mean(totals[_RATED + 1], count) if count else None


def shift(
    sums: dict[str, Sums],
    before: Sequence[int],
    after: Sequence[int],
    was: Sequence[int] = NOTHING,
    now: Sequence[int] = NOTHING,
) -> None:
    """Let a unit that held `before` hold `after`; without a value it is in no sums.

    `was` and `now` are its totals of before the test, as far as they are in the sums.
    """
    is_same_past = was == now
    for one in _PLACES:
        _, at, by, factor = one
        m, d, p, q = before[at], before[by], after[at], after[by]
        if d == q and m == p and (is_same_past or not q):
            continue
        is_there, was_there = q > 0, d > 0
        if factor:
            (m, d), (p, q) = _held(one, m, d), _held(one, p, q)
        held = sums.get(one.metric)
        if held is None:
            held = sums[one.metric] = [0] * len(COLUMNS)
        held[0] += is_there - was_there
        held[1] += p - m
        held[2] += p * p - m * m
        held[3] += q - d
        held[4] += q * q - d * d
        held[5] += p * q - m * d
        if was_there and was[by]:
            _add_past(held, one, (m, d), was, -1)
        if is_there and now[by]:
            _add_past(held, one, (p, q), now, 1)


def _add_past(
    held: Sums, one: _Place, unit: tuple[int, int], past: Sequence[int], sign: int
) -> None:
    """Products of a unit's m and d with what it held before the test."""
    m, d = unit
    x, y = _held(one, past[one.m], past[one.d])
    products = (x, x * x, m * x, y, y * y, x * y, m * y, d * x, d * y, 1, m, d)
    for place, value in enumerate(products, PLAIN):
        held[place] += sign * value


def _held(one: _Place, total: int, count: int) -> tuple[int, int]:
    """m and d of a unit's total and count."""
    if not one.factor or not count:
        return total, count
    return rounded_mean(total * one.factor, count), 1
