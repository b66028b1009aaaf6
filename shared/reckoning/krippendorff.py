"""How far raters agree beyond chance: Krippendorff's alpha, with missing values and an interval.

alpha = 1 - observed / expected disagreement over pairs of values within units [Krippendorff 2011,
Computing Krippendorff's Alpha-Reliability]; 1 is agreement, 0 what chance gives, below 0 less. The
interval is a percentile bootstrap over units with a fixed seed: units are what is drawn, raters are
not. Ranks of the ordinal distance are those of all values, in each draw.
"""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

Level = Literal["nominal", "ordinal", "interval"]
Value = int | float | str | bool
Unit = Sequence[Value | None]
"""What each rater said of one thing; `None` where one said nothing."""
Distance = Mapping[tuple[Hashable, Hashable], float]

CONFIDENCE: Final = 0.95
DRAWS: Final = 1_000
SEED: Final = 11
LEAST_UNITS: Final = 2
"""Units that two raters judged: of one alone no spread is known."""


class Alpha(NamedTuple):
    """Agreement with its interval; `units` and `values` are those that can be compared."""

    value: float
    low: float | None
    high: float | None
    units: int
    values: int


class _Sums(NamedTuple):
    """What a unit adds: its values, and the disagreement of its pairs for each of them."""

    values: Counter[Value]
    observed: float


def alpha(units: Sequence[Unit], level: Level, draws: int = DRAWS) -> Alpha | None:
    """Agreement over units; `None` where nothing can be compared, or all values are the same."""
    judged = [counts for counts in map(_counts, units) if counts.total() > 1]
    totals: Counter[Value] = Counter()
    for one in judged:
        totals.update(one)
    if len(totals) < 2:
        return None
    distance = _distances(totals, level)
    # Sorted, so that the order in which units came decides no draw.
    sums = sorted((_Sums(one, _observed(one, distance)) for one in judged), key=_order)
    value = _alpha(sums, distance)
    if value is None:  # values so near each other that their distance is 0
        return None
    low, high = _interval(sums, distance, draws)
    return Alpha(value, low, high, len(judged), totals.total())


def _counts(unit: Unit) -> Counter[Value]:
    return Counter(one for one in unit if one is not None)


def _order(one: _Sums) -> list[tuple[str, int]]:
    return sorted((repr(value), count) for value, count in one.values.items())


def _distances(totals: Counter[Value], level: Level) -> Distance:
    """Squared distances of all pairs of values; those of ranks stand on how often values are."""
    if level == "nominal":
        return {(a, b): float(a != b) for a in totals for b in totals}
    numbers = sorted(totals)
    if level == "interval":
        return {(a, b): float(a - b) ** 2 for a in numbers for b in numbers}  # type: ignore[operator]
    below, place = 0.0, {}
    for one in numbers:  # the middle of a value's ranks
        place[one] = below + totals[one] / 2
        below += totals[one]
    return {(a, b): (place[a] - place[b]) ** 2 for a in numbers for b in numbers}


def _observed(counts: Counter[Value], distance: Distance) -> float:
    apart = math.fsum(
        counts[a] * counts[b] * distance[a, b] for a in sorted(counts, key=repr) for b in counts
    )
    return apart / (counts.total() - 1)


def _alpha(sums: Sequence[_Sums], distance: Distance) -> float | None:
    totals: Counter[Value] = Counter()
    for one in sums:
        totals.update(one.values)
    count = totals.total()
    expected = math.fsum(totals[a] * totals[b] * distance[a, b] for a in totals for b in totals)
    if expected == 0:
        return None
    return 1 - (count - 1) * math.fsum(one.observed for one in sums) / expected


def _interval(
    sums: Sequence[_Sums], distance: Distance, draws: int
) -> tuple[float | None, float | None]:
    if len(sums) < LEAST_UNITS or draws < 1:
        return None, None
    names = sorted({value for one in sums for value in one.values}, key=repr)
    apart = np.array([[distance[a, b] for b in names] for a in names])
    values = np.array([[one.values[name] for name in names] for one in sums], dtype=np.float64)
    observed = np.array([one.observed for one in sums])
    chance = np.random.default_rng(SEED)
    found = []
    for _ in range(draws):
        times = chance.multinomial(len(sums), np.full(len(sums), 1 / len(sums)))
        totals = times @ values
        expected = float(totals @ apart @ totals)
        # A draw in which all say the same has nothing to disagree on: agreement, as far as it
        # shows.
        disagreed = float(times @ observed) * (totals.sum() - 1)
        found.append(1 - disagreed / expected if expected else 1.0)
    found.sort()
    tail = (1 - CONFIDENCE) / 2
    return found[math.floor(tail * (draws - 1))], found[math.ceil((1 - tail) * (draws - 1))]
