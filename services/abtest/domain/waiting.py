"""How many days a test still needs, at the pace at which units came in the last week."""

import math
from datetime import UTC, date, datetime, time, timedelta

from services.abtest.domain.gates import Gate, Unmet
from services.abtest.domain.guarding import least_effect
from services.abtest.domain.levels import design, measured
from services.abtest.domain.state import TestState
from services.abtest.domain.verdict import Decision
from shared.experiments import progress
from shared.experiments.answers import Undefined
from shared.experiments.lifecycle import State

HOURS = 24
A_DAY = timedelta(days=1)


def days_left(state: TestState, decision: Decision, now: datetime) -> float | None:
    """Until the next thing that can end it; `None` where nobody can know, or nothing is awaited."""
    if state.state is not State.RUNNING:
        return None
    if decision.verdict == "COLLECTING" and decision.unmet is not None:
        return _until_enough(state, decision.unmet, now)
    if decision.verdict != "KEEP_RUNNING":
        return None
    runtime = max(0.0, state.config.min_runtime_hours - max(0.0, state.run_hours)) / HOURS
    only_time = decision.unmet is not None and decision.unmet.gate is Gate.RUNTIME
    if only_time and len(decision.about) == 1 and _is_sure(decision) and not decision.waiting:
        return runtime
    units = _until_seen(state, decision, now)
    return None if units is None else max(units, runtime)


def arrivals(state: TestState, now: datetime) -> list[float]:
    """New units of each of the last whole days, 0 where none came; before two days, of all hours.

    The first day and today are parts of days, and so are those on which the test was paused.
    """
    first = state.started_at.date()
    days = (first + n * A_DAY for n in range(1, (now.date() - first).days))
    whole = [day for day in days if _ran_through(state, day)]
    if whole:
        return [float(state.new_units.get(day, 0)) for day in whole[-progress.WEEK :]]
    hours = max(state.run_hours, 1.0)
    return [sum(state.new_units.values()) / hours * HOURS]


def _ran_through(state: TestState, day: date) -> bool:
    begin = datetime.combine(day, time(), UTC)
    end = begin + A_DAY
    return not state.spans or any(
        span.since <= begin and (span.until is None or end <= span.until) for span in state.spans
    )


def _is_sure(decision: Decision) -> bool:
    row = decision.about[0]
    return row.p_better < row.plan.alpha


def _until_enough(state: TestState, unmet: Unmet, now: datetime) -> float | None:
    """Units of a variant, or operations of a kind, at the pace of that variant or kind so far."""
    pace = arrivals(state, now)
    if unmet.gate is Gate.UNITS:
        everybody = sum(state.new_units.values())
        share = unmet.have / everybody if everybody else 0.0
        found = progress.days_left(unmet.need, unmet.have, [share * of_day for of_day in pace])
    else:
        per_day = unmet.have / max(state.run_hours, 1.0) * HOURS
        found = progress.days_left(unmet.need, unmet.have, [per_day])
    return None if isinstance(found, Undefined) else found


def _until_seen(state: TestState, decision: Decision, now: datetime) -> float | None:
    """Until the planned units, or those at which `min_effect` would be found."""
    units = measured(state)
    needed: float = state.config.planned_units or 0
    if 0 < needed <= units:
        return 0.0
    for row in decision.about if not needed else ():
        mde = None if isinstance(row.diff, Undefined) else least_effect(row.metric, row.diff)
        if mde is None or isinstance(row.diff, Undefined):
            return None
        held = design(state.config, row.plan.n_star)
        own = progress.units_needed(row.diff.units, row.diff.se, mde, held)
        if isinstance(own, Undefined):
            return None
        needed = max(needed, units * own / row.diff.units)
    everybody = sum(arm.units for arm in state.arms.values())
    share = units / everybody if everybody else 1.0  # of those who came, who did something
    found = progress.days_left(needed, units, [share * of_day for of_day in arrivals(state, now)])
    if isinstance(found, Undefined) or needed <= units:
        return None
    return found if math.isfinite(found) else None
