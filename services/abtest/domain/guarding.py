"""Margins in the unit of a difference, and what follows from them: harm, not worse, the same."""

import math
from typing import NamedTuple

from services.abtest.domain.levels import Plan
from shared.experiments import margins, one_sided
from shared.experiments.answers import Undefined
from shared.experiments.estimators import Difference
from shared.experiments.fixed import student
from shared.experiments.margins import MARGIN, Measured
from shared.experiments.metrics import MetricConfig
from shared.experiments.one_sided import Harm

LOGARITHMIC = "response_time_ms"


class Guard(NamedTuple):
    """How a guardrail stands: `within` its margin, surely or (False) not surely."""

    harm: Harm
    reach: float
    """Standard errors of the one-sided bound of harm."""
    within: bool


def guard(
    diff: Difference, metric: MetricConfig, plan: Plan, measured: Measured | None = None
) -> Guard:
    """Both tests of a guardrail, at any look; `measured` is the control where D is adjusted."""
    higher = metric.better == "increase"
    harm = one_sided.harm(diff, higher_is_better=higher, planned=plan.n_star, alpha=plan.harm)
    reach = one_sided.critical(diff.units, plan.n_star, plan.harm)
    to_margin = one_sided.critical(diff.units, plan.n_star, plan.one_sided)
    return Guard(harm, reach, _within(diff, metric, to_margin, plan, measured))


def equivalent(diff: Difference, metric: MetricConfig, plan: Plan) -> bool:
    """Is the effect surely smaller than the least that matters?

    At any look by bounds that are valid at every look; of a test with planned units once, at its
    end: both would err twice.
    """
    mde = least_effect(metric, diff)
    if mde is None or (plan.hybrid and not plan.ended):
        return False
    alpha = plan.one_sided  # all variants must pass, so their number corrects nothing
    if plan.hybrid:
        reach = student(1 - alpha, diff.df) if diff.df else 0.0
    else:
        reach = one_sided.critical(diff.units, plan.n_star, alpha)
    return margins.equivalent(diff, reach, mde).passed


def has_no_margin(metric: MetricConfig, diff: Difference) -> bool:
    """Whether a guardrail's margin is a share of a control that is at 0: nothing is within it."""
    is_share = metric.margin is None or metric.relative
    return is_share and metric.name != LOGARITHMIC and metric.margin != 0 and diff.a.value == 0


def least_effect(metric: MetricConfig, diff: Difference) -> float | None:
    """`min_effect` in the unit of the difference; without one, or a baseline for it, `None`."""
    if metric.min_effect is None:
        return None
    found = _in_unit(metric.min_effect, metric, diff, sign=1)
    return found if found is not None and 0 < found < math.inf else None


def _within(
    diff: Difference, metric: MetricConfig, reach: float, plan: Plan, measured: Measured | None
) -> bool:
    higher = metric.better == "increase"
    share_of_control = metric.margin is None or metric.relative
    margin = MARGIN if metric.margin is None else metric.margin
    if margin == 0:  # not worse at all: surely better
        alpha = plan.one_sided
        flipped = one_sided.harm(
            diff, higher_is_better=not higher, planned=plan.n_star, alpha=alpha
        )
        return flipped.harmed
    if share_of_control and metric.name != LOGARITHMIC:
        found = margins.non_inferior(
            diff, reach, higher_is_better=higher, margin=margin, measured=measured
        )
        return not isinstance(found, Undefined) and found.passed
    relative = metric.model_copy(update={"relative": share_of_control})
    amount = _in_unit(margin, relative, diff, sign=-1 if higher else 1)
    if amount is None or amount <= 0:
        return False
    if amount == math.inf:  # a fall by all there is: nothing can be worse
        return True
    return margins.non_inferior_absolute(diff, reach, higher_is_better=higher, margin=amount).passed


def _in_unit(amount: float, metric: MetricConfig, diff: Difference, sign: int) -> float | None:
    """An amount, or a share of the control, as a distance on the scale of the difference.

    Of response times, whose difference is one of ln ms, an amount is ms on the control's geometric
    mean, upwards (`sign` 1) or downwards.
    """
    if metric.name != LOGARITHMIC:
        if not metric.relative:
            return amount
        return amount * diff.a.value if diff.a.value > 0 else None
    share = amount if metric.relative else amount / math.exp(diff.a.value)
    if sign < 0:
        return -math.log1p(-share) if share < 1 else math.inf
    return math.log1p(share)
