"""Cut what is extreme: one outlier of cost or time decides a mean alone.

The limit is the 99.9th percentile of the time before the test, over all arms, and frozen at its
start: a limit from the test's own data would depend on the treatment.
"""

import math
from collections.abc import Mapping, Sequence

from shared.experiments.answers import Undefined
from shared.measures.sketch import quantiles

QUANTILE = 0.999
FEWEST_VALUES = 1_000
TOO_FEW = f"fewer than {FEWEST_VALUES:,} values before the test: not winsorised"


def limit(values: Sequence[float]) -> float | Undefined:
    """The limit from values before the test: the one of rank q(n - 1), rounded up."""
    if len(values) < FEWEST_VALUES:
        return Undefined(TOO_FEW)
    return sorted(values)[math.ceil(QUANTILE * (len(values) - 1))]


def limit_of_sketch(counts: Mapping[int, int]) -> float | Undefined:
    """The same from a sketch (bin -> count), within its accuracy of 1 %."""
    if sum(counts.values()) < FEWEST_VALUES:
        return Undefined(TOO_FEW)
    found = quantiles(counts, (QUANTILE,))
    return Undefined(TOO_FEW) if found is None else found[0]


def winsorised(value: float, at: float | None) -> float:
    """The value, or the limit where it is above; without a limit, the value."""
    return value if at is None else min(value, at)
