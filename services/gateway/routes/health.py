"""How a model is, and how it was."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from services.gateway.domain.health import HistoryFilters, HistoryPage, StatusAnswer, change_view
from services.gateway.domain.problems import wrong_field
from services.gateway.routes.access import allows, principal
from services.gateway.routes.objects import JSON, Text, answer
from services.gateway.routes.paging import At, Limit, next_cursor, page_after
from services.gateway.routes.querying import Instant
from services.gateway.service.stored import unknown_model

ModelId = Annotated[str, Path(min_length=1, max_length=128)]
Whole = Annotated[bool, Query(description="Only the model as a whole, without its parts.")]


def health_routes() -> APIRouter:
    """Routes of models' status."""
    router = APIRouter(tags=["metrics"])

    @router.get(
        "/ai/models/{model_id:path}/status/history",
        response_model=HistoryPage,
        summary="Changes of a model's status and of its parts', newest first",
        **allows("metrics:read"),
    )
    async def history(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
        request: Request,
        model_id: ModelId,
        environment: Text = None,
        operation_type: Text = None,
        start: Annotated[Instant | None, Query(alias="from")] = None,
        end: Annotated[Instant | None, Query(alias="to")] = None,
        whole: Whole = False,
        limit: Limit = 50,
        cursor: At = None,
    ) -> Response:
        asked = HistoryFilters(environment, operation_type, start, end, whole)
        if whole and (environment, operation_type) != (None, None):
            raise wrong_field("whole", "leaves no parts to choose from; leave it or them out")
        after = page_after(request, cursor)
        rows = await request.app.state.health.changes(
            principal(request).tenant_id, model_id, asked, after, limit + 1
        )
        if rows is None:
            raise unknown_model(model_id)
        following = next_cursor(request, rows, limit, "at", "change_id")
        items = [change_view(row) for row in rows[:limit]]
        return answer({"items": items, "next_cursor": following})

    @router.get(
        "/ai/models/{model_id:path}/status",
        response_model=StatusAnswer,
        summary="How a model is, as a whole and in each of its parts, since when and why",
        **allows("metrics:read"),
    )
    async def status(request: Request, model_id: ModelId) -> Response:
        tenant_id = principal(request).tenant_id
        found = await request.app.state.condition.status(tenant_id, model_id)
        return Response(found, media_type=JSON)

    return router
