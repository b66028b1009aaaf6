"""The statistics of a tenant: reckoned at most every five minutes, unless somebody asks anew."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import from_json, to_json

from services.gateway.domain.statistics import (
    DAY,
    MOST_MODELS,
    TRENDS,
    WEEK_HOURS,
    model_summary,
    series_of,
    summary,
    trend_view,
)
from services.gateway.service.forecasting import Ask, Kept, Minutes
from shared.clock import Clock
from shared.measures.cells import HOUR, Cell, add_into

Hours = dict[datetime, Cell]


class Statistics:
    """Answers of GET /ai/statistics, one tenant at a time."""

    def __init__(self, minutes: Minutes, ask: Ask, now: Clock, kept_s: float) -> None:
        self._minutes = minutes
        self._ask = ask
        self._now = now
        self._kept = Kept(kept_s)
        self._turns: dict[str, asyncio.Lock] = {}

    async def of(self, tenant_id: str, *, refresh: bool) -> dict[str, Any]:
        """The last answer if it is young enough, else a new one; of those who wait, one reckons."""
        asked_at = self._now()
        async with self._turns.setdefault(tenant_id, asyncio.Lock()):
            known: dict[str, Any] | None = self._kept.get(tenant_id)
            if known is None or (refresh and known["as_of"] < asked_at):
                known = await self._reckon(tenant_id)
                self._kept.put(tenant_id, known)
        age_s = int((self._now() - known["as_of"]).total_seconds())
        return known | {"age_s": max(0, age_s)}

    async def _reckon(self, tenant_id: str) -> dict[str, Any]:
        now = self._now()
        day = await self._by_model(tenant_id, (now - DAY, now + timedelta(minutes=1)), 2 * DAY)
        end = now.replace(minute=0, second=0, microsecond=0)
        week_span = (end - timedelta(hours=WEEK_HOURS), end)
        week = await self._by_model(tenant_id, week_span, timedelta(seconds=HOUR))
        days = {model: _sum(hours) for model, hours in day.items()}
        told = sorted(days, key=lambda one: (-days[one].get("n", 0), one))[:MOST_MODELS]
        whole: Hours = {}
        for hours in week.values():
            for at, cell in hours.items():
                add_into(whole.setdefault(at, {}), cell)
        trends = await self._trends([whole, *(week.get(one, {}) for one in told)], end)
        total = _sum(dict(enumerate(days.values())))
        return {
            "as_of": now,
            "window": "24h",
            "trend_window": "7d",
            "models": len(days),
            "total": summary(total, trends[0]),
            "items": [
                model_summary(one, days[one], trend)
                for one, trend in zip(told, trends[1:], strict=True)
            ],
        }

    async def _by_model(
        self, tenant_id: str, span: tuple[datetime, datetime], step: timedelta
    ) -> dict[str, Hours]:
        stored = await self._minutes.minutes(tenant_id, None, span, int(step.total_seconds()))
        found: dict[str, Hours] = {}
        for (series, at), cell in stored.items():
            add_into(found.setdefault(series.model_id, {}).setdefault(at, {}), cell)
        return found

    async def _trends(self, all_hours: list[Hours], end: datetime) -> list[dict[str, Any]]:
        # Tens of thousands of small sums: not while everybody else waits.
        asked = [await asyncio.to_thread(series_of, hours, end) for hours in all_hours]
        flat = [one[name] for one in asked for name in TRENDS]
        answer = await self._ask(to_json({"do": "trends", "series": flat}).decode())
        found = [trend_view(one) for one in from_json(answer)["trends"]]
        width = len(TRENDS)
        return [
            dict(zip(TRENDS, found[at : at + width], strict=True))
            for at in range(0, len(found), width)
        ]


def _sum(cells: Mapping[Any, Cell]) -> Cell:
    total: Cell = {}
    for cell in cells.values():
        add_into(total, cell)
    return total
