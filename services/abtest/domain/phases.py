"""Two variants over the epochs of a test: estimated within each, then weighted by its units.

Pooling units of epochs with different weights compares early units of one variant with late ones
of another. With w_p = n_p / N, D = sum w_p D_p and SE^2 = sum w_p^2 SE_p^2. These weights, not
those of least variance, make N D a sum over units that has its expectation at any look: what
always-valid intervals rest on.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Final, NamedTuple

from services.abtest.domain.state import SCALE, UNIT_MEANS, ArmKey, ArmState, TestState
from shared.experiments import estimators
from shared.experiments.answers import NO_UNITS, Undefined
from shared.experiments.estimators import Arm, Difference, Estimated
from shared.experiments.metrics import MetricName
from shared.experiments.moments import EMPTY, Moments, merged

SHARES_OF_OPERATIONS: Final = frozenset[MetricName](
    {"success_rate", "share_slower_than_slo", "helpful", "accurate", "relevant", "fast"}
)
"""Yes or no in each operation: the only metrics that have a rarer kind, and 0 and 100 %."""
FEWEST_IN_PHASE = 10
"""Smaller epochs join once both variants have so many: by then their spread is known a little."""


class Phase(NamedTuple):
    """An epoch's difference, and the units of both variants in it."""

    units: int
    diff: Difference


def estimate(metric: MetricName, sums: Moments) -> Estimated:
    """One arm of one epoch, by the metric's kind, in the metric's unit (ln ms for times)."""
    if metric in UNIT_MEANS:
        return estimators.mean(sums, SCALE[metric])
    if metric in SHARES_OF_OPERATIONS:
        return estimators.rate(sums)
    return estimators.ratio(sums, SCALE[metric])


def difference(
    state: TestState, metric: MetricName, control: str, variant: str
) -> Difference | Undefined:
    """Variant minus control, as it was measured."""
    return over_epochs(state, control, variant, lambda a, b: of_pair(metric, a, b))


def of_pair(metric: MetricName, a: ArmState, b: ArmState) -> Difference | Undefined:
    """The same of one epoch."""
    return estimators.difference(*(estimate(metric, sums(arm, metric)) for arm in (a, b)))


def between(
    state: TestState, control: str, variant: str, estimated: Callable[[ArmState], Estimated]
) -> Difference | Undefined:
    """The same of anything that an arm can be estimated by."""
    return over_epochs(
        state, control, variant, lambda a, b: estimators.difference(estimated(a), estimated(b))
    )


def over_epochs(
    state: TestState,
    control: str,
    variant: str,
    compared: Callable[[ArmState, ArmState], Difference | Undefined],
) -> Difference | Undefined:
    """Differences of epochs, weighted by their units."""
    phases: list[Phase] = []
    missing: list[Undefined] = []
    for a, b in pairs(state, control, variant):
        found = compared(a, b)
        if isinstance(found, Undefined):
            missing.append(found)
        else:
            phases.append(Phase(found.units, found))
    if phases:
        return combined(large_enough(phases))
    # Several epochs lack something: the latest says what is being waited for.
    return missing[-1] if missing else Undefined(f"control: {NO_UNITS}")


def pairs(state: TestState, control: str, variant: str) -> Iterator[tuple[ArmState, ArmState]]:
    """Both arms of every epoch in which both were seen."""
    for epoch in sorted({key.epoch for key in state.arms}):
        a, b = (state.arms.get(ArmKey(epoch, key)) for key in (control, variant))
        if a is not None and b is not None:
            yield a, b


def large_enough(phases: list[Phase]) -> list[Phase]:
    """Epochs whose spread is known a little; if none is, all."""
    large = [p for p in phases if min(p.diff.a.units, p.diff.b.units) >= FEWEST_IN_PHASE]
    return large or phases


def combined(phases: Sequence[Phase]) -> Difference:
    """D over phases; degrees of freedom after Satterthwaite 1946. One phase is itself."""
    if len(phases) == 1:
        return phases[0].diff
    total = sum(phase.units for phase in phases)
    weights = [phase.units / total for phase in phases]
    a = _weighted(weights, [phase.diff.a for phase in phases])
    b = _weighted(weights, [phase.diff.b for phase in phases])
    errors = [(w * phase.diff.se) ** 2 for w, phase in zip(weights, phases, strict=True)]
    whole = math.fsum(errors)
    return Difference(b.value - a.value, math.sqrt(whole), _df(errors, whole, phases), a, b)


def value(state: TestState, metric: MetricName, variant: str) -> Estimated:
    """What a variant was over its epochs, each weighted by all units that it placed."""
    found: list[tuple[int, Arm]] = []
    undefined = Undefined(NO_UNITS)
    for key, arm in sorted(state.arms.items()):
        if key.variant != variant:
            continue
        of_epoch = estimate(metric, sums(arm, metric))
        if isinstance(of_epoch, Undefined):
            undefined = of_epoch
        else:
            placed = (sums(one, metric).n for k, one in state.arms.items() if k.epoch == key.epoch)
            found.append((sum(placed), of_epoch))
    if len(found) < 2:
        return found[0][1] if found else undefined
    total = sum(units for units, _ in found)
    return _weighted([units / total for units, _ in found], [arm for _, arm in found])


def sums(arm: ArmState, metric: MetricName) -> Moments:
    """An arm's sums of a metric; of one that has no value yet, nothing."""
    return arm.sums.get(metric, EMPTY)


def pooled(state: TestState, metric: MetricName, variant: str) -> Moments:
    """Sums over all epochs: for counts and gates, never for effects."""
    own = [sums(arm, metric) for key, arm in state.arms.items() if key.variant == variant]
    return reduce(merged, own) if own else EMPTY


def _weighted(weights: Sequence[float], arms: Sequence[Arm]) -> Arm:
    both = list(zip(weights, arms, strict=True))
    counted = sum(arm.counted for arm in arms)
    squared_error = math.fsum(w * w * arm.squared_error for w, arm in both)
    return Arm(
        sum(arm.units for arm in arms),
        math.fsum(w * arm.value for w, arm in both),
        squared_error * counted,
        counted,
        sum(arm.operations for arm in arms),
    )


def _df(errors: Sequence[float], whole: float, phases: Sequence[Phase]) -> float:
    if whole == 0:
        return 0.0
    terms = (
        (error / whole) ** 2 / phase.diff.df
        for error, phase in zip(errors, phases, strict=True)
        if phase.diff.df
    )
    return 1 / math.fsum(terms)
