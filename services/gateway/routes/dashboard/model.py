"""One model: how it does, how it did, and what it will do."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic_core import from_json

from services.gateway.domain.answers import Filters
from services.gateway.domain.dashboard.charts import (
    charts,
    forecast_chart,
    limit_word_of,
    span_of,
    unit_of,
)
from services.gateway.domain.dashboard.model import measure, numbers
from services.gateway.domain.forecasts import ForecastMetric, hours_of
from services.gateway.domain.health import HistoryFilters, change_view
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import principal
from services.gateway.routes.dashboard.choices import Number
from services.gateway.routes.dashboard.showing import show, shows
from services.gateway.routes.health import ModelId
from services.gateway.routes.paging import At, next_cursor, page_after
from services.gateway.routes.reading import Window
from services.gateway.service.forecasting import Asked
from services.gateway.service.stored import unknown_model
from shared.clock import utc_now

ONE = "/fleet/{model_id:path}"
CHANGES = 20


def model_routes() -> APIRouter:
    """The page of a model, and the parts of it that take longer."""
    router = APIRouter(include_in_schema=False)
    _parts(router)

    @router.get(ONE, **shows("metrics:read"))
    async def model(request: Request, model_id: ModelId, window: Window = Window.HOUR) -> Response:
        tenant_id, state = principal(request).tenant_id, request.app.state
        status = from_json(await state.condition.status(tenant_id, model_id))
        found = from_json(await state.reading.metrics(tenant_id, model_id, window.value, Filters()))
        sides = [(one, measure(one)) for one in status["measures"]]
        shown = {"status": status, "sides": sides, "numbers": numbers(found)}
        windows = [one.value for one in Window]
        return show(request, "model.html", model_id=model_id, found=found, windows=windows, **shown)

    return router


def _parts(router: APIRouter) -> None:
    @router.get(f"{ONE}/charts", **shows("metrics:read", Kind.HEAVY))
    async def drawn(request: Request, model_id: ModelId, window: Window = Window.HOUR) -> Response:
        tenant_id, span = principal(request).tenant_id, span_of(window.value, utc_now())
        items = await request.app.state.reading.series(
            tenant_id, model_id, (span.start, span.end), span.step_s, Filters()
        )
        return show(request, "charts.html", charts=charts(items, span))

    @router.get(f"{ONE}/forecast", **shows("metrics:read", Kind.HEAVY))
    async def forecast(
        request: Request,
        model_id: ModelId,
        metric: ForecastMetric = "response_time_ms.p95",
        horizon: Annotated[str, Query(max_length=8)] = "24h",
        threshold: Number = None,
    ) -> Response:
        tenant_id, hours = principal(request).tenant_id, hours_of(horizon)
        asked = Asked(tenant_id, model_id, metric, hours, threshold, Filters())
        found = await request.app.state.forecasting.forecast(asked)
        title = f"Forecast of {metric} for {horizon}"
        chart = None if found["refusal"] else forecast_chart(found, title)
        word = limit_word_of(unit_of(metric))
        return show(request, "forecast.html", found=found, chart=chart, word=word)

    @router.get(f"{ONE}/history", **shows("metrics:read"))
    async def history(request: Request, model_id: ModelId, cursor: At = None) -> Response:
        after = page_after(request, cursor)
        tenant_id, asked = principal(request).tenant_id, HistoryFilters(whole=True)
        health = request.app.state.health
        rows = await health.changes(tenant_id, model_id, asked, after, CHANGES + 1)
        if rows is None:
            raise unknown_model(model_id)
        following = next_cursor(request, rows, CHANGES, "at", "change_id")
        changes = [change_view(row) for row in rows[:CHANGES]]
        return show(request, "history.html", changes=changes, following=following)
