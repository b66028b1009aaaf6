"""DDSketch in plain integers: bucket keys and counts, mergeable by addition.

Source: Masson, Rim, Lee, "DDSketch" (VLDB 2019). Relative accuracy 1 %: gamma = 1.01 / 0.99,
key = ceil(log_gamma x), value 2 gamma^key / (1 + gamma), rank q (n - 1).
"""

import math
from collections.abc import Mapping, Sequence

ACCURACY = 0.01
GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
LN_GAMMA = math.log(GAMMA)
# Below a microsecond (in ms) everything is zero: it keeps keys within about 1,400 buckets.
SMALLEST = 1e-3
ZERO_KEY = -(2**15)


def key_of(value: float) -> int:
    """The bucket of a value >= 0."""
    return math.ceil(math.log(value) / LN_GAMMA) if value >= SMALLEST else ZERO_KEY


def value_of(key: int) -> float:
    """The value that stands for a bucket, within 1 % of all in it."""
    return 0.0 if key == ZERO_KEY else 2 * GAMMA**key / (1 + GAMMA)


def quantiles(counts: Mapping[int, int], at: Sequence[float]) -> list[float] | None:
    """Values at ascending quantiles; `None` when nothing was observed."""
    total = sum(counts.values())
    if total == 0:
        return None
    keys = sorted(counts)
    answers, seen, index = [], counts[keys[0]], 0
    for quantile in at:
        rank = quantile * (total - 1)
        while seen <= rank and index < len(keys) - 1:
            index += 1
            seen += counts[keys[index]]
        answers.append(value_of(keys[index]))
    return answers


def share_above(counts: Mapping[int, int], limit: float) -> float | None:
    """Share of observations in buckets above the limit's own; `None` when nothing was observed."""
    total = sum(counts.values())
    if total == 0:
        return None
    border = key_of(limit)
    return sum(count for key, count in counts.items() if key > border) / total
