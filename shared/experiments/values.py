"""From what was measured to the integers that are summed: only integers add up the same anywhere.

Micro: 1e-6 of a unit. Response times are carried as round(1e6 ln ms).
"""

import math
from enum import StrEnum

MICRO = 1_000_000
SMALLEST_MS = 1e-3  # a microsecond: the clock does not see less, and ln 0 is no number


class Rejected(StrEnum):
    """Why a value is not counted; it goes to the dead letters under this name."""

    NOT_A_NUMBER = "not a number"
    INFINITE = "infinite"
    NEGATIVE = "negative"


def rejection(value: float, *, may_be_negative: bool = False) -> Rejected | None:
    """Why a measured value must not enter any sum; `None` when it may."""
    if math.isnan(value):
        return Rejected.NOT_A_NUMBER
    if math.isinf(value):
        return Rejected.INFINITE
    return Rejected.NEGATIVE if value < 0 and not may_be_negative else None


def micro(value: float) -> int:
    """A value in 1e-6 of its unit."""
    return round(value * MICRO)


def ln_micro(ms: float) -> int:
    """1e6 ln(ms), the logarithm of a response time of at least a microsecond."""
    return round(math.log(max(ms, SMALLEST_MS)) * MICRO)


def rounded_mean(total: int, count: int) -> int:
    """The mean of a unit's integers as the nearest integer, halves to even; `count` > 0.

    In integers throughout, so that it is the same on every machine and in any order.
    """
    quotient, rest = divmod(total, count)
    above = 2 * rest - count
    return quotient + (above > 0 or (above == 0 and quotient % 2 == 1))
