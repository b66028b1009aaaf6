"""GET of forecasts and of a tenant's statistics: what takes a while to reckon."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.gateway.domain.answers import Filters
from services.gateway.domain.forecasts import ForecastAnswer, ForecastMetric, hours_of
from services.gateway.domain.quotas import Kind
from services.gateway.domain.statistics import StatisticsAnswer
from services.gateway.routes.access import allows, principal
from services.gateway.routes.objects import Text, answer
from services.gateway.service.forecasting import Asked

Threshold = Annotated[float | None, Query(allow_inf_nan=False)]


def reckoning_routes() -> APIRouter:
    """Routes that may take a second or two, and are remembered for minutes."""
    router = APIRouter(tags=["metrics"])

    @router.get(
        "/ai/metrics/{model_id:path}/forecast",
        response_model=ForecastAnswer,
        summary="What a metric of a model will do, hour by hour, or why nobody can tell",
        **allows("metrics:read", Kind.HEAVY),
    )
    async def forecast(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
        request: Request,
        model_id: str,
        metric: ForecastMetric = "throughput_per_minute",
        horizon: Annotated[str, Query(max_length=8, description="1h to 168h, or 1d to 7d")] = "24h",
        threshold: Threshold = None,
        environment: Text = None,
        operation_type: Text = None,
        variant: Text = None,
    ) -> Response:
        asked = Asked(
            principal(request).tenant_id,
            model_id,
            metric,
            hours_of(horizon),
            threshold,
            Filters(environment, operation_type, variant),
        )
        return answer(await request.app.state.forecasting.forecast(asked))

    @router.get(
        "/ai/statistics",
        response_model=StatisticsAnswer,
        summary="A day of all models with the trends of a week; at most five minutes old",
        **allows("metrics:read", Kind.HEAVY),
    )
    async def statistics(
        request: Request,
        refresh: Annotated[bool, Query(description="Reckon it anew.")] = False,
    ) -> Response:
        tenant_id = principal(request).tenant_id
        return answer(await request.app.state.statistics.of(tenant_id, refresh=refresh))

    return router
