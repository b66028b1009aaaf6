"""The 95th percentile of response times, beside their mean."""

from collections.abc import Iterator
from dataclasses import replace

from services.abtest.domain import phases
from services.abtest.domain.compared import NO_SMALLEST, Compared
from services.abtest.domain.gates import Gate, Unmet
from services.abtest.domain.guarding import LOGARITHMIC
from services.abtest.domain.lifting import lift
from services.abtest.domain.state import TestState
from shared.experiments import fixed, quantiles
from shared.experiments.answers import Undefined
from shared.experiments.estimators import Difference

P95 = "response_time_ms.p95"


def with_percentile(state: TestState, row: Compared) -> Iterator[Compared]:
    """p95 beside response times: for a planned end only, so it never decides."""
    yield row
    if row.name != LOGARITHMIC:
        return
    found = percentile(state, row.control, row.variant)
    base = replace(
        row,
        name=P95,
        diff=found,
        method="quantile",
        unmet=row.too_early or Unmet(Gate.FIXED_HORIZON),
        guard=None,
        adjustment=None,
        smallest=NO_SMALLEST,
        p=None, p_adjusted=None, lift=None, shown=None, one_look=None,
    )  # fmt: skip
    if isinstance(found, Undefined):
        yield base
        return
    shown = fixed.compare(found, row.plan.alpha)
    shown_lift = lift(row.metric, found, shown, row.plan.alpha)
    yield replace(base, shown=shown, p=shown.p, lift=shown_lift, one_look=shown)


def percentile(state: TestState, control: str, variant: str) -> Difference | Undefined:
    """ln p95 of the variant minus that of the control, over epochs."""
    found: list[phases.Phase] = []
    for a, b in phases.pairs(state, control, variant):
        diff = quantiles.difference(a.sketches, b.sketches)
        if isinstance(diff, Difference):
            found.append(phases.Phase(a.units + b.units, diff))
    return phases.combined(found) if found else Undefined("too few response times")
