"""Trends that one bad hour does not make: Theil-Sen's slope, its interval, and a test beside it.

Slope and interval: Theil-Sen [Sen 1968], by scipy. Whether there is a trend at all: Mann-Kendall
with its variance corrected for autocorrelation [Hamed and Rao 1998], by pymannkendall. It is called
rising or falling only if the interval excludes zero and the test agrees.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from pymannkendall import hamed_rao_modification_test, original_test
from scipy.stats import theilslopes

LEAST_POINTS = 10
# Part of a day's rise and fall looks like a trend: of less than three days nothing is said.
LEAST_SPAN = 72
CONFIDENCE = 0.95

Direction = Literal["rising", "falling", "steady", "unknown"]


class Trend(BaseModel):
    """How a measure moves, per hour (or whatever the steps are)."""

    direction: Direction
    slope: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    points: int


def _p_value(observed: NDArray[np.float64]) -> float:
    """Of there being no trend.

    Where the correction has no positive variance to offer (what is left of a straight line, or of a
    series that jumps back and forth), the plain test, which then errs on the side of no trend.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        corrected = float(hamed_rao_modification_test(observed).p)
    return float(original_test(observed).p) if np.isnan(corrected) else corrected


def trend(values: list[float | None], least_span: int = LEAST_SPAN) -> Trend:
    """The trend of a series by hours, or other steps; those without a value are left out."""
    known = [(at, one) for at, one in enumerate(values) if one is not None]
    if len(known) < LEAST_POINTS or known[-1][0] - known[0][0] + 1 < least_span:
        return Trend(direction="unknown", points=len(known))
    places, observed = (np.array(one, dtype=np.float64) for one in zip(*known, strict=True))
    if np.ptp(observed) == 0:
        return Trend(direction="steady", slope=0, low=0, high=0, p_value=1, points=len(known))
    slope, _, low, high = theilslopes(observed, places, alpha=CONFIDENCE)
    p_value = _p_value(observed)
    direction: Direction = "steady"
    if p_value < 1 - CONFIDENCE and (low > 0 or high < 0):
        direction = "rising" if slope > 0 else "falling"
    return Trend(
        direction=direction,
        slope=float(slope),
        low=float(low),
        high=float(high),
        p_value=p_value,
        points=len(known),
    )
