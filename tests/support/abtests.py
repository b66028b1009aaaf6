"""States of A/B tests as their sums would be, without any units behind them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.abtest.domain.memory import NOTHING, Memory
from services.abtest.domain.results import results
from services.abtest.domain.state import ArmKey, ArmState, TestState
from shared.experiments.assignment import Epoch, Weight
from shared.experiments.config import ExperimentConfig
from shared.experiments.lifecycle import State
from shared.experiments.metrics import MetricName
from shared.experiments.moments import Moments
from shared.experiments.results import ComparisonResult, ResultsAnswer
from tests.support.experiments import config

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TEST_ID = UUID("0197a1c2-0000-7000-8000-000000000001")
WEEK_AND_MORE = 24.0 * 10
EVERYWHERE = ((0, 10_000),)

Sums = Mapping[MetricName, Moments]


def share(units: int, p: float, each: int = 1) -> Moments:
    """Units with so many operations each, all of one kind."""
    yes = round(units * p)
    m, d = yes * each, units * each
    return Moments(units, m, m * each, d, d * each, m * each)


def mixed(units: int, p: float, each: int = 10) -> Moments:
    """Units that are half a tenth better or worse than p in their operations."""
    m = round(units * p * each)
    mm = round(units * ((p * each) ** 2 + p * (1 - p) * each))
    return Moments(units, m, mm, units * each, units * each * each, m * each)


def mean(units: int, value: float, sd: float) -> Moments:
    """One number a unit, in micro."""
    m, spread = round(value * 1e6), round(sd * 1e6)
    total = units * m
    return Moments(units, total, units * m * m + (units - 1) * spread * spread, units, units, total)


def cost(units: int, usd: float) -> Moments:
    """One operation a unit, in nano-dollars; a third of it in deviation."""
    m = round(usd * 1e9)
    return Moments(units, units * m, units * m * m + units * (m // 3) ** 2, units, units, units * m)


def arm(units: int, sums: Sums | None = None, **changes: Any) -> ArmState:
    """An arm; its operations are those of its success rate, or one a unit."""
    given = sums or {}
    counted = given.get("success_rate")
    operations = int(counted.d) if counted else units
    held = {"operations": operations, "crossovers": 0, "sketches": []} | changes
    return ArmState(units=units, sums=given, **held)


def epochs(*weights: Mapping[str, float]) -> tuple[Epoch, ...]:
    return tuple(
        Epoch(n, f"s.{n}", tuple(Weight(k, w) for k, w in of.items()), 1.0, EVERYWHERE, NOON)
        for n, of in enumerate(weights, 1)
    )


def state(
    arms: Mapping[str | tuple[int, str], ArmState],
    settings: ExperimentConfig | None = None,
    **changes: Any,
) -> TestState:
    """Running for ten days, one epoch by the configuration's weights unless said."""
    settings = settings or config()
    keyed = {
        ArmKey(*key) if isinstance(key, tuple) else ArmKey(1, key): value
        for key, value in arms.items()
    }
    units = sum(one.units for one in keyed.values())
    base: dict[str, Any] = {
        "tenant_id": "acme",
        "test_id": TEST_ID,
        "state": State.RUNNING,
        "config": settings,
        "epochs": epochs(settings.weights),
        "arms": keyed,
        "multiple": 0,
        "new_units": by_day(units, WEEK_AND_MORE / 24),
        "started_at": NOON,
        "ended_at": None,
        "run_hours": WEEK_AND_MORE,
        "first_event_at": NOON,
        "last_event_at": NOON + timedelta(hours=WEEK_AND_MORE),
        "as_of": NOON + timedelta(hours=WEEK_AND_MORE),
        "version": 1,
    }
    return TestState(**(base | changes))


def by_day(units: int, days: float) -> dict[date, int]:
    """New units, the same every day."""
    each = int(units / days)
    return {NOON.date() + timedelta(days=n): each for n in range(int(days) + 1)}


def look(held: TestState, memory: Memory = NOTHING) -> tuple[ResultsAnswer, Memory]:
    """One look, at the time of the last event."""
    return results(held, memory, held.last_event_at or NOON)


def successes(a: tuple[int, float], b: tuple[int, float], **changes: Any) -> TestState:
    """Two variants by (units, success rate), one operation a unit."""
    arms = {
        key: arm(units, {"success_rate": share(units, p)})
        for key, (units, p) in {"a": a, "b": b}.items()
    }
    return state(arms, **changes)


def row(
    answer: ResultsAnswer, metric: str = "success_rate", variant: str = "b"
) -> ComparisonResult:
    return next(one for one in answer.comparisons if (one.metric, one.variant) == (metric, variant))
