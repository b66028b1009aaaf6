"""GET of metrics, series, models and operations."""

import json
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import to_json

from services.gateway.domain.answers import Filters
from services.gateway.domain.problems import Problem, wrong_field
from services.gateway.domain.quotas import Kind
from services.gateway.routes.access import allows, principal
from services.gateway.routes.paging import (
    At,
    Limit,
    next_after_name,
    next_cursor,
    page_after,
    page_after_name,
)
from services.gateway.routes.querying import Instant
from shared.clock import utc_now
from shared.views import MetricsView, ModelLine

JSON = "application/json"
STEPS = {"1m": 60, "5m": 300, "1h": 3600, "1d": 86_400}
MOST_POINTS = 2_000
MOST_DAYS = 90
Text = Annotated[str | None, Query(max_length=128)]
FROM_ROWS = "Summed from stored operations, over at most 24 hours."
FromRows = Annotated[str | None, Query(max_length=128, description=FROM_ROWS)]


class Window(str, Enum):  # noqa: UP042 - FastAPI shows its values
    """How far back metrics reach."""

    FIVE_MINUTES = "5m"
    QUARTER = "15m"
    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"


class MetricsAnswer(MetricsView):
    """Metrics, and how old they are."""

    as_of: datetime
    freshness_ms: int


class ModelsPage(BaseModel):
    """A page of models."""

    items: list[ModelLine]
    next_cursor: str | None


def reading_routes() -> APIRouter:
    """Routes that answer questions."""
    router = APIRouter(tags=["metrics"])

    @router.get(
        "/ai/metrics/{model_id:path}/series",
        summary="A model's measures over time, from stored minutes",
        **allows("metrics:read", Kind.HEAVY),
    )
    async def series(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
        request: Request,
        model_id: str,
        start: Annotated[Instant | None, Query(alias="from")] = None,
        end: Annotated[Instant | None, Query(alias="to")] = None,
        step: Literal["1m", "5m", "1h", "1d"] = "1m",
        environment: Text = None,
        operation_type: Text = None,
        variant: Text = None,
        agent_id: FromRows = None,
        release: FromRows = None,
    ) -> Response:
        span = _span(start, end, STEPS[step])
        items = await request.app.state.reading.series(
            principal(request).tenant_id,
            model_id,
            span,
            STEPS[step],
            Filters(environment, operation_type, variant, agent_id, release),
        )
        answer = {"model_id": model_id, "step": step, "from": span[0], "to": span[1]}
        return Response(to_json({**answer, "items": items}), media_type=JSON)

    @router.get(
        "/ai/metrics/{model_id:path}",
        response_model=MetricsAnswer,
        summary="A model's live metrics over a window",
        **allows("metrics:read"),
    )
    async def metrics(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
        request: Request,
        model_id: str,
        window: Window = Window.HOUR,
        environment: Text = None,
        operation_type: Text = None,
        variant: Text = None,
        agent_id: FromRows = None,
        release: FromRows = None,
    ) -> Response:
        answer = await request.app.state.reading.metrics(
            principal(request).tenant_id,
            model_id,
            window.value,
            Filters(environment, operation_type, variant, agent_id, release),
        )
        return Response(answer, media_type=JSON)

    @router.get(
        "/ai/models",
        response_model=ModelsPage,
        summary="Models with their status over the last hour",
        **allows("metrics:read"),
    )
    async def models(request: Request, limit: Limit = 50, cursor: At = None) -> Response:
        after = page_after_name(request, cursor)
        lines, stale = await request.app.state.reading.models(principal(request).tenant_id)
        rest = [line for line in lines if after is None or line["model_id"] > after]
        page = rest[:limit]
        more = len(rest) > limit
        following = next_after_name(request, page[-1]["model_id"]) if more else None
        answer = {"items": page, "next_cursor": following, "stale": stale}
        return Response(to_json(answer), media_type=JSON)

    _operation_routes(router)
    return router


def _operation_routes(router: APIRouter) -> None:
    @router.get(
        "/ai/operations",
        tags=["operations"],
        summary="Search operations, newest first",
        **allows("operations:read"),
    )
    async def operations(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
        request: Request,
        model_id: Text = None,
        agent_id: Text = None,
        user_id: Text = None,
        session_id: Text = None,
        trace_id: Text = None,
        environment: Text = None,
        release: Text = None,
        operation_type: Text = None,
        variant: Text = None,
        success: bool | None = None,
        error: Text = None,
        start: Annotated[Instant | None, Query(alias="from")] = None,
        end: Annotated[Instant | None, Query(alias="to")] = None,
        limit: Limit = 50,
        cursor: At = None,
    ) -> Response:
        tenant_id = principal(request).tenant_id
        filters: dict[str, Any] = {
            "model_id": model_id,
            "agent_id": agent_id,
            "user_pseudonym": user_id and request.app.state.pseudonym(tenant_id, user_id),
            "session_id": session_id,
            "trace_id": trace_id,
            "environment": environment,
            "release": release,
            "operation_type": operation_type,
            "variant": variant,
            "success": success,
            "error": error,
            "from": start,
            "to": end,
        }
        after = page_after(request, cursor)
        rows = await request.app.state.store.operations(tenant_id, filters, after, limit + 1)
        following = next_cursor(request, rows, limit, "occurred_at", "event_id")
        answer = {"items": [_shown(row) for row in rows[:limit]], "next_cursor": following}
        return Response(to_json(answer), media_type=JSON)

    @router.get(
        "/ai/operations/{operation_id:path}",
        tags=["operations"],
        summary="The newest event of an operation's id",
        **allows("operations:read"),
    )
    async def operation(request: Request, operation_id: str) -> Response:
        row = await request.app.state.store.operation(principal(request).tenant_id, operation_id)
        if row is None:
            raise Problem("not-found", f"No operation {operation_id[:128]!r} is stored.")
        return Response(to_json(_shown(row)), media_type=JSON)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row as people get it: metadata is JSON text in the store."""
    shown = dict(row)
    if shown.get("metadata") is not None:
        shown["metadata"] = json.loads(shown["metadata"])
    return shown


def _span(start: datetime | None, end: datetime | None, step_s: int) -> tuple[datetime, datetime]:
    """The asked span, by default the last hour; cut to whole steps' reach."""
    until = end or utc_now()
    since = start or until - timedelta(hours=1)
    if since >= until:
        raise wrong_field("from", "from must be before to")
    if until - since > timedelta(days=MOST_DAYS):
        raise wrong_field("from", f"at most {MOST_DAYS} days can be asked at once")
    if (until - since).total_seconds() / step_s > MOST_POINTS:
        raise wrong_field("step", f"that is more than {MOST_POINTS} points; take a larger step")
    return since, until
