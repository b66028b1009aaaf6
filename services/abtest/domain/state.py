"""What is known of one test: the sums of its arms, as they are read back for a look at results.

An arm is a variant in an epoch: epochs are never pooled for effects. A unit belongs to one arm,
that of its earliest epoch; one that was seen in two variants is `multiple`, counted and in no sums.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.abtest.domain.past import NO_PAST, Past
from services.abtest.domain.timeline import Span
from shared.experiments.assignment import Epoch
from shared.experiments.config import ExperimentConfig
from shared.experiments.lifecycle import State
from shared.experiments.metrics import MetricName
from shared.experiments.moments import Moments
from shared.experiments.quantiles import Sketch

UNIT_MEANS: Final = frozenset[MetricName]({"response_time_ms", "rating"})
"""One number a unit, the mean of its values in micro, d = 1: for `estimators.mean`.

All others are ratios of totals, m over d, with d the number of values: for `estimators.ratio`.
"""

SCALE: Final[Mapping[MetricName, float]] = {
    "success_rate": 1,
    "response_time_ms": 1e-6,  # of ln ms: a difference is the ln of a ratio of geometric means
    "share_slower_than_slo": 1,
    "rating": 1e-6,
    "helpful": 1,
    "accurate": 1,
    "relevant": 1,
    "fast": 1,
    "tokens": 1,
    "cost_usd": 1e-9,
    "confidence": 1e-6,
}
"""What one of m is worth, in the metric's own unit."""


class ArmKey(NamedTuple):
    """A variant in an epoch."""

    epoch: int
    variant: str


class ArmState(NamedTuple):
    """Sums over an arm's units.

    Moments of a metric hold the units that have a value of it: `units - sums[metric].n` units have
    none, and of a ratio metric `operations - sums[metric].d` operations have none (feedback's
    metrics: d counts judgements).
    """

    units: int
    """Distinct units: exposed, or with an operation where nobody says exposures."""
    operations: int
    crossovers: int
    """Operations by another model than the variant's; they count."""
    sums: Mapping[MetricName, Moments]
    """Of every metric that has a value, asked for by the configuration or not."""
    sketches: Sequence[Sketch]
    """Response times (ms) of the counted operations, in 20 groups of units: for `quantiles`."""
    ratings: Sequence[int] = (0, 0, 0, 0, 0)
    """Units by their mean rating, rounded: 1 to 5."""


class TestState(NamedTuple):
    """One test and its arms; what nobody was in yet is not in `arms`."""

    tenant_id: str
    test_id: UUID
    state: State
    config: ExperimentConfig
    epochs: Sequence[Epoch]
    arms: Mapping[ArmKey, ArmState]
    multiple: int
    """Units in two arms."""
    new_units: Mapping[date, int]
    """Units by the UTC day on which they were first seen (event time)."""
    started_at: datetime
    ended_at: datetime | None
    run_hours: float
    """Event time that the test ran, without pauses, up to its last event."""
    first_event_at: datetime | None
    last_event_at: datetime | None
    as_of: datetime | None
    """When the latest counted event arrived on its topic; null before the first."""
    version: int
    """Grows whenever any of this may have changed through events."""
    past: Past = NO_PAST
    """What is known of the time before it."""
    spans: Sequence[Span] = ()
    """When it ran; empty: all the time."""


def limit_of(state: TestState, metric: MetricName) -> float | None:
    """What an operation counts as at most, in the metric's unit; of most metrics nothing is cut."""
    limits = state.past.limits
    found = {"tokens": limits.tok, "cost_usd": limits.cost}.get(metric)
    return None if found is None else found * SCALE[metric]
