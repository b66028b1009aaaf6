"""What a comparison must have before anything follows from it."""

from enum import StrEnum
from typing import NamedTuple

from services.abtest.domain.phases import SHARES_OF_OPERATIONS, pooled
from services.abtest.domain.state import UNIT_MEANS, TestState
from shared.experiments.metrics import MetricConfig, MetricName
from shared.experiments.values import is_dominated

FEWEST_OF_RARER_KIND = 10
"""Below it a normal distribution says nothing of a rate."""


class Gate(StrEnum):
    """What may be missing."""

    UNITS = "units"
    RARER_KIND = "rarer kind"
    DOMINATED = "dominated"
    RUNTIME = "runtime"
    EACH_KIND = "each kind"
    FIXED_HORIZON = "fixed horizon"


class Unmet(NamedTuple):
    """A gate that is not met: `have` of `need`, in which variant, and of what."""

    gate: Gate
    have: float = 0
    need: float = 0
    variant: str = ""
    kind: str = ""


class Kinds(NamedTuple):
    """Operations of either kind in one variant."""

    yes: int
    no: int


def collecting(state: TestState, metric: MetricConfig, variant: str) -> Unmet | None:
    """Is it too early to look at all? Units of each variant, then the rarer kind of both."""
    control, need = state.config.control.key, state.config.min_units_per_variant
    have = {key: pooled(state, metric.name, key).n for key in (control, variant)}
    fewest = min(have, key=lambda key: (have[key], key != control))
    if have[fewest] < need:
        return Unmet(Gate.UNITS, have[fewest], need, fewest)
    if metric.name not in SHARES_OF_OPERATIONS:
        return None
    a, b = kinds(state, metric.name, control), kinds(state, metric.name, variant)
    rarer, kind = min((a.yes + b.yes, "yes"), (a.no + b.no, "no"))
    if rarer < FEWEST_OF_RARER_KIND:
        return Unmet(Gate.RARER_KIND, rarer, FEWEST_OF_RARER_KIND, kind=kind)
    return None


def dominated(state: TestState, metric: MetricConfig, variant: str) -> Unmet | None:
    """Does one unit hold over a fifth of a variant's operations?

    Then its own habits are the ratio, and the error over units does not see it: of A/A tests with
    one unit of 90 % in each variant, a single look rejects 87 %. A mean over units does not mind.
    """
    if metric.name in UNIT_MEANS:
        return None
    for key in (state.config.control.key, variant):
        largest, total = largest_share(state, key)
        if is_dominated(largest, total):
            return Unmet(Gate.DOMINATED, largest / total, variant=key)
    return None


def largest_share(state: TestState, variant: str) -> tuple[int, int]:
    """The most operations of one unit of a variant, and the operations of all."""
    arms = [arm for key, arm in state.arms.items() if key.variant == variant]
    return max((arm.largest for arm in arms), default=0), sum(arm.operations for arm in arms)


def runtime(state: TestState) -> Unmet | None:
    """Did it run through a week, as people do? By event time, pauses left out."""
    have, need = max(0.0, state.run_hours), state.config.min_runtime_hours
    return Unmet(Gate.RUNTIME, have, need) if have < need else None


def each_kind(state: TestState, metric: MetricConfig, variant: str) -> Unmet | None:
    """Has each of the two variants enough of either kind? To ship, not to stop."""
    if metric.name not in SHARES_OF_OPERATIONS:
        return None
    for key in (state.config.control.key, variant):
        found = kinds(state, metric.name, key)
        rarer, kind = min((found.yes, "yes"), (found.no, "no"))
        if rarer < FEWEST_OF_RARER_KIND:
            return Unmet(Gate.EACH_KIND, rarer, FEWEST_OF_RARER_KIND, key, kind)
    return None


def kinds(state: TestState, metric: MetricName, variant: str) -> Kinds:
    """Operations (judgements) of a variant by their kind."""
    total = pooled(state, metric, variant)
    return Kinds(int(total.m), int(total.d - total.m))
