"""Variant minus control, adjusted by what units did before the test (CUPED), where that can be."""

from typing import NamedTuple

from services.abtest.domain import phases
from services.abtest.domain.state import SCALE, UNIT_MEANS, ArmState, TestState
from shared.experiments import cuped, estimators
from shared.experiments.answers import Undefined
from shared.experiments.cuped import Adjusted
from shared.experiments.estimators import Arm, Difference
from shared.experiments.margins import Measured
from shared.experiments.metrics import MetricName


class Adjustment(NamedTuple):
    """What an adjustment did to a difference."""

    variance_reduction: float
    coverage: float
    """Share of the units that have a past."""
    is_unequal: bool
    """Whether the covariate differs between the variants by more than chance."""
    measured: Measured


class _Epoch(NamedTuple):
    phase: phases.Phase
    shared: float
    adjusted: Adjusted | None


def difference(
    state: TestState, metric: MetricName, control: str, variant: str
) -> tuple[Difference | Undefined, Adjustment | None]:
    """Adjusted in every epoch that allows it; without any such epoch, as it was measured."""
    plain = phases.difference(state, metric, control, variant)
    may_be = state.config.cuped and state.past.is_complete and state.past.has_units
    if not may_be or isinstance(plain, Undefined):
        return plain, None
    found = [
        epoch
        for a, b in phases.pairs(state, control, variant)
        if (epoch := _of_epoch(metric, a, b)) is not None
    ]
    used = phases.large_enough([one.phase for one in found])
    found = [one for one in found if one.phase in used]
    done = [one.adjusted for one in found if one.adjusted is not None]
    if not done:
        return plain, None
    diff, total = phases.combined(used), sum(one.phase.units for one in found)
    shared = sum((one.phase.units / total) ** 2 * one.shared for one in found)
    return diff, Adjustment(
        1 - (diff.se / plain.se) ** 2 if plain.se else 0.0,
        _coverage(state, metric, control, variant),
        any(one.warning is not None for one in done),
        Measured(plain.a, shared),
    )


def _of_epoch(metric: MetricName, a: ArmState, b: ArmState) -> _Epoch | None:
    adjusted = _adjusted(metric, a, b)
    if isinstance(adjusted, Undefined):
        plain = phases.of_pair(metric, a, b)
        if isinstance(plain, Undefined):
            return None
        return _Epoch(phases.Phase(plain.units, plain), plain.a.squared_error, None)
    diff = estimators.difference(adjusted.a, adjusted.b)
    if isinstance(diff, Undefined):
        return None
    return _Epoch(phases.Phase(diff.units, diff), adjusted.shared, adjusted)


def _adjusted(metric: MetricName, control: ArmState, variant: ArmState) -> Adjusted | Undefined:
    sums = phases.sums(control, metric), phases.sums(variant, metric)
    if metric in UNIT_MEANS:
        return cuped.mean(*sums, SCALE[metric])
    found = cuped.ratio(*sums)
    if isinstance(found, Undefined):
        return found
    scale = SCALE[metric]
    a, b = _scaled(found.a, scale), _scaled(found.b, scale)
    return found._replace(a=a, b=b, shared=found.shared * scale * scale)


def _scaled(arm: Arm, scale: float) -> Arm:
    return arm._replace(value=arm.value * scale, variance=arm.variance * scale * scale)


def _coverage(state: TestState, metric: MetricName, control: str, variant: str) -> float:
    both = [phases.pooled(state, metric, key) for key in (control, variant)]
    return sum(one.h for one in both) / sum(one.n for one in both)
