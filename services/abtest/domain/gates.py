"""What a comparison must have before anything follows from it."""

from enum import StrEnum
from typing import NamedTuple

from services.abtest.domain.phases import SHARES_OF_OPERATIONS, pooled
from services.abtest.domain.state import UNIT_MEANS, TestState
from shared.experiments.metrics import MetricConfig, MetricName

FEWEST_EFFECTIVE = 25
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
    """Do a few units hold most of what a variant's ratio is made of?

    Then their own habits are the ratio, and the error over units does not see it: of A/A tests with
    one unit of 90 % in each variant, a single look rejects 88 %. A mean over units does not mind.
    """
    for key in (state.config.control.key, variant):
        effective = concentrated(state, metric.name, key)
        if effective is not None:
            return Unmet(Gate.DOMINATED, effective, FEWEST_EFFECTIVE, variant=key)
    return None


def concentrated(state: TestState, metric: MetricName, variant: str) -> float | None:
    """As how many equal units a variant's units count in a ratio, where these are too few.

    (sum d)^2 / sum d^2 (Kish 1965), of what the metric divides by: operations, or judgements. One
    unit with a share s of it leaves at most 1 / s^2, so one with a fifth leaves 25.
    """
    sums = pooled(state, metric, variant)
    if metric in UNIT_MEANS or sums.dd == 0:
        return None
    effective = float(sums.d) ** 2 / float(sums.dd)
    return effective if effective < min(FEWEST_EFFECTIVE, sums.n / 2) else None


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
