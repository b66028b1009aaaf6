"""Answers questions: from ready views, else from the minutes in Postgres, and says which."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from pydantic_core import to_json

from services.gateway.domain.answers import Filters, metrics_answer, total
from services.gateway.domain.problems import AwayError, Problem
from shared.clock import Clock
from shared.keys import WINDOWS
from shared.measures.cells import MINUTE, Cell, Series, add_into
from shared.measures.health import STATUS_WINDOWS, judge
from shared.measures.summary import summarise
from shared.views import ModelLine


class Views(Protocol):
    """Views that are kept ready."""

    async def view(self, tenant_id: str, model_id: str, field: str) -> Any:
        """One ready field."""

    async def series(
        self, tenant_id: str, model_id: str, windows: tuple[str, ...]
    ) -> tuple[dict[str, Any], int] | None:
        """Cells by series."""

    async def models(self, tenant_id: str) -> dict[str, Any]:
        """Lines of the list of models."""


class Minutes(Protocol):
    """Minutes in the system of record."""

    async def minutes(
        self, tenant_id: str, model_id: str | None, span: tuple[datetime, datetime], step_s: int
    ) -> dict[tuple[Series, datetime], Cell]:
        """Sums of minutes."""

    async def model_exists(self, tenant_id: str, model_id: str) -> bool:
        """Whether anything of a model was ever stored."""


class Reading:
    """Metrics and models of one tenant at a time."""

    def __init__(self, views: Views, minutes: Minutes, now: Clock) -> None:
        self._views = views
        self._minutes = minutes
        self._now = now

    async def metrics(self, tenant_id: str, model_id: str, window: str, filters: Filters) -> bytes:
        """The JSON of GET /ai/metrics/{model_id}."""
        try:
            if filters == Filters():
                ready = await self._views.view(tenant_id, model_id, window)
                if ready is not None:
                    return self._stamped(ready.content, ready.as_of_ms)
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

    def _stamped(self, content: bytes, as_of_ms: int) -> bytes:
        """Add what only the reader knows, without reading the JSON again."""
        now_ms = self._now().timestamp() * 1000
        as_of = datetime.fromtimestamp(as_of_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
        return b'%s,"as_of":"%s","freshness_ms":%d}' % (
            content[:-1],
            as_of.encode(),
            max(0, now_ms - as_of_ms),
        )

    async def _filtered(
        self, tenant_id: str, model_id: str, window: str, filters: Filters
    ) -> bytes | None:
        wanted = tuple(dict.fromkeys((window, *STATUS_WINDOWS)))
        found = await self._views.series(tenant_id, model_id, wanted)
        if found is None:
            return None
        stored, as_of_ms = found
        cells = {name: total(filters, stored[name]) for name in wanted}
        end = as_of_ms / 1000
        answer = metrics_answer(model_id, window, (end - WINDOWS[window], end), cells, stale=False)
        return self._stamped(to_json(answer), as_of_ms)

    async def _from_minutes(
        self, tenant_id: str, model_id: str, window: str, filters: Filters, *, stale: bool
    ) -> bytes:
        now = self._now()
        cells: dict[str, Cell] = {}
        for name in dict.fromkeys((window, *STATUS_WINDOWS)):
            start = floor_minute(now - timedelta(seconds=WINDOWS[name]))
            span = (start, now + timedelta(seconds=MINUTE))
            stored = await self._minutes.minutes(tenant_id, model_id, span, WINDOWS[name] * 2)
            cells[name] = {}
            for (series, _), cell in stored.items():
                if filters.match(series):
                    add_into(cells[name], cell)
        if not any(cells.values()) and not await self._minutes.model_exists(tenant_id, model_id):
            raise unknown_model(model_id)
        start_s = floor_minute(now - timedelta(seconds=WINDOWS[window])).timestamp()
        answer = metrics_answer(model_id, window, (start_s, now.timestamp()), cells, stale=stale)
        return self._stamped(to_json(answer), int(now.timestamp() * 1000))

    async def _models_from_minutes(self, tenant_id: str) -> list[dict[str, Any]]:
        now = self._now()
        span = (floor_minute(now - timedelta(hours=1)), now + timedelta(seconds=MINUTE))
        cells: dict[str, Cell] = {}
        stored = await self._minutes.minutes(tenant_id, None, span, 7200)
        for (series, _), cell in stored.items():
            add_into(cells.setdefault(series.model_id, {}), cell)
        return [_line(name, cells[name]) for name in sorted(cells)]


def floor_minute(at: datetime) -> datetime:
    """The start of an instant's minute."""
    return at.replace(second=0, microsecond=0)


def unknown_model(model_id: str) -> Problem:
    """The 404 of a model that never sent anything."""
    return Problem("not-found", f"Nothing of model {model_id!r} has been seen.")


def _line(model_id: str, cell: Mapping[str, int]) -> dict[str, Any]:
    status, reasons = judge(cell)
    measures = summarise(cell, 3600)
    return ModelLine(
        model_id=model_id,
        status=status,
        reasons=reasons,
        sample=measures.sample,
        success_rate=measures.success_rate,
        response_time_ms=measures.response_time_ms,
    ).model_dump(mode="json")
