"""The statistics of a tenant: reckoned at most every five minutes, unless somebody asks anew."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import to_json

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
from services.gateway.service.forecasting import GRACE, Ask
from services.gateway.service.kept import Kept
from services.gateway.service.stored import BookOf, Minutes
from shared import clock
from shared.clock import Clock
from shared.measures.cells import HOUR, Cell, Series, add_into

DAY_S = int(DAY.total_seconds())
Hours = dict[datetime, Cell]
Stored = Mapping[tuple[Series, datetime], Cell]


class Statistics:
    """Answers of GET /ai/statistics, one tenant at a time."""

    def __init__(
        self, minutes: Minutes, book_of: BookOf, ask: Ask, now: Clock, kept_s: float
    ) -> None:
        self._minutes = minutes
        self._book_of = book_of
        self._ask = ask
        self._now = now
        self._kept = Kept(kept_s)

    async def of(self, tenant_id: str, *, refresh: bool) -> dict[str, Any]:
        """The last answer if it is young enough and nobody wants another, else a new one."""
        asked_at = clock.monotonic() if refresh else 0.0
        known = await self._kept.get(
            tenant_id, "statistics", lambda: self._reckon(tenant_id), not_before=asked_at
        )
        age_s = int((self._now() - known["as_of"]).total_seconds())
        return known | {"age_s": max(0, age_s)}

    async def _reckon(self, tenant_id: str) -> dict[str, Any]:
        now = self._now()
        end = (now - GRACE).replace(minute=0, second=0, microsecond=0)
        day_span = (now - DAY, now + timedelta(minutes=1))
        week_span = (end - timedelta(hours=WEEK_HOURS), end)
        day = await self._minutes.minutes(tenant_id, None, day_span, 2 * DAY_S)
        week = await self._minutes.minutes(tenant_id, None, week_span, HOUR)
        # Tens of thousands of small sums: not while everybody else waits.
        days, told, asked = await asyncio.to_thread(_summed, day, week, end)
        trends = await self._trends(asked)
        book = await self._book_of(tenant_id, None)
        return {
            "as_of": now,
            "window": "24h",
            "trend_window": "7d",
            "models": len(days),
            "total": summary(_sum(days.values()), trends[0]),
            "items": [
                model_summary(one, days[one], book.of(tenant_id, one), trend)
                for one, trend in zip(told, trends[1:], strict=True)
            ],
        }

    async def _trends(self, asked: list[dict[str, list[float | None]]]) -> list[dict[str, Any]]:
        flat = [one[name] for one in asked for name in TRENDS]
        answer = await self._ask(to_json({"do": "trends", "series": flat}).decode())
        found = [trend_view(one) for one in answer["trends"]]
        width = len(TRENDS)
        return [
            dict(zip(TRENDS, found[at : at + width], strict=True))
            for at in range(0, len(found), width)
        ]


def _summed(
    day: Stored, week: Stored, end: datetime
) -> tuple[dict[str, Cell], list[str], list[dict[str, list[float | None]]]]:
    """A day of each model, the busiest of them, and a week of all and of each of these."""
    days: dict[str, Cell] = {}
    for (series, _), cell in day.items():
        add_into(days.setdefault(series.model_id, {}), cell)
    told = sorted(days, key=lambda one: (-days[one].get("n", 0), one))[:MOST_MODELS]
    whole: Hours = {}
    hours: dict[str, Hours] = {one: {} for one in told}
    for (series, at), cell in week.items():
        add_into(whole.setdefault(at, {}), cell)
        if series.model_id in hours:
            add_into(hours[series.model_id].setdefault(at, {}), cell)
    return days, told, [series_of(one, end) for one in (whole, *hours.values())]


def _sum(cells: Iterable[Cell]) -> Cell:
    total: Cell = {}
    for cell in cells:
        add_into(total, cell)
    return total
