"""Answers questions: from ready views, else from the minutes in Postgres, and says which."""

from datetime import datetime
from typing import Any, Protocol

from pydantic_core import to_json

from services.gateway.domain.answers import Filters, ReadySums, metrics_answer, stamped, total
from services.gateway.domain.limits import limits_in
from services.gateway.domain.problems import AwayError
from services.gateway.service.rows import RowReading
from services.gateway.service.stored import BookOf, Minutes, looked_back, start_of, unknown_model
from shared.clock import Clock
from shared.health.judging import judge
from shared.health.limits import HealthLimits
from shared.health.measures import SOON
from shared.keys import DEFAULT_WINDOW, WINDOWS
from shared.measures.cells import Cell, add_into, merged
from shared.measures.summary import summarise
from shared.views import ModelLine


class Views(Protocol):
    """Views that are kept ready."""

    async def view(self, tenant_id: str, model_id: str, field: str) -> Any:
        """One ready field."""

    async def series(
        self, tenant_id: str, model_id: str, windows: tuple[str, ...]
    ) -> ReadySums | None:
        """Cells by series."""

    async def models(self, tenant_id: str) -> dict[str, Any]:
        """Lines of the list of models."""


class Reading:
    """Metrics and models of one tenant at a time."""

    def __init__(
        self, views: Views, minutes: Minutes, by_rows: RowReading, book_of: BookOf, now: Clock
    ) -> None:
        self._views = views
        self._by_rows = by_rows
        self._minutes = minutes
        self._book_of = book_of
        self._now = now

    async def metrics(self, tenant_id: str, model_id: str, window: str, filters: Filters) -> bytes:
        """The JSON of GET /ai/metrics/{model_id}."""
        if filters.need_rows:
            return await self._by_rows.metrics(tenant_id, model_id, window, filters)
        try:
            if filters == Filters():
                ready = await self._views.view(tenant_id, model_id, window)
                if ready is not None:
                    return stamped(ready.content, ready.as_of_ms, self._now())
            else:
                answer = await self._filtered(tenant_id, model_id, window, filters)
                if answer is not None:
                    return answer
        except AwayError:
            return await self._from_minutes(tenant_id, model_id, window, filters, stale=True)
        return await self._from_minutes(tenant_id, model_id, window, filters, stale=False)

    async def models(self, tenant_id: str) -> tuple[list[dict[str, Any]], bool]:
        """Lines of GET /ai/models by name, and whether they come from minutes only."""
        try:
            found = await self._views.models(tenant_id)
        except AwayError:
            return await self._models_from_minutes(tenant_id), True
        return [found[name] for name in sorted(found)], False

    async def series(
        self,
        tenant_id: str,
        model_id: str,
        span: tuple[datetime, datetime],
        step_s: int,
        filters: Filters,
    ) -> list[dict[str, Any]]:
        """Items of GET /ai/metrics/{model_id}/series: only steps in which something happened."""
        if filters.need_rows:
            return await self._by_rows.series(tenant_id, model_id, span, step_s, filters)
        stored = await self._minutes.minutes(tenant_id, model_id, span, step_s)
        if not stored and not await self._minutes.model_exists(tenant_id, model_id):
            raise unknown_model(model_id)
        steps: dict[datetime, Cell] = {}
        for (series, at), cell in stored.items():
            if filters.match(series):
                add_into(steps.setdefault(at, {}), cell)
        return [
            {"at": at, **summarise(steps[at], step_s).model_dump(mode="json")}
            for at in sorted(steps)
        ]

    async def _filtered(
        self, tenant_id: str, model_id: str, window: str, filters: Filters
    ) -> bytes | None:
        wanted = tuple(dict.fromkeys((window, *SOON)))
        found = await self._views.series(tenant_id, model_id, wanted)
        if found is None:
            return None
        cells = {name: total(filters, found.by_window[name]) for name in wanted}
        end = found.as_of_ms / 1000
        span, limits = (end - WINDOWS[window], end), limits_in(found.status)
        answer = metrics_answer(model_id, window, span, cells, limits, stale=False)
        return stamped(to_json(answer), found.as_of_ms, self._now())

    async def _from_minutes(
        self, tenant_id: str, model_id: str, window: str, filters: Filters, *, stale: bool
    ) -> bytes:
        now = self._now()
        wanted = dict.fromkeys((window, *SOON))
        sums = await looked_back(self._minutes, tenant_id, model_id, now, wanted)
        cells = {
            name: merged(cell for series, cell in by_series.items() if filters.match(series))
            for name, by_series in sums.items()
        }
        if not any(cells.values()) and not await self._minutes.model_exists(tenant_id, model_id):
            raise unknown_model(model_id)
        limits = (await self._book_of(tenant_id, model_id)).of(tenant_id, model_id)
        span = start_of(window, now).timestamp(), now.timestamp()
        answer = metrics_answer(model_id, window, span, cells, limits, stale=stale)
        return stamped(to_json(answer), int(now.timestamp() * 1000), now)

    async def _models_from_minutes(self, tenant_id: str) -> list[dict[str, Any]]:
        sums = await looked_back(self._minutes, tenant_id, None, self._now(), (DEFAULT_WINDOW,))
        cells: dict[str, Cell] = {}
        for series, cell in sums[DEFAULT_WINDOW].items():
            add_into(cells.setdefault(series.model_id, {}), cell)
        book = await self._book_of(tenant_id, None)
        return [_line(name, cells[name], book.of(tenant_id, name)) for name in sorted(cells)]


def _line(model_id: str, cell: Cell, limits: HealthLimits) -> dict[str, Any]:
    verdict = judge({DEFAULT_WINDOW: cell}, limits, windows=(DEFAULT_WINDOW,))
    measures = summarise(cell, WINDOWS[DEFAULT_WINDOW])
    return ModelLine(
        model_id=model_id,
        status=verdict.status,
        reasons=verdict.reasons,
        sample=measures.sample,
        success_rate=measures.success_rate,
        response_time_ms=measures.response_time_ms,
    ).model_dump(mode="json")
