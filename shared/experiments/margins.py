"""Not worse by more than a margin, or the same within one.

`critical` says how many standard errors a one-sided bound reaches: `one_sided.critical` at any
look, Student's t(1 - alpha, df) at the planned end. Sources: the linear contrast of a relative
margin is ours, its use as a rule for shipping Schultzberg et al. 2024; TOST, Schuirmann 1987.
"""

import math
from typing import NamedTuple

from shared.experiments.answers import NO_VARIANCE, Undefined, checked_positive
from shared.experiments.estimators import Arm, Difference

MARGIN = 0.02
NO_BASELINE = "a relative margin needs a control above 0; use an absolute one"


class Margin(NamedTuple):
    """`contrast` > 0: better than the margin allows, surely so when its `bound` is above 0."""

    contrast: float
    bound: float | None
    passed: bool
    reason: str | None = None


class Measured(NamedTuple):
    """The control before an adjustment."""

    control: Arm
    shared: float
    """Covariance of its value with the adjusted one."""


def non_inferior(
    diff: Difference,
    critical: float,
    *,
    higher_is_better: bool,
    margin: float = MARGIN,
    measured: Measured | None = None,
) -> Margin | Undefined:
    """Is b worse by less than the share `margin` of the control?

    Higher is better: L = b - (1 - k) a. Lower is better: L = (1 + k) a - b. Both with the squared
    errors of their terms added: the margin moves with the control, which is uncertain as well.
    Where D is adjusted, the margin still is a share of the control as it was `measured`.
    """
    checked_positive(margin, "margin")
    if diff.a.value <= 0:
        return Undefined(NO_BASELINE)
    kept = 1 - margin if higher_is_better else 1 + margin
    contrast = diff.b.value - kept * diff.a.value
    if measured is None:
        squared = diff.b.squared_error + kept * kept * diff.a.squared_error
    else:  # of D + k a, or of k a - D: D holds -a, as far as both have it in common
        common = -measured.shared if higher_is_better else measured.shared
        own = margin * margin * measured.control.squared_error
        squared = diff.se**2 + own + 2 * margin * common
    se = math.sqrt(max(0.0, squared))
    return _bounded(contrast if higher_is_better else -contrast, se, critical)


def non_inferior_absolute(
    diff: Difference, critical: float, *, higher_is_better: bool, margin: float
) -> Margin:
    """Is b worse by less than `margin`, in the metric's unit?"""
    better = diff.effect if higher_is_better else -diff.effect
    return _bounded(better + checked_positive(margin, "margin"), diff.se, critical)


def equivalent(diff: Difference, critical: float, mde: float) -> Margin:
    """Are both one-sided bounds of D inside +-mde? `contrast` is the nearer border's distance."""
    return _bounded(checked_positive(mde, "MDE") - abs(diff.effect), diff.se, critical)


def _bounded(contrast: float, se: float, critical: float) -> Margin:
    if se == 0:
        return Margin(contrast, None, False, NO_VARIANCE)
    bound = contrast - critical * se
    return Margin(contrast, bound, bound > 0)
