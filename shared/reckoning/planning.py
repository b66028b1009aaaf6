"""How many units an A/B test needs, and what it could see week by week, in each mode."""

import math
from typing import Literal

from pydantic import BaseModel

from shared.experiments.answers import Undefined
from shared.experiments.design import Design, Mode, Variances
from shared.experiments.planner import (
    absolute_mde,
    units_for_mean,
    units_for_rate,
    units_for_ratio,
    units_per_arm,
)
from shared.experiments.progress import WEEK, by_week
from shared.experiments.sequential import PLANNED_UNITS

MOST_UNITS = 10**9
LEAST_WEEKS, MOST_WEEKS = 4, 26
# Below a millionth of the spread the answer has more digits than there are people.
LEAST_EFFECT = 1e-6
TOO_MANY = (
    f"more than {MOST_UNITS:,} units would be needed: look for a larger effect, or for a metric "
    "that spreads less"
)

TOO_EXTREME = "alpha or power is so close to 0 or 1 that nothing can be reckoned with it"
LEAST_UNITS = 2


class AskedPlan(BaseModel):
    """A comparison that is to be planned; `baseline` and `min_effect` in the unit of `sd`."""

    kind: Literal["rate", "ratio", "mean"]
    baseline: float | None
    sd: float | None
    """Of one unit; a rate's follows from its baseline."""
    min_effect: float
    relative: bool
    """`min_effect` is a share of the baseline."""
    rises: bool
    """Which way a rate is to go."""
    history_units: float | None
    """How many units the baseline was seen on."""
    alpha: float
    power: float
    variants: int
    guardrails: int
    mode: Mode
    planned_units: float | None
    units_per_day: float | None


class WeekPlan(BaseModel):
    """After so many weeks: units of all variants, and the effect that would be found."""

    week: int
    units: int
    effect: float


class Plan(BaseModel):
    """Units of each variant by mode, or why there is no answer."""

    refusal: str | None = None
    min_effect: float | None = None
    """Absolute."""
    units: dict[Mode, int | None] = {}
    """Null: more than anybody has."""
    weeks: list[WeekPlan] = []


def plan(asked: AskedPlan) -> Plan:
    """Plan a comparison, or say why that cannot be done."""
    try:
        return _plan(asked)
    except (ArithmeticError, ValueError):
        # What was asked has been checked; what is left are quantiles without a finite number.
        return Plan(refusal=TOO_EXTREME)


def _plan(asked: AskedPlan) -> Plan:
    effect = _absolute(asked)
    if isinstance(effect, Undefined):
        return Plan(refusal=effect.reason)
    spread = math.sqrt(max(_variances(asked, effect)))
    if effect < LEAST_EFFECT * spread:
        return Plan(refusal=TOO_MANY, min_effect=effect)
    units: dict[Mode, int | None] = {}
    for mode in Mode:
        needed = _needed(asked, effect, mode)
        if isinstance(needed, Undefined):
            return Plan(refusal=needed.reason, min_effect=effect)
        one = max(LEAST_UNITS, *units_per_arm(needed))
        units[mode] = one if one * asked.variants <= MOST_UNITS else None
    if units[asked.mode] is None:
        return Plan(refusal=TOO_MANY, min_effect=effect, units=units)
    return Plan(min_effect=effect, units=units, weeks=_weeks(asked, effect, units[asked.mode]))


def _absolute(asked: AskedPlan) -> float | Undefined:
    if not asked.relative:
        return asked.min_effect
    assert asked.baseline is not None  # noqa: S101 - a share is asked only of something
    seen = math.inf if asked.history_units is None else asked.history_units
    variance = _variances(asked, 0.0).a
    return absolute_mde(asked.min_effect, asked.baseline, variance, seen)


def _needed(asked: AskedPlan, effect: float, mode: Mode) -> float | Undefined:
    design = _design(asked, mode)
    if asked.kind == "rate":
        assert asked.baseline is not None  # noqa: S101 - a rate is nothing else
        return units_for_rate(asked.baseline, effect if asked.rises else -effect, design)
    solve = units_for_mean if asked.kind == "mean" else units_for_ratio
    return solve(_variances(asked, effect), effect, design)


def _weeks(asked: AskedPlan, effect: float, units: int | None) -> list[WeekPlan]:
    if asked.units_per_day is None or units is None:
        return []
    wanted = math.ceil(units * asked.variants / asked.units_per_day / WEEK)
    weeks = min(max(wanted, LEAST_WEEKS), MOST_WEEKS)
    of_two = asked.units_per_day * 2 / asked.variants
    rows = by_week(_variances(asked, effect), of_two, weeks, _design(asked, asked.mode))
    if isinstance(rows, Undefined):
        return []
    return [
        WeekPlan(week=one.week, units=int(one.units * asked.variants / 2), effect=one.mde)
        for one in rows
    ]


def _design(asked: AskedPlan, mode: Mode) -> Design:
    return Design(
        asked.alpha,
        asked.power,
        treatments=asked.variants - 1,
        guardrails=asked.guardrails,
        mode=mode,
        # What a test without planned units is reckoned with.
        planned=asked.planned_units or PLANNED_UNITS,
    )


def _variances(asked: AskedPlan, effect: float) -> Variances:
    if asked.kind == "rate":
        assert asked.baseline is not None  # noqa: S101 - a rate is nothing else
        treated = asked.baseline + (effect if asked.rises else -effect)
        return Variances(_of_rate(asked.baseline), _of_rate(treated))
    assert asked.sd is not None  # noqa: S101 - only a rate goes without
    return Variances(asked.sd**2, asked.sd**2)


def _of_rate(rate: float) -> float:
    return rate * (1 - rate)
