"""What a computation answers: numbers, or the reason why there are none."""

import math
from typing import NamedTuple

ALPHA = 0.05

NO_UNITS = "no units yet"
ONE_UNIT = "one unit has no variance"
NO_OPERATIONS = "the denominator is 0: undefined"
NO_VARIANCE = "cannot test: no variance in either arm"


class Undefined(NamedTuple):
    """Nothing can be computed; `reason` is for people."""

    reason: str


class Comparison(NamedTuple):
    """An effect in the metric's own unit, its interval and the p-value of "no effect".

    Without variance in both arms there is no interval, `p` is 1 and `reason` says so: the one case
    where a p-value is given though nothing was tested.
    """

    effect: float
    low: float | None
    high: float | None
    p: float
    reason: str | None = None

    @property
    def excludes_zero(self) -> bool:
        """Is the whole interval on one side of 0?"""
        if self.low is None or self.high is None:
            return False
        return self.low > 0 or self.high < 0


def untestable(effect: float) -> Comparison:
    """The effect as it is seen, and nothing claimed about it."""
    return Comparison(effect, None, None, 1.0, NO_VARIANCE)


def checked_level(alpha: float, *, below: float = 1.0) -> float:
    """The level of a test, or ValueError when it is not inside (0, `below`)."""
    if not 0 < alpha < below:
        raise ValueError(f"alpha must be inside (0, {below:g}), not {alpha!r}")
    return alpha


def checked_positive(value: float, name: str) -> float:
    """A finite number above 0, or ValueError: an MDE, a margin, a sample size."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a number above 0, not {value!r}")
    return value
