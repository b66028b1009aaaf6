"""Decisions that may be looked at after every unit and still err in at most `alpha` of A/A tests.

Sources: Waudby-Smith et al. 2021, eq. 9, and Howard et al. 2021 for the always-valid interval; the
hybrid of an always-valid look and one planned test is after Eppo.
"""

import math
from typing import NamedTuple

from shared.experiments.answers import (
    ALPHA,
    Comparison,
    checked_level,
    checked_positive,
    untestable,
)
from shared.experiments.estimators import Difference
from shared.experiments.fixed import compare as compare_fixed

PLANNED_UNITS = 5_000
"""N* where no sample size was planned: the units of both arms at which the interval is tightest."""


def tuning(planned: float, alpha: float) -> float:
    """r^2 = (L + ln(1 + L)) / N*, L = -2 ln alpha: tightest at N* units."""
    length = -2 * math.log(alpha)
    return (length + math.log1p(length)) / planned


def critical(units: float, planned: float = PLANNED_UNITS, alpha: float = ALPHA) -> float:
    """c_N: how many standard errors the always-valid interval reaches to each side at N units."""
    checked_level(alpha)
    x = checked_positive(units, "units") * tuning(checked_positive(planned, "N*"), alpha)
    return math.sqrt(2 * (x + 1) / x * (math.log1p(x) / 2 - math.log(alpha)))


def log_p(z: float, units: float, planned: float = PLANNED_UNITS, alpha: float = ALPHA) -> float:
    """ln of the always-valid p at one look; N* and alpha say where it is sharpest."""
    x = units * tuning(planned, alpha)
    return min(0.0, math.log1p(x) / 2 - x * z * z / (2 * (x + 1)))


def compare(diff: Difference, planned: float = PLANNED_UNITS, alpha: float = ALPHA) -> Comparison:
    """D +- c_N SE, and p. Keep the smallest p of all looks; do not intersect their intervals."""
    checked_level(alpha)
    if diff.se == 0:
        return untestable(diff.effect)
    half = critical(diff.units, planned, alpha) * diff.se
    p = math.exp(log_p(diff.effect / diff.se, diff.units, planned, alpha))
    return Comparison(diff.effect, diff.effect - half, diff.effect + half, p)


class Hybrid(NamedTuple):
    """One look at a test with a registered sample size; once `frozen`, it stays as it is."""

    comparison: Comparison
    frozen: bool


def hybrid(
    diff: Difference,
    planned: float,
    alpha: float = ALPHA,
    before: Hybrid | None = None,
    *,
    ended: bool | None = None,
) -> Hybrid:
    """Half of alpha for looks below `planned` units, half for one t-test at the first look beyond.

    `ended` says that of the whole test where these are two variants of several, or a metric that
    not every unit has; without it these two arms' units are counted.

    p is twice that of the part in force, so that p <= alpha where the interval excludes 0.
    `before` is the last look's answer; keep the smallest p of all looks here too.
    """
    checked_level(alpha)
    if before is not None and before.frozen:
        return before
    if ended is None:
        ended = diff.units >= checked_positive(planned, "planned units")
    part = compare_fixed(diff, alpha / 2) if ended else compare(diff, planned, alpha / 2)
    return Hybrid(part._replace(p=min(1.0, 2 * part.p)), ended)
