"""Forecasts of one model, from its hours of the last four weeks; kept for five minutes."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic_core import to_json

from services.gateway.domain.answers import Filters
from services.gateway.domain.forecasts import HISTORY, STEP, question, shown, value_of
from services.gateway.service.kept import Kept
from services.gateway.service.stored import Minutes, unknown_model
from shared.clock import Clock
from shared.measures.cells import HOUR, Cell, add_into

# What came in the last moments of an hour is stored by then.
GRACE = timedelta(minutes=2)

Ask = Callable[[str], Awaitable[dict[str, Any]]]
"""A question to whoever forecasts, as JSON, and the answer."""


class Asked(NamedTuple):
    """What a forecast is asked of."""

    tenant_id: str
    model_id: str
    metric: str
    hours: int
    threshold: float | None
    filters: Filters


class Forecasting:
    """Asks for forecasts, and remembers them."""

    def __init__(self, minutes: Minutes, ask: Ask, now: Clock, kept_s: float) -> None:
        self._minutes = minutes
        self._ask = ask
        self._now = now
        self._kept = Kept(kept_s)

    async def forecast(self, asked: Asked) -> dict[str, Any]:
        """The answer of GET /ai/metrics/{model_id}/forecast."""
        known = await self._kept.get(asked.tenant_id, asked, lambda: self._forecast(asked))
        age = self._now() - known["as_of"]
        return known | {"freshness_ms": max(0, int(age.total_seconds() * 1000))}

    async def _forecast(self, asked: Asked) -> dict[str, Any]:
        now = self._now()
        end = (now - GRACE).replace(minute=0, second=0, microsecond=0)
        hours = await self._hours(asked, end)
        if not hours and not await self._minutes.model_exists(asked.tenant_id, asked.model_id):
            raise unknown_model(asked.model_id)
        start = min(hours, default=end)
        steps = int((end - start) / STEP)
        values = [value_of(asked.metric, hours.get(start + n * STEP)) for n in range(steps)]
        text = to_json(question(asked.metric, values, asked.hours, asked.threshold)).decode()
        found = await self._ask(text)
        observed = sum(one is not None for one in values)
        return {
            "model_id": asked.model_id,
            "metric": asked.metric,
            "step": "1h",
            "as_of": now,
            "history": {"start": start, "end": end, "steps": steps, "observed": observed},
            **shown(end, found, asked.threshold),
        }

    async def _hours(self, asked: Asked, end: datetime) -> dict[datetime, Cell]:
        span = (end - HISTORY, end)
        stored = await self._minutes.minutes(asked.tenant_id, asked.model_id, span, HOUR)
        hours: dict[datetime, Cell] = {}
        for (series, at), cell in stored.items():
            if asked.filters.match(series):
                add_into(hours.setdefault(at, {}), cell)
        return hours
