"""While a test runs: what it could see by now, and how long until it sees enough."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy.special import ndtr

from shared.experiments.answers import Undefined, checked_positive
from shared.experiments.design import Design, Variances, quantile

WEEK = 7
NO_ARRIVALS = "no new units arrive"
GATES = "the minimum sample is not reached"
NO_VARIANCE = "no variance yet"


def detectable(se: float, units: float, design: Design) -> float:
    """MDE = (c + z(1 - beta)) SE: the smallest true effect that would be found so often."""
    return (design.reach(units) + quantile(1 - design.beta)) * se


def power(mde: float, se: float, units: float, design: Design) -> float | Undefined:
    """Chance to find an effect of `mde` at one look with this standard error."""
    if se <= 0:
        return Undefined(NO_VARIANCE)
    distance, c = abs(mde) / se, design.reach(units)
    return float(ndtr(distance - c) + ndtr(-distance - c))


def units_needed(units: float, se: float, mde: float, design: Design) -> float | Undefined:
    """N ((c + z(1 - beta)) SE / MDE)^2: units of both arms at which `mde` is found so often."""
    checked_positive(abs(mde), "MDE")
    if se <= 0:
        return Undefined(NO_VARIANCE)
    return units * (detectable(se, units, design) / mde) ** 2


def days_left(
    needed: float, units: float, new_by_day: Sequence[float], *, gates_met: bool = True
) -> float | Undefined:
    """Days until `needed` units, at the mean of the last seven days of new units."""
    if not gates_met:
        return Undefined(GATES)
    recent = new_by_day[-WEEK:]
    per_day = sum(recent) / len(recent) if recent else 0.0
    if per_day <= 0:
        return Undefined(NO_ARRIVALS)
    return max(0.0, needed - units) / per_day


class Week(NamedTuple):
    """After so many weeks: units of both arms, and the effect that would be found."""

    week: int
    units: float
    mde: float


def by_week(
    variances: Variances, new_per_day: float, weeks: int, design: Design
) -> list[Week] | Undefined:
    """MDE at the end of each week, where so many new units of both arms arrive every day."""
    if new_per_day <= 0:
        return Undefined(NO_ARRIVALS)
    variance = variances.per_unit_of_a(checked_positive(design.split, "split"))
    if variance <= 0:
        return Undefined(NO_VARIANCE)
    rows = []
    for week in range(1, weeks + 1):
        units = week * WEEK * new_per_day
        se = math.sqrt(variance * (1 + design.split) / units)
        rows.append(Week(week, units, detectable(se, units, design)))
    return rows
