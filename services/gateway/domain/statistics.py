"""The summary of a tenant: a day of each model, and how its measures moved over a week."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel

from services.gateway.domain.forecasts import value_of
from shared.health.judging import judge
from shared.health.limits import HealthLimits
from shared.measures.cells import HOUR, Cell
from shared.measures.summary import summarise
from shared.views import (
    CostView,
    FeedbackView,
    Health,
    ResponseTimeView,
    TokensView,
    ValueView,
)

DAY: Final = timedelta(days=1)
WEEK_HOURS = 168
TRENDS: Final = (
    "throughput_per_minute",
    "success_rate",
    "response_time_ms.p95",
    "cost_usd.total",
    "feedback.rating",
)
# Of more models than this, the busiest are told of one by one.
MOST_MODELS = 100


class TrendView(BaseModel):
    """How a measure moved, hour by hour over a week; the slope is per day."""

    direction: Literal["rising", "falling", "steady", "unknown"]
    slope_per_day: float | None
    low: float | None
    high: float | None
    p_value: float | None
    hours: int


class Summary(BaseModel):
    """The measures of a day."""

    sample: int
    success_rate: ValueView
    response_time_ms: ResponseTimeView
    tokens: TokensView
    cost_usd: CostView
    feedback: FeedbackView
    trends: dict[str, TrendView]


class ModelSummary(Summary):
    """Those of one model."""

    model_id: str
    status: Health
    reasons: list[str]


class StatisticsAnswer(BaseModel):
    """A tenant's day, as it was `age_s` seconds ago."""

    as_of: datetime
    age_s: int
    window: Literal["24h"]
    trend_window: Literal["7d"]
    models: int
    total: Summary
    items: list[ModelSummary]
    """The busiest models first, at most a hundred."""


def series_of(hours: Mapping[datetime, Cell], end: datetime) -> dict[str, list[float | None]]:
    """The hours of a week before `end`, by measure; before the first there was nothing to see."""
    if not hours:
        return {name: [] for name in TRENDS}
    step = timedelta(hours=1)
    first = min(hours)
    places = [end - n * step for n in range(WEEK_HOURS, 0, -1)]
    return {
        # The first hour may have begun in its middle.
        name: [value_of(name, hours.get(at)) for at in places if at > first]
        for name in TRENDS
    }


def summary(day: Cell, trends: Mapping[str, Any]) -> dict[str, Any]:
    """A day's measures and a week's trends."""
    measures = summarise(day, DAY.total_seconds())
    return {
        "sample": measures.sample,
        "success_rate": measures.success_rate,
        "response_time_ms": measures.response_time_ms,
        "tokens": measures.tokens,
        "cost_usd": measures.cost_usd,
        "feedback": measures.feedback,
        "trends": trends,
    }


def model_summary(
    model_id: str, day: Cell, limits: HealthLimits, trends: Mapping[str, Any]
) -> dict[str, Any]:
    """Those of one model, with its status over the day."""
    verdict = judge({"24h": day}, limits, windows=("24h",))
    return {
        "model_id": model_id,
        "status": verdict.status,
        "reasons": verdict.reasons,
        **summary(day, trends),
    }


def trend_view(found: Mapping[str, Any]) -> dict[str, Any]:
    """A trend per hour as one per day."""

    def daily(value: float | None) -> float | None:
        return None if value is None else value * (DAY.total_seconds() / HOUR)

    return {
        "direction": found["direction"],
        "slope_per_day": daily(found["slope"]),
        "low": daily(found["low"]),
        "high": daily(found["high"]),
        "p_value": found["p_value"],
        "hours": found["points"],
    }
