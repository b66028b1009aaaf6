"""One-sided bounds that may be looked at any time: is the treatment worse?

Sources: the bound g_N as in gbstats, after Waudby-Smith et al. 2021; its p-value is the inversion.
Uncorrected for the number of guardrails: a false alarm costs a look, a missed one costs users.
"""

import math
from typing import NamedTuple

from shared.experiments.answers import ALPHA, NO_VARIANCE, checked_level, checked_positive
from shared.experiments.estimators import Difference
from shared.experiments.sequential import PLANNED_UNITS, tuning


def critical(units: float, planned: float = PLANNED_UNITS, alpha: float = ALPHA) -> float:
    """g_N: how many standard errors below an effect its one-sided bound is; alpha < 0.5."""
    x = _scaled(units, planned, alpha)
    return math.sqrt(2 * (x + 1) / x * math.log1p(math.sqrt(x + 1) / (2 * alpha)))


def log_p(z: float, units: float, planned: float = PLANNED_UNITS, alpha: float = ALPHA) -> float:
    """ln of p = sqrt(x+1) / (2 (e^y - 1)), y = x z^2 / (2 (x+1)); 0 when z <= 0."""
    if z <= 0:
        return 0.0
    x = _scaled(units, planned, alpha)
    y = x * z * z / (2 * (x + 1))
    # ln(e^y - 1) without the overflow of e^y.
    ln_expm1 = y + math.log(-math.expm1(-y)) if y > 0 else -math.inf
    return min(0.0, math.log1p(x) / 2 - math.log(2) - ln_expm1)


class Harm(NamedTuple):
    """How much worse b is (`effect` > 0: worse), at least (`bound`), and whether that is harm."""

    effect: float
    bound: float | None
    p: float
    harmed: bool
    reason: str | None = None


def harm(
    diff: Difference,
    *,
    higher_is_better: bool,
    planned: float = PLANNED_UNITS,
    alpha: float = ALPHA,
) -> Harm:
    """A guardrail: harmed when even the lower bound of the worsening is above 0."""
    checked_level(alpha, below=0.5)
    worse = -diff.effect if higher_is_better else diff.effect
    if diff.se == 0:
        return Harm(worse, None, 1.0, False, NO_VARIANCE)
    bound = worse - critical(diff.units, planned, alpha) * diff.se
    p = math.exp(log_p(worse / diff.se, diff.units, planned, alpha))
    return Harm(worse, bound, p, bound > 0)


def _scaled(units: float, planned: float, alpha: float) -> float:
    # 2 alpha: one side of a two-sided interval at 2 alpha; from 0.5 on there is none.
    checked_level(alpha, below=0.5)
    return checked_positive(units, "units") * tuning(checked_positive(planned, "N*"), 2 * alpha)
