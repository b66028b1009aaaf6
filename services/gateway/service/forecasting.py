"""Forecasts of one model, from its hours of the last four weeks; kept for five minutes."""

from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from pydantic_core import from_json, to_json

from services.gateway.domain.answers import Filters
from services.gateway.domain.forecasts import HISTORY, STEP, question, shown, value_of
from services.gateway.service.reading import unknown_model
from shared import clock
from shared.clock import Clock
from shared.measures.cells import HOUR, Cell, Series, add_into

MOST_KEPT = 1_000

Ask = Callable[[str], Awaitable[bytes]]
"""A question to whoever forecasts, as JSON."""


class Asked(NamedTuple):
    """What a forecast is asked of."""

    tenant_id: str
    model_id: str
    metric: str
    hours: int
    threshold: float | None
    filters: Filters


class Minutes(Protocol):
    """Minutes in the system of record."""

    async def minutes(
        self, tenant_id: str, model_id: str | None, span: tuple[datetime, datetime], step_s: int
    ) -> dict[tuple[Series, datetime], Cell]:
        """Sums of minutes."""

    async def model_exists(self, tenant_id: str, model_id: str) -> bool:
        """Whether anything of a model was ever stored."""


class Kept:
    """Answers that hold for a while."""

    def __init__(self, for_s: float) -> None:
        self._for_s = for_s
        self._answers: dict[Hashable, tuple[float, Any]] = {}

    def get(self, key: Hashable) -> Any:
        """An answer that still holds, or nothing."""
        at, answer = self._answers.get(key, (0.0, None))
        return answer if answer is not None and clock.monotonic() - at < self._for_s else None

    def put(self, key: Hashable, answer: Any) -> None:
        """Keep an answer; when there are too many, all begin anew."""
        if len(self._answers) >= MOST_KEPT:
            self._answers.clear()
        self._answers[key] = (clock.monotonic(), answer)


class Forecasting:
    """Asks for forecasts, and remembers them."""

    def __init__(self, minutes: Minutes, ask: Ask, now: Clock, kept_s: float) -> None:
        self._minutes = minutes
        self._ask = ask
        self._now = now
        self._kept = Kept(kept_s)

    async def forecast(self, asked: Asked) -> dict[str, Any]:
        """The answer of GET /ai/metrics/{model_id}/forecast."""
        known: dict[str, Any] | None = self._kept.get(asked)
        if known is None:
            known = await self._forecast(asked)
            self._kept.put(asked, known)
        return known

    async def _forecast(self, asked: Asked) -> dict[str, Any]:
        now = self._now()
        end = now.replace(minute=0, second=0, microsecond=0)  # the running hour is not over
        hours = await self._hours(asked, end)
        if not hours and not await self._minutes.model_exists(asked.tenant_id, asked.model_id):
            raise unknown_model(asked.model_id)
        start = min(hours, default=end)
        steps = int((end - start) / STEP)
        values = [value_of(asked.metric, hours.get(start + n * STEP)) for n in range(steps)]
        text = to_json(question(asked.metric, values, asked.hours, asked.threshold)).decode()
        found = from_json(await self._ask(text))
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
