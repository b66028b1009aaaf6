"""What a variant itself was seen to be, with an interval of one look: it describes, no more."""

import math

from services.abtest.domain import gates, phases
from services.abtest.domain.guarding import LOGARITHMIC
from services.abtest.domain.state import SCALE, TestState
from shared.experiments.answers import Undefined
from shared.experiments.estimators import Arm
from shared.experiments.fixed import student
from shared.experiments.metrics import SHARES, MetricName
from shared.experiments.results import ValueResult
from shared.measures.intervals import scaled, share

CONFIDENCE = 0.95
ENDS = {"rating": (1.0, 5.0), "tokens": (0.0, math.inf), "cost_usd": (0.0, math.inf)}
"""Where a metric's values end, and its interval with them."""


def valued(state: TestState, metric: MetricName, variant: str) -> ValueResult:
    """In the metric's own unit; of response times the geometric mean in ms."""
    arm = phases.value(state, metric, variant)
    if isinstance(arm, Undefined):
        return ValueResult(value=_of_too_few(state, metric, variant))
    if metric in phases.SHARES_OF_OPERATIONS:
        return _of_share(state, metric, variant, arm)
    half = student((1 + CONFIDENCE) / 2, arm.counted - 1) * math.sqrt(arm.squared_error)
    if metric == LOGARITHMIC:
        ends = (scaled(1.0, arm.value + side) for side in (0.0, -half, half))
        value, low, high = ends
        return ValueResult(value=value, low=low, high=high)
    least, most = (0.0, 1.0) if metric in SHARES else ENDS[metric]
    low, high = max(least, arm.value - half), min(most, arm.value + half)
    return ValueResult(value=arm.value, low=min(low, arm.value), high=max(high, arm.value))


def _of_share(state: TestState, metric: MetricName, variant: str, arm: Arm) -> ValueResult:
    """By as many independent operations as the error over units is worth: p (1 - p) / SE^2."""
    found = gates.kinds(state, metric, variant)
    is_edge = min(found.yes, found.no) == 0
    p = arm.value
    worth = arm.units if is_edge or not arm.squared_error else p * (1 - p) / arm.squared_error
    shown = share(p * worth, worth, CONFIDENCE)
    if shown is None:
        return ValueResult(value=p)
    return ValueResult(value=p, low=shown.low, high=shown.high)


def _of_too_few(state: TestState, metric: MetricName, variant: str) -> float | None:
    """One unit has a value and no interval; no unit has neither."""
    total = phases.pooled(state, metric, variant)
    if total.n != 1 or not total.d:
        return None
    value = float(total.m / total.d) * SCALE[metric]
    return scaled(1.0, value) if metric == LOGARITHMIC else value
