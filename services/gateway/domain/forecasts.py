"""What can be forecast, from which numbers, and how it is answered."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel

from services.gateway.domain.problems import wrong_field
from shared.alerts.catalogue import METRICS
from shared.measures.cells import HOUR, Cell

STEP: Final = timedelta(hours=1)
SEASON = 24
HISTORY: Final = timedelta(days=28)
MOST_HOURS = 168
HORIZON = re.compile(r"([1-9][0-9]{0,2})([hd])")
HOURS = {"h": 1, "d": 24}

ForecastMetric = Literal[
    "throughput_per_minute",
    "success_rate",
    "error_rate",
    "response_time_ms.p95",
    "cost_usd.total",
    "feedback.rating",
]


class Bounds(NamedTuple):
    """What no value passes, and what an hour in which nothing came means."""

    least: float | None
    most: float | None
    empty: float | None


BOUNDS: Final[Mapping[str, Bounds]] = {
    "throughput_per_minute": Bounds(0, None, 0),
    "success_rate": Bounds(0, 1, None),
    "error_rate": Bounds(0, 1, None),
    "response_time_ms.p95": Bounds(0, None, None),
    "cost_usd.total": Bounds(0, None, 0),
    "feedback.rating": Bounds(1, 5, None),
}


class ForecastPoint(BaseModel):
    """One hour ahead; an interval is null where too little of the past tells of it."""

    at: datetime
    value: float
    low_80: float | None
    high_80: float | None
    low_95: float | None
    high_95: float | None


class BreachView(BaseModel):
    """The first hours at which the interval touches the threshold's bad side, and lies on it.

    Hour by hour, not of the horizon as a whole; null means at none of its hours.
    """

    threshold: float
    earliest: datetime | None
    latest: datetime | None


class History(BaseModel):
    """What the forecast rests on."""

    start: datetime
    end: datetime
    steps: int
    observed: int


class ForecastAnswer(BaseModel):
    """A forecast, or why there is none."""

    model_id: str
    metric: ForecastMetric
    step: Literal["1h"] = "1h"
    as_of: datetime
    freshness_ms: int
    history: History
    refusal: str | None
    method: Literal["seasonal_naive", "damped_holt"] | None
    mase: float | None
    items: list[ForecastPoint]
    breach: BreachView | None


def hours_of(horizon: str) -> int:
    """A horizon such as 24h or 7d in hours."""
    found = HORIZON.fullmatch(horizon)
    hours = int(found[1]) * HOURS[found[2]] if found else 0
    if not 1 <= hours <= MOST_HOURS:
        raise wrong_field("horizon", "must be 1h to 168h, or 1d to 7d")
    return hours


def value_of(metric: str, cell: Cell | None) -> float | None:
    """An hour's value of a metric; `None` where nothing was observed."""
    known = METRICS[metric]
    if not cell or not cell.get(known.sample):
        # An hour without operations costs nothing; of one with some, nobody may know what it cost.
        return None if cell and cell.get("n") else BOUNDS[metric].empty
    found = known.take(cell, float(HOUR), 0.95)
    return None if found is None else found.value


def question(
    metric: str, values: list[float | None], hours: int, threshold: float | None
) -> dict[str, Any]:
    """What is asked of whoever forecasts."""
    bounds = BOUNDS[metric]
    return {
        "do": "forecast",
        "asked": {
            "values": values,
            "season": SEASON,
            "horizon": hours,
            "least": bounds.least,
            "most": bounds.most,
            "limit": threshold,
            "is_upper": METRICS[metric].more_is_worse,
        },
    }


def shown(end: datetime, found: Mapping[str, Any], threshold: float | None) -> dict[str, Any]:
    """A forecast's members, with times instead of steps."""

    def at(step: int | None) -> datetime | None:
        return None if step is None else end + (step - 1) * STEP

    items = [{"at": at(step), **point} for step, point in enumerate(found["points"], 1)]
    breach = found["breach"] and {
        "threshold": threshold,
        "earliest": at(found["breach"]["earliest"]),
        "latest": at(found["breach"]["latest"]),
    }
    kept = {name: found[name] for name in ("refusal", "method", "mase")}
    return {**kept, "items": items, "breach": breach}
