"""How far stated confidence is from what came true, with an interval."""

import math
from collections.abc import Mapping

from scipy.special import ndtri

from shared.measures.fold import CALIBRATION_BINS, MICRO
from shared.measures.intervals import CONFIDENCE, Estimate

FEW_IN_A_BIN = 20
LABELS = 200  # fewer say nothing about calibration


def error(cell: Mapping[str, int], confidence: float = CONFIDENCE) -> Estimate | None:
    """Expected calibration error, its floor taken off the lower end.

    A calibrated model's error is not 0 but about sqrt(2/pi) of the bins' standard errors together;
    bins of fewer than 20 join the next. Source: Naeini 2015 for the error; the interval is ours.
    """
    n = cell.get("conf_n", 0)
    if n < LABELS:
        return None
    bins = _bins(cell)
    error = sum(abs(said - outcomes) for _, said, outcomes in bins) / n
    spread = [count * (p := outcomes / count) * (1 - p) / n**2 for count, _, outcomes in bins]
    floor = math.sqrt(2 / math.pi) * sum(map(math.sqrt, spread))
    half = float(ndtri((1 + confidence) / 2)) * math.sqrt(sum(spread))
    return Estimate(error, max(0.0, error - floor - half), min(1.0, error + half))


def _bins(cell: Mapping[str, int]) -> list[tuple[int, float, int]]:
    """Count, stated confidence and successes of each bin; small ones joined to the next."""
    bins: list[tuple[int, float, int]] = []
    count, said, outcomes = 0, 0.0, 0
    for place in range(CALIBRATION_BINS):
        count += cell.get(f"k:{place}:n", 0)
        said += cell.get(f"k:{place}:c", 0) / MICRO
        outcomes += cell.get(f"k:{place}:o", 0)
        if count >= FEW_IN_A_BIN:
            bins.append((count, said, outcomes))
            count, said, outcomes = 0, 0.0, 0
    if count and bins:
        last = bins.pop()
        bins.append((last[0] + count, last[1] + said, last[2] + outcomes))
    elif count:
        bins.append((count, said, outcomes))
    return bins
