"""Training rows: lists, one, and those that are taken out for good."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.gateway.domain.training import EXAMPLE, TrainingPage, TrainingRowView, no_row
from services.gateway.routes.access import allows, principal
from services.gateway.routes.objects import (
    GONE,
    Text,
    actor,
    answer,
    example,
    removed,
    writes,
)
from services.gateway.routes.paging import At, Limit, next_cursor, page_after
from services.gateway.routes.querying import Instant
from shared.training.filters import RowFilters
from shared.training.row import public
from shared.training.stored import row_of

ALL = "/ai/training-data"
ONE = "/ai/training-data/{row_id}"
SAID = "true: said so; unknown: nothing was said. Left out: both. Who said no has no rows here."
Share = Annotated[float | None, Query(ge=0, le=1)]
Consent = Annotated[Literal["true", "false", "unknown"] | None, Query(description=SAID)]
ALSO_BLOCKED = "Take a row out of lists and exports, at once and for good"


def asked_filters(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
    model_id: Text = None,
    agent_id: Text = None,
    environment: Text = None,
    operation_type: Text = None,
    operation_id: Text = None,
    kind: Literal["answer", "correction"] | None = None,
    split: Literal["train", "validation", "test"] | None = None,
    min_quality: Share = None,
    max_quality: Share = None,
    min_weight: Share = None,
    start: Annotated[Instant | None, Query(alias="from")] = None,
    end: Annotated[Instant | None, Query(alias="to")] = None,
    consent: Consent = None,
) -> RowFilters:
    """Which rows a query asks for."""
    return RowFilters.model_construct(
        model_id=model_id,
        agent_id=agent_id,
        environment=environment,
        operation_type=operation_type,
        operation_id=operation_id,
        kind=kind,
        split=split,
        min_quality=min_quality,
        max_quality=max_quality,
        min_weight=min_weight,
        start=start,
        end=end,
        consent="unknown" if consent == "unknown" else consent and consent == "true",
    )


Filters = Annotated[RowFilters, Depends(asked_filters)]


def training_routes() -> APIRouter:
    """Routes of training rows; those with names of their own are included before."""
    router = APIRouter(tags=["training"])

    @router.get(
        ALL,
        response_model=TrainingPage,
        summary="Training rows with quality, weight and the reasons for both, newest first",
        responses=example({"items": [EXAMPLE], "next_cursor": None}),
        **allows("training:read"),
    )
    async def rows(
        request: Request, filters: Filters, limit: Limit = 50, cursor: At = None
    ) -> Response:
        after = page_after(request, cursor)
        tenant_id = principal(request).tenant_id
        found = await request.app.state.training.rows(tenant_id, filters, after, limit + 1)
        following = next_cursor(request, found, limit, "occurred_at", "row_id")
        items = [public(row_of(one)) for one in found[:limit]]
        return answer({"items": items, "next_cursor": following})

    @router.get(
        ONE,
        response_model=TrainingRowView,
        summary="One training row",
        responses=example(EXAMPLE),
        **allows("training:read"),
    )
    async def row(request: Request, row_id: UUID) -> Response:
        found = await request.app.state.training.row(principal(request).tenant_id, row_id)
        if found is None:
            raise no_row(row_id)
        return answer(public(row_of(found)))

    @router.delete(ONE, status_code=GONE, summary=ALSO_BLOCKED, **writes("training:write"))
    async def block(request: Request, row_id: UUID) -> Response:
        async def do() -> Any:
            tenant_id, who = principal(request).tenant_id, actor(request)
            if not await request.app.state.training.block(tenant_id, row_id, who):
                raise no_row(row_id)

        return await removed(request, do)

    return router
