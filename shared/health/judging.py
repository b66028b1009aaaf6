"""One look at a model: each measure's state, gated by its interval, and the status they make.

A state is entered when even the better end of the 95 % interval is beyond its limit, and left when
the value itself is back: at the very limit the better end crosses it all day long. A model is
excellent in what is surely better than half way from the warning to the best value.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from shared.health.limits import DEFAULT_LIMITS, HealthLimits
from shared.health.measures import FAILURES, MEASURES, Cell, Limit, Measure
from shared.measures.intervals import Estimate
from shared.views import Health, MeasureStatus

WORST_FIRST = (Health.CRITICAL, Health.DEGRADED, Health.UNKNOWN, Health.GOOD, Health.EXCELLENT)
TEN = 10
"""So many failures and nothing else say enough, below any minimum sample."""
# A state that is known stays so until the sample has shrunk to this share of what is needed.
STILL_ENOUGH = 0.6
NOTHING: Cell = {}


class Before(NamedTuple):
    """How a measure was at the last look, and over which window."""

    status: Health
    window: str


States = Mapping[str, Before]
"""Measure -> how it was."""
NO_STATES: States = {}
NOT_BEFORE = Before(Health.UNKNOWN, "")


class Verdict(NamedTuple):
    """What one look says; `measures` are those that are judged."""

    status: Health
    reasons: list[str]
    measures: list[MeasureStatus]

    @property
    def states(self) -> dict[str, Before]:
        """What the next look begins with."""
        return states_of(self.measures)


def states_of(measures: Iterable[MeasureStatus]) -> dict[str, Before]:
    """What a look begins with that comes after these."""
    return {one.name: Before(one.status, one.window) for one in measures}


class _Seen(NamedTuple):
    """The window that a measure is judged over."""

    window: str
    cell: Cell
    sample: int
    is_enough: bool
    only_failures: bool = False


def judge(
    cells: Mapping[str, Cell],
    limits: HealthLimits = DEFAULT_LIMITS,
    held: States = NO_STATES,
    windows: tuple[str, ...] | None = None,
) -> Verdict:
    """The status over `cells` by window; `windows` stands for every measure's own.

    Status is the worst of what is known; without enough operations it is unknown, unless something
    else is known to be bad.
    """
    found = []
    for measure in MEASURES:
        limit = measure.limit(limits)
        if limit is not None:
            before = held.get(measure.name, NOT_BEFORE)
            needed = max(measure.least, limits.min_sample)
            reach = windows or measure.windows
            # Of a window that is not there nothing is known, not even that it is empty.
            reach = tuple(one for one in reach if one in cells) or reach
            seen = _seen(measure, cells, reach, needed, before)
            found.append(_judged(measure, limit, seen, needed, before.status))
    needed_names = {one.name for one in MEASURES if one.is_needed}
    counted = [one for one in found if one.status is not Health.UNKNOWN or one.name in needed_names]
    if not counted:
        why = "Nothing that is judged was seen." if found else "The limits judge no measure."
        return Verdict(Health.UNKNOWN, [why], found)
    worst = min((one.status for one in counted), key=WORST_FIRST.index)
    reasons = [one.reason for one in counted if one.status is worst]
    return Verdict(worst, list(dict.fromkeys(reasons)), found)


def _seen(
    measure: Measure,
    cells: Mapping[str, Cell],
    windows: tuple[str, ...],
    needed: int,
    before: Before,
) -> _Seen:
    """The narrowest window that holds what is needed, else the widest.

    A window that was judged is left only when it holds clearly less: a sample that wanders about
    what is needed would else show now the last minutes and now the hour before them.
    """
    still = needed
    if before.status is not Health.UNKNOWN:
        still = max(measure.least, TEN, math.ceil(STILL_ENOUGH * needed))
    seen = _Seen(windows[0], NOTHING, 0, is_enough=False)
    only_failures = None
    for window in windows:
        cell = cells.get(window, NOTHING)
        sample = cell.get(measure.sample, 0)
        is_last = window in {before.window, windows[-1]}
        seen = _Seen(window, cell, sample, is_enough=sample >= (still if is_last else needed))
        if seen.is_enough:
            return seen
        if measure is FAILURES and sample >= TEN and not cell.get("ok", 0):
            only_failures = only_failures or seen._replace(is_enough=True, only_failures=True)
    return only_failures or seen


def _judged(
    measure: Measure, limit: Limit, seen: _Seen, needed: int, held: Health
) -> MeasureStatus:
    estimate = measure.estimate(seen.cell, limit) if seen.is_enough else None
    if estimate is None or estimate.low is None or estimate.high is None:
        s = "" if seen.sample == 1 else "s"
        what = f"operation{s}" if measure.is_needed else f"judgement{s} of {measure.name}"
        return MeasureStatus(
            name=measure.name,
            status=Health.UNKNOWN,
            sample=seen.sample,
            window=seen.window,
            reason=f"{seen.sample} {what} seen in {seen.window}; a status needs {needed}.",
        )
    state, why = Health.CRITICAL, "and nothing else was seen"
    if not seen.only_failures or limit.critical >= 1:
        state, why = _state(measure, limit, estimate, held)
    low, high = measure.shown(estimate.low), measure.shown(estimate.high)
    said = measure.said(estimate, seen.sample, limit)
    return MeasureStatus(
        name=measure.name,
        status=state,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        sample=seen.sample,
        window=seen.window,
        reason=f"Over {seen.window}: {said} ({low} to {high}), {why}.",
    )


def _state(measure: Measure, limit: Limit, estimate: Estimate, held: Health) -> tuple[Health, str]:
    better, worse = estimate.low, estimate.high
    above, below = "above", "below"
    if not measure.more_is_worse:
        better, worse = worse, better
        above, below = below, above

    def beyond(value: float | None, border: float) -> bool:
        assert value is not None  # noqa: S101 - the caller looked
        return value > border if measure.more_is_worse else value < border

    for state, border, held_by in (
        (Health.CRITICAL, limit.critical, {Health.CRITICAL}),
        (Health.DEGRADED, limit.warning, {Health.CRITICAL, Health.DEGRADED}),
    ):
        if beyond(better, border):
            return state, f"surely {above} {measure.bound(border)}"
        if held in held_by and beyond(estimate.value, border):
            return state, f"not back {below} {measure.bound(border)} yet"
    half_way = (limit.warning + measure.best) / 2
    if not beyond(worse, half_way):
        return Health.EXCELLENT, f"surely {below} {measure.bound(half_way)}"
    if held is Health.EXCELLENT and not beyond(estimate.value, half_way):
        return Health.EXCELLENT, f"still {below} {measure.bound(half_way)}"
    return Health.GOOD, f"not surely {above} {measure.bound(limit.warning)}"
